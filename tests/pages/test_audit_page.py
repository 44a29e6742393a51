"""The audit page tells how many people judged, whether the target is kept, and hands out the chart."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.audit import audits
from bam_engine.audit.mistakes import mistakes
from bam_engine.labelling import assigning
from bam_engine.labelling.guideline_examples import examples_of
from bam_engine.training import thresholds
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.pages.conftest import text_of
from web.components.gallery import Answering, Picture


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
    assignment = assigning.open_task(decided, drawn.task, "ada")
    assert assignment is not None
    answers = [NewAnswer(uuid.uuid4().hex, row, 0) for row in assignment.rows[:-1]]
    decided.annotations.record(assignment.id, answers)
    app = open_page(decided, "audit")
    words = text_of(app)
    assert "The audit is not finished" in words
    assert not any(verdict in words for verdict in ("Target met", "Target missed", "Inconclusive"))
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


def test_each_picture_that_an_audit_found_wrong_or_missed_is_corrected_or_added_to_the_guidelines_by_a_click(
    open_page: Callable[..., AppTest],
    decided: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strips: dict[str, tuple[list[int], Answering]] = {}
    to_add: list[int] = []

    def gallery(pictures: list[Picture], *, key: str, answering: Answering, **_: object) -> None:
        strips[key] = [picture.row for picture in pictures], answering
        if to_add and to_add[0] in strips[key][0]:
            assert answering.guidelines is not None
            answering.guidelines.add(to_add.pop())

    monkeypatch.setattr("web.picture_strips.gallery", gallery)
    drawn = audits.draw(decided, watercolor, n_accepted=4, n_rejected=4, seed=1)
    oracle.answer(decided, drawn.task, wrong=True)
    app = open_page(decided, "audit")
    (result,) = audits.results(decided, watercolor)
    found = mistakes(decided, result)
    assert len(found.wrong) > 0
    assert len(found.missed) > 0
    wrong, missed = (strips[f"audit-{result.id}-{name}"] for name in ("wrong", "missed"))
    assert (wrong[0], missed[0]) == (found.wrong.tolist(), found.missed.tolist())
    assert (wrong[1].attribute, wrong[1].annotator) == (watercolor.id, "me")
    assert wrong[1].guidelines is not None
    assert wrong[1].guidelines.examples == ()
    assert (wrong[1].names_keys, missed[1].names_keys) == (False, True), "the keys of both are named once"
    vote(decided, watercolor, "me", {wrong[0][0]: 0})
    for row, kind in ((wrong[0][0], "bad"), (missed[0][0], "good")):
        to_add[:] = [row]
        app.run()
        assert (row, kind) in [(each.row, each.kind) for each in examples_of(decided, watercolor)]
    assert "Added to the guidelines of watercolor" in text_of(app)
    guidelines = strips[f"audit-{result.id}-missed"][1].guidelines
    assert guidelines is not None
    assert missed[0][0] in guidelines.examples
    app.button(key="undo").click().run()
    assert [each.row for each in examples_of(decided, watercolor)] == [wrong[0][0]]
