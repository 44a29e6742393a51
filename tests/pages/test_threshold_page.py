"""The Threshold page: what is certain, and the batches that make it so."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.labelling import tasks
from bam_engine.training import certification, certification_store, extension, rounds, thresholds, validation
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.pages.conftest import text_of
from tests.training.certifying import finish
from tests.training.test_promises import grow


@pytest.fixture
def trained(workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    monkeypatch.setattr("bam_engine.training.certification.random_seed", lambda seed: 3)
    validation.draw_validation(workspace, watercolor, 20, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=1).task)
    rounds.train(workspace, watercolor)
    return workspace


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
    oracle.answer(trained, found.task)
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
    task = tasks.open_task(workspace, tasks.validation_task(workspace, watercolor), "no")
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
    page.toggle[1].set_value(True).run()
    words = text_of(page)
    assert "Started at 95% confidence and read at 97.5% now: every label still counts" in words
    assert not any("Start certifying" in one.label for one in page.button)


def test_all_attributes_at_once_ask_for_more_confidence(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute
) -> None:
    trained.attributes.add("content_cat", "content", "Is there a cat?")
    page = open_page(trained, "threshold")
    page.toggle[1].set_value(True).run()
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
