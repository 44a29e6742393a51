"""Images are removed where they are shown and where their files are listed, and the undo is right there."""

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import count_images
from tests.pages.conftest import run_until, text_of


def test_an_image_is_removed_on_its_page_and_the_undo_brings_it_back(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    app = open_page(workspace, "image", row="3")
    app.button(key="image-remove").click().run()
    assert "1 image is not in the collection any more" in text_of(app)
    assert workspace.removals.removed().rows.tolist() == [3]
    app.button(key="undo").click().run()
    assert count_images(workspace) == 120
    assert "any more" not in text_of(app)


def test_a_removed_image_says_so_and_comes_back(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    workspace.removals.remove([3], reason="a test")
    app = open_page(workspace, "image", row="3")
    assert "This image was removed" in text_of(app)
    app.button(key="image-return").click().run()
    assert count_images(workspace) == 120
    app.button(key="undo").click().run()
    assert workspace.removals.removed().rows.tolist() == [3]


def test_a_folder_is_removed_and_listed_with_its_way_back(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    app = open_page(workspace, "images")
    app.text_input(key="folder-to-remove").set_value(str(Path(workspace.catalogue.image(0).uri).parent))
    next(button for button in app.button if button.label == "Remove").click().run()
    left = count_images(workspace)
    assert left < 120
    assert f"{120 - left} images are not in the collection any more" in text_of(app)
    app.button(key="return-1").click().run()
    assert count_images(workspace) == 120


def test_missing_files_are_looked_for_and_removed(
    workspace: Workspace, open_page: Callable[..., AppTest], monkeypatch
) -> None:
    real, gone = Path.stat, workspace.catalogue.image(5).uri

    def stat(path: Path, **options: bool) -> object:
        if str(path) == gone:
            raise FileNotFoundError(2, "No such file")
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    app = open_page(workspace, "images")
    app.button(key="look-missing").click().run()
    run_until(app, lambda: any(button.key == "remove-missing" for button in app.run().button))
    app.button(key="remove-missing").click().run()
    assert workspace.removals.removed().rows.tolist() == [5]
    app.button(key="undo").click().run()
    assert count_images(workspace) == 120
