"""The Images page: a folder is chosen by looking into folders."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Pictures, text_of


def test_a_folder_is_chosen_by_walking_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shelf" / "two words").mkdir(parents=True)
    (tmp_path / "shelf" / "two words" / "new.png").touch()
    monkeypatch.setenv("BAM_IMAGE_FOLDERS", str(tmp_path))
    app = AppTest.from_string(
        """
        import streamlit as st
        from web import folder_browser
        folder_browser.take_choice("folder")
        st.text_input("Folder", key="folder")
        st.session_state.setdefault("folder-browser", str(folder_browser.starting_folder()))
        folder_browser.choice("folder")
        """
    ).run()
    press(app, "shelf")
    press(app, "two words")
    assert "1 image in this folder itself" in text_of(app)
    press(app, "shelf")  # one of the folders on the way
    press(app, "two words")
    press(app, "Choose “two words”")
    assert app.text_input(key="folder").value == str((tmp_path / "shelf" / "two words").resolve())


def test_a_name_is_shown_as_it_is_and_a_folder_that_is_gone_leads_to_the_one_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "*a* $5$").mkdir()
    monkeypatch.setenv("BAM_IMAGE_FOLDERS", str(tmp_path))
    app = AppTest.from_string(
        """
        import streamlit as st
        from web import folder_browser
        st.session_state.setdefault("folder-browser", str(folder_browser.starting_folder() / "gone"))
        folder_browser.choice("folder")
        """
    ).run()
    assert "gone" in text_of(app)
    press(app, r"\*a\* \$5\$")
    press(app, r"Choose “\*a\* \$5\$”")
    assert app.session_state["folder-chosen"] == str((tmp_path / "*a* $5$").resolve())


def test_a_folder_that_may_not_be_read_is_refused(
    pictures: Pictures, open_page, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workspace, folder = pictures
    monkeypatch.setenv("BAM_IMAGE_FOLDERS", str(folder))
    app = open_page(workspace, "images")
    assert any(button.label == "Choose a folder…" for button in app.button)
    app.text_input(key="folder").input(str(tmp_path))
    press(app, "Add images")
    assert "this server reads images below" in text_of(app)
    assert not workspace.jobs.is_running("ingest")


def press(app, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()


def test_the_folders_that_were_added_are_listed_with_their_images(pictures: Pictures, open_page) -> None:
    workspace, folder = pictures
    app = open_page(workspace, "images")
    assert "Sources" in [each.value for each in app.subheader]
    (lines,) = [frame.value for frame in app.dataframe if "folder" in frame.value.columns]
    assert lines[["folder", "images"]].to_numpy().tolist() == [[str(folder.resolve()), 3]]
