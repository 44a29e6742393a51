"""The pages say whether an attribute learns, what may be wrong and what to do; the gallery shows probabilities."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.reporting.report import gather
from bam_engine.reporting.report_file import write_report
from bam_engine.training import diagnosis, rounds, validation
from bam_engine.training.querying import round_labels
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def _told(app: AppTest) -> str:
    """Return the first verdict on the page."""
    every = [str(element.value) for element in (*app.info, *app.success, *app.warning)]
    return next((words for words in every if (words.startswith("**") and "learn" in words) or "good as" in words), "")


def test_after_two_rounds_the_page_says_what_the_last_one_brought(
    open_page: Callable[[Workspace, str], AppTest],
    workspace: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(diagnosis, "FULLY", 2.0)
    oracle.play(workspace, watercolor, count=1)
    first = _told(open_page(workspace, "rounds"))
    assert "guessing gives" in first
    assert "nother round" not in first
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=12, seed=9).task)
    rounds.train(workspace, watercolor)
    second = _told(open_page(workspace, "rounds"))
    assert "changed the average precision by" in second
    assert "40 validation images" in second
    assert "to the other side" in second
    assert "is likely to help" not in second, "the gain is not shown"


def test_what_is_as_good_as_it_gets_is_not_pushed_further(
    open_page: Callable[[Workspace, str], AppTest],
    workspace: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(diagnosis, "FULLY", 0.3)
    oracle.play(workspace, watercolor, count=1)
    app = open_page(workspace, "rounds")
    assert "as good as it gets" in _told(app)
    assert any("Certify a threshold" in str(element.value) for element in app.markdown)


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
    told = _told(open_page(workspace, "rounds"))
    assert "cannot be told yet" in told
    assert "is positive" in told


def test_where_it_does_not_learn_the_page_names_the_causes_and_the_way_to_each_cure(
    open_page: Callable[[Workspace, str], AppTest], unlearned: tuple[Workspace, Attribute]
) -> None:
    workspace, _ = unlearned
    app = open_page(workspace, "rounds")
    assert "does not learn yet" in _told(app)
    words = "\n".join(str(element.value) for element in app.markdown)
    causes = ["The encoder cannot see it", "Labels contradict one another", "It is two questions"]
    places = [words.index(cause) for cause in causes]
    assert places == sorted(places)
    links = {element.proto.label.replace("\\", "") for element in app.get("page_link")}
    better = "Change to Standard (network and descriptors)"
    assert {better, "Labels it contradicts most", "Ask two questions"} <= links
    assert "nother round" not in words
    short = open_page(workspace, "threshold")
    assert "does not learn yet" in _told(short)
    assert "See the likely causes" in {element.proto.label for element in short.get("page_link")}


def test_the_overview_and_the_report_say_that_it_does_not_learn(
    open_page: Callable[[Workspace, str], AppTest], unlearned: tuple[Workspace, Attribute]
) -> None:
    workspace, attribute = unlearned
    overview = open_page(workspace, "overview")
    assert any("does not learn yet" in str(element.value) for element in overview.markdown)
    report = open_page(workspace, "report")
    words = "\n".join(str(element.value) for element in report.markdown)
    assert "It does not learn yet" in words
    assert "The encoder cannot see it" in words
    assert "Likely cause 1: The encoder cannot see it" in write_report(workspace, gather(workspace, attribute))


def test_a_label_is_corrected_on_the_page_of_its_image_and_the_model_trained_again(
    open_page: Callable[..., AppTest], played: Workspace, watercolor: Attribute
) -> None:
    row = int(round_labels(played, watercolor)[0][0])
    label = int(round_labels(played, watercolor)[1][0])
    app = open_page(played, "image", row=str(row))
    app.session_state["attribute_kept"] = watercolor.name
    app.run()
    assert not app.exception
    app.button(key=f"image-answer-{'no' if label else 'yes'}").click().run()
    assert int(round_labels(played, watercolor)[1][0]) == 1 - label
    rounds_page = open_page(played, "rounds")
    assert any("have changed since it was trained" in str(element.value) for element in rounds_page.info)


def test_the_gallery_says_that_its_percentages_are_probabilities(
    open_page: Callable[[Workspace, str], AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    captions = "\n".join(str(element.value) for element in open_page(workspace, "gallery").caption)
    assert "the probability that the answer is yes" in captions
