"""A certification that is disturbed: two start it at once, the encoder changes meanwhile, nothing is positive."""

import threading
from typing import Any

import numpy as np
import pytest

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import drawn_images
from bam_engine.reporting.overview import waiting_tasks
from bam_engine.training import certification, certification_store, querying, rounds, thresholds
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.training.certifying import finish, trained
from tests.training.test_interruptions import at_once
from tests.two_encoders import add_vectors, blind_vectors, use

__all__ = ["trained"]


@pytest.fixture
def chosen_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two who start a certification, nobody stores it before both have chosen a pilot."""
    chosen, real = threading.Barrier(2), certification.known_rows

    def known_rows(*data: Any) -> Any:
        found = real(*data)
        chosen.wait()
        return found

    monkeypatch.setattr(certification, "known_rows", known_rows)


@pytest.mark.usefixtures("chosen_together")
@pytest.mark.parametrize(
    ("targets", "words"),
    [((0.6, 0.6), "is already being certified for 60% precision"), ((0.6, 0.7), "have been queried in the meantime")],
)
def test_of_two_certifications_that_start_at_once_one_is_stored_with_its_risk_and_the_other_refused(
    trained: Workspace, watercolor: Attribute, targets: tuple[float, float], words: str
) -> None:
    def start(target: float) -> Any:
        return certification.start(trained, watercolor, target=target, seed=3)

    found = at_once(*[lambda target=target: start(target) for target in targets])
    (refused,) = [one for one in found if isinstance(one, LearningError)]
    assert words in str(refused)
    (stored,) = certification_store.certifications(trained, watercolor)
    assert stored.risk_share == learning.risk_share(0)
    assert len(stored.pilot) == len(stored.queried)


def test_two_who_go_on_at_once_ask_about_one_batch(trained: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    started = certification.start(trained, watercolor, target=0.9, planned=60, seed=3).certification
    oracle.answer(trained, started.task)
    before = certification.state(trained, started).certification
    extended = at_once(*[lambda: certification.extend(trained, before)] * 3)
    (stored,) = certification_store.certifications(trained, watercolor)
    assert len(stored.batches) == 2
    assert len(np.unique(stored.queried)) == len(stored.queried)
    assert [one.certification.queried.tolist() for one in extended] == [stored.queried.tolist()] * 3


def test_a_certification_rests_while_another_encoder_is_in_use_and_goes_on_where_it_was(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3).certification
    oracle.answer(trained, started.task)
    resting = certification.extend(trained, started).certification
    left = set(resting.queried.tolist()) - set(resting.pilot.tolist())
    assert left
    add_vectors(trained, blind_vectors(trained))
    use(trained, "network")
    rounds.train(trained, watercolor)
    assert certification_store.current(trained, watercolor) is None
    assert waiting_tasks(trained, watercolor, "ada") == [], "nobody is asked for what another model needs"
    assert left <= set(drawn_images.held_out_rows(trained, watercolor).tolist()), "what it has asked about teaches none"
    assert not left & set(querying.query_pool(trained, watercolor).tolist())
    other = certification.start(trained, watercolor, target=0.6, planned=60, seed=3).certification
    assert other.risk_share == learning.risk_share(1), "one risk for both"
    assert not left & set(other.queried.tolist())
    use(trained, "builtin")
    back = certification_store.current(trained, watercolor)
    assert back is not None
    assert (back.id, back.cuts, back.risk_share) == (started.id, resting.cuts, started.risk_share)
    assert [task.rows.tolist() for task in waiting_tasks(trained, watercolor, "ada")] == [back.task.rows.tolist()]
    state = finish(trained, watercolor, oracle)
    assert state.certified is not None
    assert "Both certifications of this attribute together hold with" in state.summary
    assert thresholds.suggest(trained, watercolor, target=0.6).certified


def test_where_nothing_is_positive_any_more_nothing_is_certified_and_it_ends_in_words(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.truth = dict.fromkeys(oracle.truth, False)
    certification.start(trained, watercolor, target=0.9, planned=60, seed=3)
    state = finish(trained, watercolor, oracle)
    assert state.certified is None
    assert "No threshold is certified for 90% precision yet" in state.summary
    assert "is unlikely ever to pass" in state.summary
    assert guidance_of(trained, watercolor).step != "certify"
