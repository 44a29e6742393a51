"""The part of the Threshold page that measures the recall of the threshold in use."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.formatting import percent
from bam_engine.labelling import tasks
from bam_engine.training import recall, rounds, thresholds, validation
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.pages.conftest import text_of


@pytest.fixture
def chosen(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    validation.draw_validation(workspace, watercolor, 20, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=1).task)
    rounds.train(workspace, watercolor)
    cut = float(np.quantile(scores_of(workspace, watercolor), 0.8))
    thresholds.save(workspace, watercolor, thresholds.measure_at(workspace, watercolor, cut, target=0.6))
    return workspace


def button(page: AppTest, words: str):
    return next(one for one in page.button if words in one.label)


def toggle(page: AppTest):
    return next(one for one in page.toggle if one.label == "Measure its recall")


def test_it_is_proposed_started_stopped_and_gone_on_with_and_its_recall_is_the_one_shown(
    open_page: Callable[..., AppTest], chosen: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    page = open_page(chosen, "threshold")
    toggle(page).set_value(True).run()
    next(one for one in page.number_input if "below the threshold" in one.label).set_value(20).run()
    assert "20 images of" in text_of(page)
    assert "20 answers" in text_of(page)
    button(page, "Measure recall").click().run()
    state = recall.current(chosen, watercolor)
    assert state is not None
    assert state.task.total == 20
    page = open_page(chosen, "threshold")
    assert "0 of 20 images below it are labelled" in text_of(page)
    assert button(page, "Label 20 images")
    button(page, "Stop here").click().run()
    assert "Stopped after 0 of 20 images" in text_of(page)
    button(page, "Go on").click().run()
    oracle.answer(chosen, state.sample.task, name="me")  # who pressed the button has the images
    page = open_page(chosen, "threshold")
    assert "Measured on 20 images drawn below the threshold" in text_of(page)
    found = thresholds.current_threshold(chosen, watercolor)
    assert found is not None
    assert next(one.value for one in page.metric if one.label == "Recall") == percent(found.evidence.recall)
    assert button(page, "Measure more narrowly")


def test_a_measurement_at_another_threshold_is_said_to_say_nothing_of_this_one(
    open_page: Callable[..., AppTest], chosen: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.answer(chosen, recall.start(chosen, watercolor, count=10, seed=2).sample.task)
    used = thresholds.current_threshold(chosen, watercolor)
    assert used is not None
    thresholds.save(chosen, watercolor, thresholds.measure_at(chosen, watercolor, used.value - 1, target=0.6))
    page = open_page(chosen, "threshold")
    toggle(page).set_value(True).run()
    assert "which says nothing of this one" in text_of(page)
