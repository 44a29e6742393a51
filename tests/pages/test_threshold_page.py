"""The Threshold page: what is certain, and the batches that make it so."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.workspace import Workspace, certification, rounds, tasks, validation
from tests.conftest import Oracle
from tests.pages.conftest import text_of


@pytest.fixture
def trained(workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr("bam_engine.learning.PILOT", 8)
    monkeypatch.setattr("bam_engine.workspace.certification.random_seed", lambda seed: 3)
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
    assert "No cut can be sure of a recall" in text_of(page)
    page.number_input[0].set_value(0.6).run()
    button(page, "Start certifying 0.60").click().run()
    found = certification.current(trained, watercolor, target=0.6)
    assert found is not None
    page = open_page(trained, "threshold")
    page.number_input[0].set_value(0.6).run()
    assert "nothing is promised by them" in text_of(page)
    assert button(page, "Label")
    oracle.answer(trained, found.task)
    page.run()
    more = button(page, "Ask")
    before = len(found.task.rows)
    more.click().run()
    now = certification.current(trained, watercolor, target=0.6)
    assert now is not None
    assert len(now.task.rows) > before


def test_all_attributes_at_once_ask_for_more_confidence(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute
) -> None:
    trained.attributes.add("content_cat", "content", "Is there a cat?")
    page = open_page(trained, "threshold")
    page.toggle[1].set_value(True).run()
    assert "97.5 % confidence" in text_of(page)
