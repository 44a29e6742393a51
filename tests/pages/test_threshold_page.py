"""The Threshold page: what is certain, and the batches that make it so."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.charts import Chart
from bam_engine.formatting import count, decimal
from bam_engine.labelling import assigning, tasks
from bam_engine.training import certification, certification_store, extension, rounds, thresholds, validation
from bam_engine.training.diagnosis import judge
from bam_engine.training.models import newest_model
from bam_engine.training.score_counts import ScoreCounts
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.pages.conftest import text_of
from tests.training.certifying import finish
from tests.training.test_promises import grow
from web.set_threshold import by_hand_key


@pytest.fixture
def trained(workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    monkeypatch.setattr("bam_engine.training.certification.random_seed", lambda seed: 3)
    validation.draw_validation(workspace, watercolor, 20, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=1).task)
    rounds.train(workspace, watercolor)
    return workspace


@dataclass
class Screen:
    """What the page gives the histogram to draw."""

    value: float = 0.0
    counts: ScoreCounts | None = None
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """The images that the histogram says are accepted at the threshold that it shows."""
        assert self.counts is not None
        (at,) = np.flatnonzero(self.counts.thresholds == self.value)
        return self.counts.by_people + int(self.counts.by_classifier[at])

    @property
    def marks(self) -> dict[str, float]:
        return {mark.name: mark.value for mark in self.given["marks"]}


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Stands in for the browser's part of the page."""
    seen = Screen()

    def draw(_: Chart, counts: ScoreCounts, value: float, **given: Any) -> None:
        seen.counts, seen.value, seen.given = counts, value, given

    monkeypatch.setattr("web.set_threshold.threshold_histogram", draw)
    return seen


def shown(page: AppTest) -> list[dict[str, tuple[str, str]]]:
    """Return the figures of each threshold on the page: name, value and what is below it."""
    groups: list[dict[str, tuple[str, str]]] = []
    for one in page.metric:
        if one.label == "Precision":
            groups.append({})
        if groups:
            groups[-1][one.label] = one.value, one.delta
    return groups


def button(page: AppTest, words: str):
    return next(one for one in page.button if words in one.label)


def test_a_certification_is_started_labelled_and_gone_on_with(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    page = open_page(trained, "threshold")
    assert "Not enough positives to certify" in text_of(page)
    page.number_input[0].set_value(0.6).run()
    button(page, "Start certifying 60%").click().run()
    found = certification_store.current(trained, watercolor, target=0.6)
    assert found is not None
    page = open_page(trained, "threshold")
    page.number_input[0].set_value(0.6).run()
    assert "Nothing is certified by it" in text_of(page)
    assert button(page, "Label")
    oracle.answer(trained, found.task, name="me")  # who was led to the Annotate page, and holds the images
    page.run()
    more = button(page, "more")
    before = len(found.task.rows)
    more.click().run()
    now = certification_store.current(trained, watercolor, target=0.6)
    assert now is not None
    assert len(now.task.rows) > before


def test_without_a_positive_the_page_says_so_and_still_offers_to_certify(
    open_page: Callable[..., AppTest],
    workspace: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    validation.draw_validation(workspace, watercolor, 8, seed=1)
    task = assigning.open_task(workspace, tasks.validation_task(workspace, watercolor), "no")
    assert task is not None
    workspace.annotations.record(task.id, [NewAnswer(uuid.uuid4().hex, row, 0) for row in task.rows])
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=1).task)
    rounds.train(workspace, watercolor)
    page = open_page(workspace, "threshold")
    assert "None of 8 labelled validation images is positive" in text_of(page)
    button(page, "Start certifying").click().run()
    found = certification_store.current(workspace, watercolor)
    assert found is not None
    oracle.answer(workspace, found.task)
    text_of(open_page(workspace, "threshold"))


