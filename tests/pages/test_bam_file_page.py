"""The page of BAM's file: it is there where a file is named, finds what its widgets and address say, and tells all."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.published import Arrays, forget, make_arrays, named_file
from bam_engine.published.pictures import picture_settings
from bam_engine.workspace import Workspace
from tests.pages.conftest import run_until, text_of
from tests.published.conftest import CAT, INK, WriteFile, write_bam  # noqa: F401 - a fixture
from web import navigation

OpenPage = Callable[..., AppTest]


@pytest.fixture
def arrays(workspace: Workspace, write_bam: WriteFile) -> Arrays:  # noqa: F811
    """The arrays of the small file, which the workspace names."""
    return make_arrays(workspace, write_bam())


def test_the_page_shows_the_first_attribute_and_its_address_says_so(
    workspace: Workspace, arrays: Arrays, open_page: OpenPage
) -> None:
    app = open_page(workspace, "bam_file")
    words = text_of(app)
    assert "**4 images** of 4 in bam\\.sqlite" in words
    assert "its place: the share of images that BAM's own classifier puts lower" in words
    assert app.multiselect(key="bamfile-yes").value == [CAT]
    assert app.multiselect(key="bamfile-yes").options == ["cat (content) · 1", "pen ink (media) · 1"]
    assert app.query_params["yes"] == CAT


def test_the_widgets_narrow_what_is_found_and_write_the_address(
    workspace: Workspace, arrays: Arrays, open_page: OpenPage
) -> None:
    app = open_page(workspace, "bam_file")
    app.multiselect(key="bamfile-yes").set_value([CAT, INK]).run()
    assert "**3 images** of 4 in bam\\.sqlite · 1 without a score are left out" in text_of(app)
    assert "its lowest place of these attributes" in text_of(app)
    app.multiselect(key="bamfile-no").set_value([INK]).run()
    assert app.multiselect(key="bamfile-yes").value == [CAT]
    app.button_group(key="bamfile-by").set_value("automatic").run()
    assert "**1 image** of 4" in text_of(app)
    assert {name: app.query_params[name] for name in ("yes", "no", "by")} == {
        "yes": CAT,
        "no": INK,
        "by": "automatic",
    }
    app.text_input(key="bamfile-words").set_value("paper").run()
    assert "Nothing in the file matches all of these conditions." in text_of(app)


def test_an_address_is_opened(workspace: Workspace, arrays: Arrays, open_page: OpenPage) -> None:
    app = open_page(workspace, "bam_file", crowd_yes=INK)
    assert "**1 image** of 4" in text_of(app)
    assert app.multiselect(key="bamfile-crowd_yes").value == [INK]
    app = open_page(workspace, "bam_file", yes=CAT, place_from="0.5")
    assert "**2 images** of 4" in text_of(app)
    assert app.slider(key="bamfile-range").value == (50.0, 100.0)


@pytest.mark.parametrize("wrong", [{"yes": "content_dog"}, {"place_from": "x"}, {"by": "luck"}])
def test_an_address_that_makes_no_sense_is_refused_in_words_and_the_page_goes_on(
    workspace: Workspace, arrays: Arrays, open_page: OpenPage, wrong: dict[str, str]
) -> None:
    words = text_of(open_page(workspace, "bam_file", **wrong))
    assert "This address cannot be opened" in words
    assert "**4 images** of 4" in words


def test_the_page_tells_what_is_in_the_file(
    workspace: Workspace,
    write_bam: WriteFile,  # noqa: F811
    open_page: OpenPage,
) -> None:
    make_arrays(workspace, write_bam(tables={"crowd_raw_captions": None}, crowd_labels=[(10, CAT, "perhaps")]))
    words = text_of(open_page(workspace, "bam_file"))
    assert "4 images of 3 projects, 1 flagged as mature" in words
    assert "no table crowd\\_raw\\_captions, so no captions" in words
    assert "1 crowd label left out" in words


def test_a_file_is_read_from_the_page_and_the_sidebar_then_has_it(
    workspace: Workspace,
    write_bam: WriteFile,  # noqa: F811
    open_page: OpenPage,
) -> None:
    app = open_page(workspace, "bam_file")
    assert "No file of BAM's is named yet" in text_of(app)
    assert app.session_state["pages"]["bam_file"].visibility == "hidden"
    app.text_input[0].set_value(str(write_bam()))
    app.button[-1].click().run()
    run_until(app, lambda: "**4 images** of 4" in text_of(app))
    assert named_file(workspace) is not None
    assert app.run().session_state["pages"]["bam_file"].visibility == "visible"


def test_a_file_that_is_gone_or_has_changed_is_a_sentence_and_can_be_read_again(
    workspace: Workspace, arrays: Arrays, open_page: OpenPage
) -> None:
    arrays.file.rename(arrays.file.with_name("moved.sqlite"))
    app = open_page(workspace, "bam_file")
    assert "No such file" in text_of(app)
    assert app.button[-1].label == "Read the file"
    forget(workspace)
    assert "No file of BAM's is named yet" in text_of(open_page(workspace, "bam_file"))


def test_an_image_opens_with_all_that_the_file_says(
    workspace: Workspace, arrays: Arrays, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.components.gallery.file_gallery", lambda found, *, key: 20)
    app = open_page(workspace, "bam_file")
    words = text_of(app)
    assert "2 of 4 in the list" in words
    assert "Old paper (W2)" in words
    assert "flagged as mature" in words
    assert "**cat \\(content\\)**:" not in words
    drawn = "\n".join(str(part.proto.body) for part in app.get("html"))
    assert "https://images.example/20.jpg" in drawn
    assert "The collection does not have this picture" in drawn
    assert ">50%<" in drawn.replace("</td>", "<")
    app.toggle(key="bamfile-agreement").set_value(True).run()
    assert "**cat \\(content\\)**:" in text_of(app)


def test_pictures_are_off_until_the_switch_that_says_whom_the_server_asks(
    workspace: Workspace, arrays: Arrays, open_page: OpenPage
) -> None:
    app = open_page(workspace, "bam_file")
    assert app.button(key="bamfile-pictures").label == "Pictures: off"
    app.button(key="bamfile-pictures").click().run()
    words = text_of(app)
    assert "This server then asks **images\\.example** (3 images)" in words
    app.button(key="bamfile-pictures").click()  # the dialog is drawn again with what is entered in it
    app.text_area[0].set_value("images.example=mirror.example")
    next(one for one in app.button if one.label == "Show pictures").click().run()
    settings = picture_settings(workspace)
    assert settings is not None
    assert settings.hosts == {"images.example": "mirror.example"}
    app = open_page(workspace, "bam_file")
    assert app.button(key="bamfile-pictures").label == "Pictures: on"
    assert "fetched from their URLs while you look" in text_of(app)
    app.button(key="bamfile-pictures").click().run()
    app.button(key="bamfile-pictures").click()
    next(one for one in app.button if one.label == "Show none").click().run()
    assert picture_settings(workspace) is None


def test_the_page_belongs_to_the_data() -> None:
    assert "bam_file" in navigation.GROUPS["Data"]
