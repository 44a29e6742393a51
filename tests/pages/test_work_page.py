"""Your work: each person sees their own figures, and the ways to go on and to correct."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.training import rounds, validation
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.pages.conftest import text_of

Open = Callable[..., AppTest]


def links(app: AppTest) -> list[str]:
    return [str(one.proto.label) for one in app.get("page_link")]


def test_own_answers_are_shown_with_agreement_and_days(open_page: Open, team: Workspace, watercolor: Attribute) -> None:
    app = open_page(team, "work", annotator="ada")
    words = text_of(app)
    assert "6 images answered" in words
    assert "as most others say: 50%" in words
    assert "of 4 images" in words
    assert "ben" not in words, "nobody else is named"
    table = app.dataframe[0].value
    assert table["images"].sum() == 6


def test_what_is_left_and_what_can_be_corrected_is_one_click_away(
    open_page: Open, workspace: Workspace, watercolor: Attribute
) -> None:
    validation.draw_validation(workspace, watercolor, 8, seed=1)
    assert "Answer 8 images" in links(open_page(workspace, "work", annotator="anna"))
    vote(workspace, watercolor, "anna", {int(tasks.validation_task(workspace, watercolor).rows[0]): 1})
    app = open_page(workspace, "work", annotator="anna")
    assert {"Answer 7 images", "Correct your last answers"} <= set(links(app))


def test_an_answered_attribute_with_nothing_left_says_so(
    open_page: Open, workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1, batch=20)
    assert rounds.state(workspace, watercolor).model is not None
    name = next(one.name for one in workspace.annotators.all())
    assert "Nothing is left for you." in text_of(open_page(workspace, "work", annotator=name))