def test_a_recall_is_kept_on_the_page(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    page = open_page(trained, "threshold")
    page.number_input[1].set_value(0.5).run()
    assert "Recall is at least 50% with 95% confidence" in text_of(page)
    button(page, "Use the threshold for this recall").click().run()
    kept = thresholds.current_threshold(trained, watercolor)
    assert kept is not None
    assert kept.evidence.recall_target == 0.5
    assert "for a recall of 50%, at 95% confidence" in text_of(open_page(trained, "threshold"))


def test_an_attribute_more_asks_more_confidence_and_drops_no_certification(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.answer(trained, certification.start(trained, watercolor, target=0.9, seed=3).certification.task)
    trained.attributes.add("content_cat", "content", "Is there a cat?")
    page = open_page(trained, "threshold")
    page.toggle(key="at-once").set_value(True).run()
    words = text_of(page)
    assert "Started at 95% confidence and read at 97.5% now: every label still counts" in words
    assert not any("Start certifying" in one.label for one in page.button)


def test_all_attributes_at_once_ask_for_more_confidence(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute
) -> None:
    trained.attributes.add("content_cat", "content", "Is there a cat?")
    page = open_page(trained, "threshold")
    page.toggle(key="at-once").set_value(True).run()
    assert "97.5% confidence" in text_of(page)


def test_a_promise_is_extended_over_what_came_later_and_over_what_came_after_an_extension_that_failed(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute, oracle: Oracle, tmp_path: Path
) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    loosest = finish(trained, watercolor, oracle).certified
    assert loosest is not None
    thresholds.save(trained, watercolor, thresholds.measure_at(trained, watercolor, loosest, target=0.6))
    grow(trained, tmp_path / "late")
    later = len(extension.extendable_rows(trained, watercolor))
    page = open_page(trained, "threshold")
    assert "Extend what is certified" in text_of(page)
    figures = next(one for one in shown(page) if "not covered" in one["Accepted"][1])
    assert all(figures[name][1].endswith(", of covered images") for name in ("Precision", "Recall"))
    button(page, f"Extend the guarantee to {later} image").click().run()
    started = extension.current(trained, watercolor)
    assert started is not None
    page = open_page(trained, "threshold")
    assert button(page, f"Label {started.batch.left} image")
    assert not any("Extend the guarantee" in one.label for one in page.button)
    while not started.batch.complete or started.next_batch:
        rows = certification.extend(trained, started.certification).certification.queried.tolist()
        vote(trained, watercolor, "oracle", dict.fromkeys(rows, 0), purpose="certification")
        (*_, stored) = certification_store.certifications(trained, watercolor)
        started = certification.state(trained, stored)
    page = open_page(trained, "threshold")
    assert not any("Extend the guarantee" in one.label for one in page.button), "nothing has come since"
    grow(trained, tmp_path / "later", first=300)
    page = open_page(trained, "threshold")
    button(page, "Extend the guarantee to").click().run()
    other = extension.current(trained, watercolor)
    assert other is not None
    assert other.certification.id != started.certification.id


def test_a_threshold_set_on_the_histogram_is_measured_saved_and_then_in_use(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute, screen: Screen
) -> None:
    page = open_page(trained, "threshold")
    suggested = thresholds.suggest(trained, watercolor, target=0.9)
    assert screen.value == suggested.value
    assert screen.marks == {"Suggested": suggested.value}
    at = int(np.searchsorted(screen.counts.thresholds, suggested.value))  # type: ignore[union-attr]
    by_hand = float(screen.counts.thresholds[at - 40])  # type: ignore[union-attr]
    page.session_state[by_hand_key(newest_model(trained, watercolor))] = by_hand
    page.run()
    measured = thresholds.measure_at(trained, watercolor, by_hand, target=0.9)
    assert "Set manually" in [one.value for one in page.subheader]
    (figures,) = shown(page)
    assert figures["Threshold"][0] == decimal(by_hand, 3)
    assert figures["Accepted"][0] == f"{screen.accepted:,}"
    assert (figures["Precision"], figures["Recall"]) == screen.given["measured"]
    button(page, "Use this threshold").click().run()
    saved = thresholds.current_threshold(trained, watercolor)
    assert saved is not None
    assert (saved.saved, saved.value, saved.evidence) == (True, by_hand, measured)
    assert screen.marks == {"In use": by_hand, "Suggested": suggested.value}
    assert "Suggested for 90%" in [one.value for one in page.subheader], "what was set by hand is in use now"


def test_a_threshold_set_by_hand_can_be_discarded(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute, screen: Screen
) -> None:
    page = open_page(trained, "threshold")
    suggested = screen.value
    page.session_state[by_hand_key(newest_model(trained, watercolor))] = suggested - 0.5
    page.run()
    assert screen.value == suggested - 0.5
    button(page, "Discard").click().run()
    assert screen.value == suggested
    assert not any(one.label == "Discard" for one in page.button)


def test_the_suggested_threshold_chosen_on_the_histogram_is_no_other_one(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute, screen: Screen
) -> None:
    page = open_page(trained, "threshold")
    page.session_state[by_hand_key(newest_model(trained, watercolor))] = screen.value
    page.run()
    assert "Set manually" not in [one.value for one in page.subheader]
    thresholds.save(trained, watercolor, thresholds.suggest(trained, watercolor, target=0.9))
    page.run()
    assert list(screen.marks) == ["In use, suggested"]


def test_where_nothing_can_be_measured_the_histogram_still_counts(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle, screen: Screen
) -> None:
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=1).task)
    rounds.train(workspace, watercolor)
    page = open_page(workspace, "threshold")
    assert screen.given["measured"] is None
    assert screen.accepted > 0
    page.session_state[by_hand_key(newest_model(workspace, watercolor))] = 0.25
    words = text_of(page.run())
    assert "No images of the validation set are labelled yet" in words
    assert (screen.value, screen.given["measured"]) == (0.25, None)


