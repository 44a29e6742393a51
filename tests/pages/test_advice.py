"""The Rounds page says what the last round bought and what to expect of another; the gallery shows probabilities."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.training import rounds, validation
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def _advice(app: AppTest) -> list[str]:
    return [str(element.value) for element in app.info if "nother round" in str(element.value)]


def test_after_two_rounds_the_page_says_what_the_last_one_bought(
    open_page: Callable[[Workspace, str], AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    assert _advice(open_page(workspace, "rounds")) == []
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=12, seed=9).task)
    rounds.train(workspace, watercolor)
    advice = _advice(open_page(workspace, "rounds"))
    assert len(advice) == 1
    assert "changed the average precision by" in advice[0]
    assert "40 validation images" in advice[0]
    assert "to the other side" in advice[0]
    assert "not a law" in advice[0]


def test_without_positives_in_the_validation_set_the_page_says_why_it_cannot_tell(
    open_page: Callable[[Workspace, str], AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    truth = dict(oracle.truth)
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    oracle.truth = dict.fromkeys(truth, False)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.truth = truth
    for seed in (1, 2):
        oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=seed).task)
        rounds.train(workspace, watercolor)
    advice = _advice(open_page(workspace, "rounds"))
    assert len(advice) == 1
    assert "cannot be told" in advice[0]
    assert "is positive" in advice[0]


def test_the_gallery_says_that_its_percentages_are_probabilities(
    open_page: Callable[[Workspace, str], AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    captions = "\n".join(str(element.value) for element in open_page(workspace, "gallery").caption)
    assert "the probability that the answer is yes" in captions
