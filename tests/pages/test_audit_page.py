"""The audit page tells how many people judged, whether the target is kept, and hands out the chart."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.audit import audits
from bam_engine.labelling import tasks
from bam_engine.training import thresholds
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.pages.conftest import text_of


@pytest.fixture
def decided(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    oracle.play(workspace, watercolor, count=1)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    return workspace


def test_sizes_and_people_are_set_on_the_page(
    open_page: Callable[..., AppTest], decided: Workspace, watercolor: Attribute
) -> None:
    app = open_page(decided, "audit")
    for place, value in enumerate((5, 3, 2)):
        app.number_input[place].set_value(value)
    next(button for button in app.button if button.label == "Start audit").click()
    text_of(app.run())
    (drawn,) = audits.results(decided, watercolor)
    assert (drawn.task.rows.size, drawn.people) == (8, 2)


def test_who_has_judged_their_share_is_told_that_the_rest_waits(
    open_page: Callable[..., AppTest], decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=4, n_rejected=2, people=2, seed=1)
    oracle.answer(decided, drawn.task, name="me")
    words = text_of(open_page(decided, "audit"))
    assert "2 people label each image" in words
    assert "me 6" in words
    assert "waits for other annotators" in words
    assert "2 people must agree" in text_of(open_page(decided, "annotate"))


def test_the_page_says_the_verdict_both_definitions_and_what_it_would_take(
    open_page: Callable[..., AppTest], decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=6, n_rejected=4, people=2, seed=1)
    oracle.answer(decided, drawn.task, name="anna")
    oracle.answer(decided, drawn.task, name="berta")
    app = open_page(decided, "audit")
    words = text_of(app)
    assert "Inconclusive" in words
    assert "at least one" in words
    assert [one.label for one in app.metric][:4] == [
        "Precision",
        "Precision, BAM's definition",
        "Missed positives",
        "Effective sample size",
    ]
    sizes, history = (table.value for table in app.dataframe[:2])
    assert list(sizes["labelled"]) == [6, 100, 200, 400]
    assert list(sizes["must be positive"]) == ["not even all", "96", "188", "371"]
    assert list(history["people"]) == ["anna, berta"]
    assert list(history["in use"]) == ["yes"]
    assert {one.label for one in app.get("download_button")} >= {"SVG", "PNG", "CSV"}


def test_an_unfinished_audit_shows_its_counts_and_leaves_the_verdict_open(
    open_page: Callable[..., AppTest], decided: Workspace, watercolor: Attribute
) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=6, n_rejected=6, seed=1)
    assignment = tasks.open_task(decided, drawn.task, "ada")
    assert assignment is not None
    answers = [NewAnswer(uuid.uuid4().hex, row, 0) for row in assignment.rows[:-1]]
    decided.annotations.record(assignment.id, answers)
    app = open_page(decided, "audit")
    words = text_of(app)
    assert "The audit is not finished" in words
    assert "contradicts" not in words
    assert not any("Audited precision by attribute" in one.value for one in app.subheader)
    history = next(table.value for table in app.dataframe if "result" in table.value)
    assert list(history["result"]) == ["inconclusive"]


def test_an_audit_of_an_older_threshold_stays_in_the_list(
    open_page: Callable[..., AppTest], decided: Workspace, watercolor: Attribute, oracle: Oracle, tmp_path: Path
) -> None:
    oracle.answer(decided, audits.draw(decided, watercolor, n_accepted=4, n_rejected=2, seed=1).task)
    thresholds.save(decided, watercolor, thresholds.suggest(decided, watercolor, target=0.6))
    app = open_page(decided, "audit")
    text_of(app)
    assert list(app.dataframe[0].value["in use"]) == ["no"]
    assert any(button.label == "Start audit" for button in app.button)