def test_what_one_person_has_labelled_yes_is_offered_to_another_to_be_confirmed_until_it_is(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    trained.judging_redundancy = 2
    oracle.answer(trained, tasks.validation_task(trained, watercolor), name="ben")
    started = certification.start(trained, watercolor, target=0.9, planned=60, seed=3).certification
    pilot = {row: int(oracle.knows(trained, row)) for row in started.pilot.tolist()}
    for name in ("oracle", "ben"):
        vote(trained, watercolor, name, pilot, purpose="certification")
    left = certification.state(trained, started).task.left
    assert left

    def offered(annotator: str) -> list[str]:
        page = open_page(trained, "threshold", annotator=annotator)
        assert not page.exception
        return [one.proto.label for one in page.get("page_link") if one.proto.label.startswith("Confirm")]

    assert offered("ben") == [f"Confirm {count(left, 'image')} labelled yes"]
    assert offered("oracle") == [], "who has labelled them confirms nothing"
    oracle.answer(trained, started.task, name="ben")
    assert certification.state(trained, started).task.complete
    assert offered("ben") == []


def offered_images(page: AppTest) -> int:
    """Return the number of validation images that the Rounds page offers to add."""
    (field,) = (one for one in page.number_input if one.label == "Images")
    return int(field.value)


def test_the_validation_images_that_a_sentence_asks_for_are_those_offered(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute
) -> None:
    page = open_page(trained, "threshold")
    page.number_input[1].set_value(0.7).run()
    asked = re.search(r"Label about (\d+) more random image", text_of(page))
    assert asked is not None, text_of(page)
    page = open_page(trained, "rounds", attribute=watercolor.name, images=asked.group(1))
    assert offered_images(page) == int(asked.group(1))
    verdict = judge(trained, watercolor)
    assert verdict is not None
    page = open_page(trained, "rounds", attribute=watercolor.name)
    if verdict.more is not None:
        assert f"About {verdict.more} more random image" in verdict.reason
        assert offered_images(page) == verdict.more
    page = open_page(trained, "rounds", attribute=watercolor.name, images="many")
    assert offered_images(page) == verdict.more or verdict.more is None
