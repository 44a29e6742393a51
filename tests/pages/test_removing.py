"""Images are removed where they are shown and where their files are listed, and the undo is right there."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from bam_engine.collection import ingest_folder
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import count_images
from tests.pages.conftest import Pictures, run_until, text_of


def test_an_image_is_removed_on_its_page_and_the_undo_brings_it_back(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    app = open_page(workspace, "image", row="3")
    app.button(key="image-remove").click().run()
    assert (
        app.success[0]
        .value.replace("\\", "")
        .startswith(f"{workspace.catalogue.image(3).name} is not in the collection any more")
    )
    assert workspace.removals.removed().rows.tolist() == [3]
    app.button(key="undo").click().run()
    assert count_images(workspace) == 120
    assert "any more" not in text_of(app)


def test_a_removed_image_says_so_and_comes_back(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    workspace.removals.remove([3], reason="a test")
    app = open_page(workspace, "image", row="3")
    assert "Removed from the collection" in text_of(app)
    app.button(key="image-return").click().run()
    assert count_images(workspace) == 120
    app.button(key="undo").click().run()
    assert workspace.removals.removed().rows.tolist() == [3]


def chosen_popover(app: AppTest) -> str:
    """Return the identity of the popover over the chosen images: the browser keeps one open while it has the same."""
    return next(
        one.proto.id for one in app.get("popover") if one.proto.popover.label.startswith(("Select", "2 selected"))
    )


def files_of(app: AppTest) -> pd.DataFrame:
    """Return the table of the files that are missing or replaced."""
    return next(table.value for table in app.dataframe if "file" in table.value)


def test_a_selection_is_removed_in_the_gallery_and_its_popover_closes(
    workspace: Workspace, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.components.gallery.endless_gallery", lambda *_, **__: (None, np.array([4, 7])))
    app = open_page(workspace, "gallery")
    before = chosen_popover(app)
    app.button(key="gallery-remove").click().run()
    assert workspace.removals.removed().rows.tolist() == [4, 7]
    assert "2 images are not in the collection any more" in text_of(app)
    assert chosen_popover(app) != before  # it is drawn anew, closed


def test_a_folder_is_removed_and_listed_with_its_way_back(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    app = open_page(workspace, "images")
    app.text_input(key="folder-to-remove").set_value(str(Path(workspace.catalogue.image(0).uri).parent))
    next(button for button in app.button if button.label == "Remove").click().run()
    left = count_images(workspace)
    date = workspace.removals.all()[0].made_at[:10]
    assert left < 120
    assert f"{120 - left} images are not in the collection any more" in text_of(app)
    assert "removed by me on" in text_of(app)
    app.session_state["annotator"] = "Ben"
    app.button(key="return-1").click().run()
    assert count_images(workspace) == 120
    words = text_of(app).replace("\\", "")
    assert f"removed by me on {date}; {120 - left} brought back by Ben on {date}" in words


@pytest.fixture
def gone(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Files that are not to be found while they are in this set: that of image 5."""
    real, files = os.stat, {workspace.catalogue.image(5).uri}

    def stat(path: str, **options: bool) -> object:
        if str(path) in files:
            raise FileNotFoundError(2, "No such file")
        return real(path, **options)

    monkeypatch.setattr(os, "stat", stat)
    return files


def look(app: AppTest) -> None:
    app.button(key="look-missing").click().run()
    run_until(app, lambda: any(button.label == "Look again" for button in app.run().button))


@pytest.mark.usefixtures("gone")
def test_missing_files_are_looked_for_and_removed(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    app = open_page(workspace, "images")
    look(app)
    assert "1 image without a file" in [one.value for one in app.subheader]
    assert files_of(app).iloc[0].tolist() == [workspace.catalogue.image(5).uri, "The file is gone."]
    app.button(key="remove-missing").click().run()
    assert workspace.removals.removed().rows.tolist() == [5]
    assert "Every file of the collection is where it was." in text_of(app)
    app.button(key="undo").click().run()
    assert count_images(workspace) == 120


def test_a_file_that_is_back_is_not_removed(
    workspace: Workspace, open_page: Callable[..., AppTest], gone: set[str]
) -> None:
    app = open_page(workspace, "images")
    look(app)
    gone.clear()
    app.button(key="remove-missing").click().run()
    assert count_images(workspace) == 120
    assert "The files are there again" in text_of(app)
    look(app)
    assert "Every file of the collection is where it was." in text_of(app)


def test_a_replaced_picture_is_listed_under_its_path(open_page: Callable[..., AppTest], pictures: Pictures) -> None:
    workspace, folder = pictures
    Image.new("RGB", (8, 8), "green").save(folder / "1.png")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    app = open_page(workspace, "images")
    look(app)
    file, happened = files_of(app).iloc[0]
    assert file == str(folder / "1.png")
    assert "holds something else" in happened


def test_what_was_missing_when_its_folder_was_added_is_removed_once(
    open_page: Callable[..., AppTest], pictures: Pictures
) -> None:
    workspace, folder = pictures
    (folder / "1.png").unlink()
    app = open_page(workspace, "images")
    app.text_input(key="folder").set_value(str(folder))
    next(button for button in app.button if button.label == "Add images").click().run()
    run_until(app, lambda: any(button.key == "remove-gone" for button in app.run().button))
    app.button(key="remove-gone").click().run()
    assert workspace.removals.removed().rows.tolist() == [1]
    assert not any(button.key == "remove-gone" for button in app.button)


def test_a_refusal_leaves_the_rest_of_the_page(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    workspace.removals.remove([3], reason="a test")
    app = open_page(workspace, "images")
    app.text_input(key="folder-to-remove").set_value("/no/such/folder")
    next(button for button in app.button if button.label == "Remove").click().run()
    assert "No image of the collection is at /no/such/folder" in app.error[0].value
    assert "Removed" in [one.value for one in app.subheader]
