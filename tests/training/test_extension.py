"""A promise is extended over images that came later by labels of these alone, and what was promised stands."""

from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.guidance.guidance import guidance_of
from bam_engine.reporting.overview import waiting_tasks
from bam_engine.training import (
    certification,
    certification_population,
    certification_store,
    extension,
    population,
    thresholds,
)
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.delivered import not_covered
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.labelling.team import vote
from tests.training.certifying import trained
from tests.training.test_promises import certified, grow, in_use

__all__ = ["certified", "trained"]


def finish(workspace: Workspace, attribute: Attribute, answer: int) -> CertificationState:
    """Give the same answer to all that an extension asks."""
    for _ in range(100):
        state = extension.extend(workspace, attribute)
        task = state.certification.task
        if state.certified is not None or state.task.complete:
            return state
        vote(workspace, attribute, "oracle", dict.fromkeys(task.rows.tolist(), answer), purpose="certification")
        state = certification.state(workspace, state.certification)
        if state.certified is not None or not state.next_batch:
            return state
    raise AssertionError("the extension did not end")


def test_nothing_is_extended_where_nothing_is_certified_or_nothing_came(
    certified: Workspace, watercolor: Attribute
) -> None:
    with pytest.raises(LearningError, match="nothing to extend"):
        extension.extend(certified, watercolor)
    by_hand = thresholds.measure_at(certified, watercolor, -100.0, target=0.6)
    thresholds.save(certified, watercolor, by_hand)
    with pytest.raises(LearningError, match="no guarantee to extend"):
        extension.extend(certified, watercolor)


def test_an_extension_asks_about_accepted_later_images_alone_and_covers_them_once_it_passes(
    certified: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    before, base = in_use(certified, watercolor), certification_store.current(certified, watercolor)
    later = grow(certified, tmp_path / "late")
    uncovered = set(np.flatnonzero(not_covered(certified, watercolor)).tolist())
    assert uncovered
    started = extension.extend(certified, watercolor)
    asked = started.certification.task.rows.tolist()
    assert set(asked) <= uncovered <= set(later)
    assert started.certification.cuts == (before.value,)
    assert started.certification.risk_share == 0.25, "half of what the certification left"
    current = certification_store.current(certified, watercolor)
    assert current is not None
    assert base is not None
    assert current.id == base.id, "the certification itself goes on"
    assert [task.purpose for task in waiting_tasks(certified, watercolor, "oracle")] == ["certification"]
    state = finish(certified, watercolor, 1)
    assert state.certified == before.value
    assert not not_covered(certified, watercolor).any()
    assert in_use(certified, watercolor).evidence.certified
    vote(certified, watercolor, "oracle", dict.fromkeys(state.certification.queried.tolist(), 0), "certification")
    scores = scores_of(certified, watercolor)
    left = uncovered - set(state.certification.queried.tolist())
    assert set(np.flatnonzero(not_covered(certified, watercolor)).tolist()) == {
        row for row in left if scores[row] >= np.float32(before.value)
    }, "answers that turn take the extension back"


def test_an_extension_that_fails_leaves_the_former_promise_and_the_later_images_outside_it(
    certified: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    before = in_use(certified, watercolor)
    grow(certified, tmp_path / "late")
    uncovered = not_covered(certified, watercolor)
    state = finish(certified, watercolor, 0)
    assert state.certified is None
    after = in_use(certified, watercolor)
    assert (after.value, after.evidence.certified, after.images) == (before.value, True, before.images)
    labelled = np.isin(np.arange(len(uncovered)), state.certification.queried)
    assert np.array_equal(not_covered(certified, watercolor), uncovered & ~labelled), "people have rejected the others"


def test_an_extension_outlives_the_loss_of_its_vectors_and_of_all_its_images(
    certified: Workspace, watercolor: Attribute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = grow(certified, tmp_path / "late")
    started = extension.extend(certified, watercolor).certification
    with monkeypatch.context() as lost:
        scores = scores_of(certified, watercolor)[: later.start]
        lost.setattr(certification_population, "all_scores_of", lambda *_: scores)
        assert certification.state(certified, started).progress is None
    monkeypatch.setattr(
        certification_population, "covered_rows", lambda *_: np.empty(0, np.int64)
    )  # nobody was asked about any
    state = certification.state(certified, started)
    assert state.progress is not None
    assert state.progress.accepted == 0


def test_nobody_is_asked_to_extend_a_promise_that_is_not_in_use(
    certified: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    grow(certified, tmp_path / "late")
    extension.extend(certified, watercolor)
    assert extension.waiting_task(certified, watercolor) is not None
    thresholds.save(certified, watercolor, thresholds.measure_at(certified, watercolor, 0.0, target=0.6))
    assert extension.waiting_task(certified, watercolor) is None
    assert waiting_tasks(certified, watercolor, "oracle") == []


def test_guidance_asks_to_extend_and_is_done_no_sooner(
    certified: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    assert guidance_of(certified, watercolor).step not in ("extend", "label_extension")
    grow(certified, tmp_path / "late")
    uncovered = int(not_covered(certified, watercolor).sum())
    asked = guidance_of(certified, watercolor)
    assert (asked.step, asked.facts is not None and asked.facts.extendable) == ("extend", uncovered)
    assert f"{uncovered} accepted image" in asked.reason
    state = extension.extend(certified, watercolor)
    waiting = guidance_of(certified, watercolor)
    assert waiting.step == "label_extension"
    assert [task.title for task in waiting_tasks(certified, watercolor, "oracle")] == ["Images that came later"]
    assert waiting.labelling is not None
    assert (waiting.labelling.answered, waiting.labelling.total) == (0, len(state.certification.queried))
    finish(certified, watercolor, 1)
    after = guidance_of(certified, watercolor)
    assert after.step not in ("extend", "label_extension")
    assert after.facts is not None
    assert (after.facts.later, after.facts.extendable) == (0, 0)


def test_an_extension_that_cannot_pass_blocks_none_over_what_comes_after_it(
    certified: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    grow(certified, tmp_path / "late")
    failed = finish(certified, watercolor, 0)
    assert not failed.may_pass
    assert guidance_of(certified, watercolor).step not in ("extend", "label_extension")
    again = extension.extend(certified, watercolor)
    assert again.certification.id == failed.certification.id, "nothing has come since"
    grow(certified, tmp_path / "later", first=300)
    assert guidance_of(certified, watercolor).step == "extend"
    other = extension.extend(certified, watercolor).certification
    assert other.id != failed.certification.id
    assert other.since == failed.certification.images
    assert set(other.queried) <= set(range(other.since, len(certified.catalogue)))
    passed = finish(certified, watercolor, 1)
    assert passed.certified is not None
    rows = set(np.flatnonzero(not_covered(certified, watercolor)).tolist())
    assert not rows & set(range(other.since, len(certified.catalogue)))
    covered_before = certification_population.population_rows(certified, failed.certification)
    assert not len(np.intersect1d(population.rows_extended(certified, failed.certification), covered_before))


def test_whether_labels_are_awaited_is_told_without_a_test(
    certified: Workspace, watercolor: Attribute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(certified, tmp_path / "late")
    extension.extend(certified, watercolor)
    thresholds.current_threshold(certified, watercolor)
    monkeypatch.setattr(certification, "state", None)
    waiting = extension.waiting_task(certified, watercolor)
    assert waiting is not None
    assert waiting.purpose == "certification"
