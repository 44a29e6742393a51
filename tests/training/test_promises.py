"""A promise is about the images of its time, is tested again when answers change, and is taken back in words."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import UNSURE, Attribute
from bam_engine.api.attribute import AttributeHandle
from bam_engine.audit import audits
from bam_engine.collection import ingest_folder
from bam_engine.errors import AuditError
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.labelling import tasks
from bam_engine.reporting.export import gather
from bam_engine.reporting.overview import overview
from bam_engine.training import (
    certification,
    certification_population,
    certification_store,
    certified_cuts,
    growth,
    rounds,
    thresholds,
    validation,
)
from bam_engine.training.delivered import NOT_COVERED, counts_of, delivered_of, not_covered
from bam_engine.training.evaluation_set import gather_evidence
from bam_engine.training.models import rescore_all, scores_of
from bam_engine.training.thresholds import AttributeThreshold
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection
from tests.conftest import Oracle
from tests.drawn_pictures import KINDS
from tests.labelling.team import vote
from tests.training.certifying import save_certified, trained
from tests.two_encoders import DESCRIPTORS, add_vectors, blind_vectors, use

__all__ = ["trained"]


def in_use(workspace: Workspace, attribute: Attribute) -> AttributeThreshold:
    threshold = thresholds.current_threshold(workspace, attribute)
    assert threshold is not None
    return threshold


def grow(workspace: Workspace, folder: Path, *, first: int = 200) -> range:
    """Add twelve pictures to the collection, embed and score them; return their rows."""
    before = len(workspace.catalogue)
    folder.mkdir()
    for number in range(first, first + 12):
        _, picture = KINDS["usda_pomological"](number)
        picture.save(folder / f"late-{number}.png")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    embed_collection(workspace)
    rescore_all(workspace)
    return range(before, len(workspace.catalogue))


@pytest.fixture
def certified(trained: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """The loosest threshold that a certification certifies for 60% is saved."""
    saved = save_certified(trained, watercolor, oracle)
    assert saved.evidence.certified
    assert saved.evidence.covers is not None
    return trained


def test_a_certified_promise_is_taken_back_when_its_answers_turn_and_holds_again_when_they_turn_back(
    certified: Workspace, watercolor: Attribute
) -> None:
    before = in_use(certified, watercolor)
    found = certification_store.current(certified, watercolor)
    assert found is not None
    yes = [int(row) for row in found.task.rows if delivered_of(certified, watercolor).labels[row] == 1]
    vote(certified, watercolor, "oracle", dict.fromkeys(yes, 0))
    turned = in_use(certified, watercolor)
    assert not turned.evidence.certified
    assert "Certified for 60% when it was saved, and not any more" in turned.taken_back
    assert turned.summary.startswith(turned.taken_back)
    assert turned.value == before.value
    assert turned.taken_back in gather(certified).attributes[0].decision.evidence
    vote(certified, watercolor, "oracle", dict.fromkeys(yes, 1))
    assert in_use(certified, watercolor) == before


def test_a_promise_counts_the_images_that_are_left_after_others_were_removed(
    certified: Workspace, watercolor: Attribute
) -> None:
    started = certification_store.current(certified, watercolor)
    assert started is not None
    strictest = float(certified_cuts.cuts_of(certification.state(certified, started))[0])
    thresholds.save(certified, watercolor, thresholds.measure_at(certified, watercolor, strictest, target=0.6))
    before = in_use(certified, watercolor)
    rows, scores = certification_population.population_of(certified, started)
    accepted = rows[scores >= before.value]
    labels = delivered_of(certified, watercolor).labels
    right = [int(row) for row in accepted if labels[row] == 1]
    known = [int(row) for row in started.counted if labels[row] == 1]
    covers, positives = before.evidence.covers, before.evidence.known_positives
    assert (covers, positives) == (len(accepted), len(known))
    assert len(right) > 1
    removal = certified.removals.remove([right[0], known[0], known[1]], reason="a test")
    after = in_use(certified, watercolor)
    assert after.evidence.certified
    assert (after.evidence.covers, after.evidence.known_positives) == (len(accepted) - 1, len(known) - 2)
    assert f"among {len(accepted) - 1} accepted images" in after.summary
    assert f"and {len(known) - 2} images labelled yes before" in after.summary
    certified.removals.undo(removal.id)
    assert in_use(certified, watercolor) == before


def test_a_promise_of_which_no_image_is_left_says_so_of_none(certified: Workspace, watercolor: Attribute) -> None:
    certified.removals.remove(list(range(len(certified.catalogue))), reason="a test")
    evidence = in_use(certified, watercolor).evidence
    assert not evidence.covers
    assert not evidence.known_positives


def test_a_promise_of_the_validation_sample_is_tested_again_too(played: Workspace, watercolor: Attribute) -> None:
    saved = thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.5))
    assert saved.evidence.certified
    assert saved.evidence.covers is None
    assert in_use(played, watercolor) == saved
    sample = validation.random_sample(played, watercolor)
    accepted = sample.rows[(sample.scores >= np.float32(saved.value)) & (sample.labels == 1)]
    vote(played, watercolor, "oracle", dict.fromkeys(accepted.tolist(), 0))
    assert in_use(played, watercolor).taken_back


def test_a_promise_that_passed_without_unsure_answers_is_taken_back_for_that_reason(
    played: Workspace, watercolor: Attribute
) -> None:
    passed = thresholds.suggest(played, watercolor, target=0.5)
    sample = validation.random_sample(played, watercolor)
    accepted = sample.rows[(sample.scores >= np.float32(passed.value)) & (sample.labels == 1)]
    vote(played, watercolor, "oracle", dict.fromkeys(accepted.tolist(), UNSURE))
    saved = thresholds.save(played, watercolor, passed)  # as a version that left unsure answers out has saved it
    assert not saved.evidence.certified
    assert "does not pass its test" in saved.taken_back
    assert "unsure counts as not positive" in saved.taken_back
    assert "changed" not in saved.taken_back, "nothing has changed since"


def test_the_evidence_of_a_saved_threshold_is_that_of_all_labels_of_now(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    saved = thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.5)).evidence
    validation.draw_validation(played, watercolor, 20, seed=2)
    oracle.answer(played, tasks.validation_task(played, watercolor))
    found = in_use(played, watercolor).evidence
    assert found.n > saved.n
    assert found.certified
    measured = thresholds.measure_at(played, watercolor, saved.value, target=0.5)
    assert found == replace(measured, certified=True)


def test_images_that_came_later_are_not_covered_and_everything_says_so(
    certified: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    assert counts_of(certified, watercolor).not_covered == 0
    later = grow(certified, tmp_path / "late")
    assert in_use(certified, watercolor).images == later.start
    found = delivered_of(certified, watercolor)
    wanted = {row for row in later if found.by_classifier[row]}
    assert wanted, "some of the look-alikes are accepted"
    assert set(np.flatnonzero(not_covered(certified, watercolor))) == wanted
    (line,) = overview(certified).attributes
    assert line.delivered is not None
    assert line.delivered.not_covered == len(wanted)
    assert f"{len(wanted)} of them not covered" in line.delivered.words
    listing = list_images(certified, Query(attribute=watercolor.name, place="uncovered"))
    assert set(listing.rows.tolist()) == wanted
    why = gather(certified).attributes[0].why
    assert {row for row, words in enumerate(why) if words == NOT_COVERED} == wanted
    table = AttributeHandle(certified, watercolor).decisions()
    assert set(table.index[~table["covered"]]) == wanted
    row = min(wanted)
    vote(certified, watercolor, "ada", {row: 1})
    assert set(np.flatnonzero(not_covered(certified, watercolor))) == wanted - {row}, "people have said so"


def test_what_a_certification_left_out_is_not_covered_either(certified: Workspace, watercolor: Attribute) -> None:
    found = certification_store.current(certified, watercolor)
    assert found is not None
    outside = set(found.known.tolist())
    delivered = set(np.flatnonzero(delivered_of(certified, watercolor).by_classifier).tolist())
    assert set(np.flatnonzero(not_covered(certified, watercolor))) == delivered & outside


def test_a_threshold_of_an_earlier_version_tells_by_the_dates_of_the_images(
    certified: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    with certified.engine.begin() as connection:
        connection.execute(sa.update(db.thresholds).values(images=None))
        connection.execute(sa.update(db.certifications).values(images=None))
    later = grow(certified, tmp_path / "late")
    assert in_use(certified, watercolor).images == later.start
    assert growth.images_at(certified, db.now()) == later.stop


@pytest.fixture
def decided(trained: Workspace, watercolor: Attribute) -> Workspace:
    """A threshold set by hand, above which most images have no label."""
    value = float(np.sort(scores_of(trained, watercolor))[-50])
    thresholds.save(trained, watercolor, thresholds.measure_at(trained, watercolor, value, target=0.6))
    return trained


def test_an_audit_is_about_the_images_of_its_time(
    decided: Workspace, watercolor: Attribute, oracle: Oracle, tmp_path: Path
) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=2, n_rejected=2, seed=1)
    assert drawn.later == 0
    grow(decided, tmp_path / "late")
    found = audits.latest_result(decided, watercolor)
    assert found is not None
    assert found.later == counts_of(decided, watercolor).not_covered > 0
    assert "came later: it is not about them." in found.population


def test_an_audit_counts_what_people_had_labelled_as_known(
    decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    known = delivered_of(decided, watercolor).counts.by_people
    drawn = audits.draw(decided, watercolor, n_accepted=3, n_rejected=2, seed=1)
    oracle.answer(decided, drawn.task)
    found = audits.latest_result(decided, watercolor)
    assert found is not None
    assert found.by_people == known, "what the audit itself has labelled is not among it"
    verdict = found.verdict
    assert verdict is not None
    assert found.precision is not None
    n, p = found.n_accepted, found.precision
    assert verdict.delivered == tuple((known + n * each) / (known + n) for each in (p.value, p.low, p.high))


def test_where_people_have_labelled_all_that_is_delivered_nothing_is_left_to_doubt(
    decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    assert audits.nothing_to_doubt(decided, watercolor) == ""
    left = np.flatnonzero(delivered_of(decided, watercolor).by_classifier).tolist()
    vote(decided, watercolor, "ada", {row: int(oracle.knows(decided, row)) for row in left})
    counts = counts_of(decided, watercolor)
    assert counts.by_classifier == counts.not_covered == 0
    assert f"all {counts.by_people} images" in audits.nothing_to_doubt(decided, watercolor)
    with pytest.raises(AuditError, match="nothing is left to audit"):
        audits.draw(decided, watercolor, seed=1)


def test_what_is_measured_is_about_the_images_of_the_draw_until_a_later_one_is_labelled(
    trained: Workspace, watercolor: Attribute, oracle: Oracle, tmp_path: Path
) -> None:
    before = thresholds.measure_at(trained, watercolor, 0.0, target=0.6)
    later = grow(trained, tmp_path / "late")
    grown = thresholds.measure_at(trained, watercolor, 0.0, target=0.6)
    assert grown == before
    assert in_use(trained, watercolor).images == later.start
    oracle.truth = {**oracle.truth, **{trained.catalogue.image(row).uri: False for row in later}}
    validation.draw_validation(trained, watercolor, 20, seed=4)
    assert thresholds.measure_at(trained, watercolor, 0.0, target=0.6) == before, "nobody has labelled it"
    oracle.answer(trained, tasks.validation_task(trained, watercolor))
    found = gather_evidence(trained, watercolor)
    assert found.images == in_use(trained, watercolor).images == later.stop
    assert len(found.random.scores) == len(found.sample.rows) == 20


def test_a_cut_set_by_hand_that_accepts_the_same_images_keeps_the_promise_when_it_is_saved(
    certified: Workspace, watercolor: Attribute
) -> None:
    started = certification_store.current(certified, watercolor)
    assert started is not None
    loosest = certification.state(certified, started).certified
    assert loosest is not None
    by_hand = thresholds.measure_at(certified, watercolor, loosest - 1e-4, target=0.6)
    assert by_hand.certified
    saved = thresholds.save(certified, watercolor, by_hand)
    assert saved.evidence.certified
    assert not saved.taken_back


def test_the_evidence_follows_the_scores_by_the_model_of_a_certification(
    certified: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    add_vectors(certified, blind_vectors(certified))
    use(certified, "network")
    rounds.train(certified, watercolor)
    thresholds.save(certified, watercolor, thresholds.measure_at(certified, watercolor, 0.0, target=0.6))
    before = in_use(certified, watercolor).evidence
    shutil.rmtree(certified.cache / "vectors" / DESCRIPTORS)
    stale = Workspace(certified.folder, certified.cache.parent)
    wanted = in_use(stale, watercolor).evidence
    assert wanted.n < before.n, "nobody knows how likely the certification was to ask about an image"
    assert in_use(certified, watercolor).evidence == wanted
    stale.close()
