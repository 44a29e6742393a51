"""A workspace that can be certified, and what the tests of certifications do with it."""

from collections.abc import Sequence

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.learning import Batch
from bam_engine.training import (
    certification,
    certification_store,
    rounds,
    thresholds,
    validation,
)
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.thresholds import AttributeThreshold
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


@pytest.fixture
def trained(workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """One round is trained; a pilot is of eight images, since the collection is small."""
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    train_once(workspace, watercolor, oracle)
    return workspace


def train_once(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    """Label a validation sample and a round, and train."""
    validation.draw_validation(workspace, attribute, 20, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, attribute))
    oracle.answer(workspace, rounds.start_round(workspace, attribute, count=20, seed=1).task)
    rounds.train(workspace, attribute)


def save_certified(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> AttributeThreshold:
    """Save the loosest threshold that a certification certifies for 60%."""
    certification.start(workspace, attribute, target=0.6, planned=60, seed=3)
    state = finish(workspace, attribute, oracle)
    assert state.certified is not None
    loosest = thresholds.measure_at(workspace, attribute, state.certified, target=0.6)
    return thresholds.save(workspace, attribute, loosest)


def finish(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> CertificationState:
    """Label batch after batch until nothing is left to ask."""
    for _ in range(200):
        found = certification_store.current(workspace, attribute)
        assert found is not None
        oracle.answer(workspace, found.task)
        state = certification.extend(workspace, found)
        if state.task.complete and state.next_batch == 0:
            return state
    raise AssertionError("the certification did not end")


def ask_in_a_round(workspace: Workspace, attribute: Attribute, rows: Sequence[int]) -> None:
    """Store a round of these images, as if they had been chosen."""
    batch = Batch(np.asarray(rows, np.int64), ("chosen",) * len(rows))
    rounds._store(workspace, attribute, len(rounds.rounds_of(workspace, attribute)) + 1, "chosen", 1, batch, None)


def certify_all_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first random draw certify any target."""
    monkeypatch.setattr("bam_engine.learning.fixed_sequence._smallest_surviving_count", lambda *_: 2)
    monkeypatch.setattr("bam_engine.learning.fixed_sequence.precision_bounds", lambda _s, cuts, *_: np.ones(len(cuts)))
