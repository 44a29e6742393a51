"""Example pictures on pages: chosen where an image is seen, put in order on Attributes, shown to whoever labels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.labelling.guideline_examples import MAX_EXAMPLES, add_examples, examples_of
from bam_engine.training import rounds, validation
from bam_engine.training.validation import validation_images
from bam_engine.workspace import Workspace
from tests.pages.conftest import text_of
from web.components.gallery import Picture

OpenPage = Callable[..., AppTest]


@pytest.fixture
def kite(workspace: Workspace) -> Attribute:
    return workspace.attributes.add("kite", "own", "Is there a kite?", "A toy kite, flying or not.")


@pytest.fixture
def grids(monkeypatch: pytest.MonkeyPatch) -> list[list[dict[str, Any]]]:
    """The examples that each labelling grid was given."""
    given: list[list[dict[str, Any]]] = []

    def label_grid(*_: Any, examples: list[dict[str, Any]], **__: Any) -> None:
        given.append(examples)

    monkeypatch.setattr("web.components.label_grid.label_grid", label_grid)
    return given


def listed(workspace: Workspace, attribute: Attribute) -> list[tuple[int, str, str]]:
    return [(each.row, each.kind, each.note) for each in examples_of(workspace, attribute)]


def test_an_image_becomes_an_example_on_its_page_and_is_none_again(
    workspace: Workspace, kite: Attribute, open_page: OpenPage
) -> None:
    app = open_page(workspace, "image", row="7")
    app.text_input(key="image-example-note-1-7").set_value("only its tail is seen")
    app.button(key="image-example-corner").click().run()
    assert listed(workspace, kite) == [(7, "corner", "only its tail is seen")]
    app.button(key="image-example-good").click().run()
    assert listed(workspace, kite) == [(7, "good", "only its tail is seen")]
    app.text_input(key="image-example-note-1-7").set_value("")
    app.button(key="image-example-good").click().run()
    assert listed(workspace, kite) == [(7, "good", "")]
    app.button(key="image-example-remove").click().run()
    assert listed(workspace, kite) == []
    assert not app.exception


def test_the_page_of_an_image_says_why_it_became_no_example(
    workspace: Workspace, kite: Attribute, open_page: OpenPage
) -> None:
    add_examples(workspace, kite, range(MAX_EXAMPLES), "good")
    app = open_page(workspace, "image", row="50")
    app.button(key="image-example-bad").click().run()
    assert f"the most are {MAX_EXAMPLES}" in app.error[0].value
    assert len(examples_of(workspace, kite)) == MAX_EXAMPLES


def test_the_examples_of_the_attribute_in_focus_are_changed_moved_and_removed(
    workspace: Workspace, kite: Attribute, open_page: OpenPage
) -> None:
    add_examples(workspace, kite, [4, 6], "good")
    app = open_page(workspace, "attributes", attribute="kite")
    app.button(key="example-1-6-up").click().run()
    assert listed(workspace, kite) == [(6, "good", ""), (4, "good", "")]
    app.text_input(key="example-1-4-note-").set_value("red on blue").run()
    app.selectbox(key="example-1-6-kind-good").set_value("bad").run()
    assert listed(workspace, kite) == [(4, "good", "red on blue"), (6, "bad", "")]
    app.button(key="example-1-4-remove").click().run()
    assert listed(workspace, kite) == [(6, "bad", "")]
    app.button(key="undo").click().run()
    assert listed(workspace, kite) == [(4, "good", "red on blue"), (6, "bad", "")]


def test_the_attributes_page_says_which_examples_annotators_do_not_see(
    workspace: Workspace, kite: Attribute, open_page: OpenPage
) -> None:
    validation.draw_validation(workspace, kite, 20, seed=1)
    drawn = int(validation_images(workspace, kite).rows[0])
    free = int(np.setdiff1d(np.arange(120), validation_images(workspace, kite).rows)[0])
    add_examples(workspace, kite, [drawn, free], "good")
    workspace.removals.remove([free], reason="a test")
    text = text_of(open_page(workspace, "attributes", attribute="kite"))
    assert "A sample that judges holds it: annotators see it once it is labelled there" in text.replace("\\", "")
    assert "Removed from the collection: annotators do not see it" in text.replace("\\", "")


def test_whoever_labels_sees_the_examples_but_none_that_waits_for_blind_answers(
    workspace: Workspace, kite: Attribute, open_page: OpenPage, grids: list[list[dict[str, Any]]]
) -> None:
    validation.draw_validation(workspace, kite, 20, seed=1)
    drawn = int(validation_images(workspace, kite).rows[0])
    free = np.setdiff1d(np.arange(120), validation_images(workspace, kite).rows)[:2].tolist()
    add_examples(workspace, kite, [free[0], drawn], "good", "a note")
    add_examples(workspace, kite, [free[1]], "bad")
    app = open_page(workspace, "annotate", attribute="kite")
    assert not app.exception
    good = {"row": free[0], "kind": "good", "note": "a note"}
    assert grids[-1] == [good, {"row": free[1], "kind": "bad", "note": ""}]


def test_a_round_is_labelled_with_the_examples_of_its_attribute_alone(
    workspace: Workspace, kite: Attribute, open_page: OpenPage, grids: list[list[dict[str, Any]]]
) -> None:
    cat = workspace.attributes.add("cat", "own", "Is there a cat?")
    rounds.start_round(workspace, cat, count=10, seed=1)
    add_examples(workspace, kite, [3], "good")
    open_page(workspace, "annotate", attribute="cat")
    assert grids[-1] == []


def test_a_report_shows_the_examples_and_counts_those_that_were_removed(
    workspace: Workspace, kite: Attribute, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Picture]] = []
    monkeypatch.setattr("web.guideline_examples.gallery", lambda pictures, **_: seen.append(pictures))
    add_examples(workspace, kite, [3, 5], "corner", "a toy")
    workspace.removals.remove([5], reason="a test")
    text = text_of(open_page(workspace, "report", attribute="kite"))
    assert seen == [[Picture(3, "Corner case", "a toy")]]
    assert "1 example of the guidelines" in text
