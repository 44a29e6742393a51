"""Tags on pages: an image gets one and loses it where it is seen, and a selection does in the gallery."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.workspace import Workspace
from tests.pages.conftest import text_of

OpenPage = Callable[..., AppTest]


def tagged(workspace: Workspace) -> dict[str, list[int]]:
    return {tag: rows.tolist() for tag, rows in workspace.tags.rows_by_tag().items()}


def test_an_image_gets_tags_and_loses_them_in_one_field(workspace: Workspace, open_page: OpenPage) -> None:
    workspace.tags.add([5, 6], "<b>odd</b>", workspace.annotators.actor("ada"))
    app = open_page(workspace, "image", annotator="ben", row="5")
    field = app.multiselect(key="image-tags")
    assert (field.value, field.options) == (["<b>odd</b>"], ["<b>odd</b>"])
    assert "by ada" in text_of(app)
    field.set_value(["<b>odd</b>", "to check"]).run()
    assert tagged(workspace) == {"<b>odd</b>": [5, 6], "to check": [5]}
    assert workspace.annotators.names()[workspace.tags.of(5)[-1].annotator_id or 0] == "ben"
    assert "“to check” by ben" in text_of(app)
    app.multiselect(key="image-tags").set_value(["to check"]).run()
    assert tagged(workspace) == {"<b>odd</b>": [6], "to check": [5]}


def test_a_tag_that_cannot_be_stored_is_refused_in_words(workspace: Workspace, open_page: OpenPage) -> None:
    app = open_page(workspace, "image", row="5")
    app.multiselect(key="image-tags").set_value(["x" * 61]).run()
    assert "The tag has 61 characters" in text_of(app)
    assert app.multiselect(key="image-tags").value == []
    assert tagged(workspace) == {}


@pytest.fixture
def selected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images 3 and 4 are selected in the gallery."""
    monkeypatch.setattr("web.components.gallery.endless_gallery", lambda *_, **__: (None, np.array([3, 4], np.int64)))


@pytest.mark.usefixtures("selected")
def test_a_selection_gets_a_tag_loses_it_and_each_is_undone(workspace: Workspace, open_page: OpenPage) -> None:
    workspace.tags.add([4, 9], "odd")
    app = open_page(workspace, "gallery")
    app.selectbox(key="tag-gallery").set_value("odd").run()
    app.button(key="tag-gallery-add").click().run()
    assert "1 image tagged “odd”" in text_of(app)
    assert tagged(workspace) == {"odd": [3, 4, 9]}
    app.button(key="undo").click().run()
    assert tagged(workspace) == {"odd": [4, 9]}
    app.selectbox(key="tag-gallery").set_value("odd").run()
    app.button(key="tag-gallery-remove").click().run()
    assert tagged(workspace) == {"odd": [9]}
    app.button(key="undo").click().run()
    assert tagged(workspace) == {"odd": [4, 9]}


def test_the_gallery_filters_by_a_tag_and_counts_each(workspace: Workspace, open_page: OpenPage) -> None:
    workspace.tags.add([4, 9], "odd")
    workspace.tags.add([9], "to check")
    app = open_page(workspace, "gallery", tag="odd")
    assert "**2 images**" in text_of(app)
    values = app.button_group(key="gallery-tag")
    assert values.options == ["odd *2*", "to check *1*"]
