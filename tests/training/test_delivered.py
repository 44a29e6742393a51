"""What is delivered, by the definition in sets, and that everything that says so says the same."""

import csv
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.annotation import Attribute
from bam_engine.api.attribute import AttributeHandle
from bam_engine.audit import audits
from bam_engine.gallery.counts import facet_counts
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.gallery.window import window
from bam_engine.learning import CertificationPlan, certify_precision, is_accepted, is_rejected
from bam_engine.maps import layout_builder
from bam_engine.maps.view_cache import current_view, map_version
from bam_engine.reporting import report
from bam_engine.reporting.export import export, gather
from bam_engine.reporting.image_facts import score_lines
from bam_engine.reporting.overview import overview
from bam_engine.training import thresholds
from bam_engine.training.delivered import (
    ACCEPTED,
    REASONS,
    REJECTED,
    UNDECIDED,
    WITHOUT_AGREEMENT,
    Reason,
    decide,
    delivered_at,
    delivered_of,
)
from bam_engine.training.models import scores_of
from bam_engine.training.top_attributes import attribute_scorers, top_attributes
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import decide as adjudicate
from tests.labelling.team import vote

LABELS = st.lists(
    st.tuples(st.sampled_from([1, 0, -1, WITHOUT_AGREEMENT]), st.sampled_from([-1.0, 0.5, 2.0, float("nan")])),
    max_size=40,
)


@given(LABELS)
def test_delivered_are_the_labelled_yes_and_the_unlabelled_at_the_threshold_without_the_labelled_no(
    images: list[tuple[int, float]],
) -> None:
    reasons = decide([score for _, score in images], 0.5, [label for label, _ in images])
    yes = {row for row, (label, _) in enumerate(images) if label == 1}
    no = {row for row, (label, _) in enumerate(images) if label == 0}
    unlabelled = {row for row, (label, _) in enumerate(images) if label == -1}
    above = {row for row, (_, score) in enumerate(images) if score >= 0.5}
    below = {row for row, (_, score) in enumerate(images) if score < 0.5}
    by = {reason: set(np.flatnonzero(reasons == reason).tolist()) for reason in Reason}
    assert by[Reason.PEOPLE_YES] | by[Reason.CLASSIFIER_YES] == (yes | (unlabelled & above)) - no
    assert by[Reason.PEOPLE_NO] | by[Reason.CLASSIFIER_NO] == no | (unlabelled & below)
    assert (by[Reason.PEOPLE_YES], by[Reason.PEOPLE_NO]) == (yes, no)
    assert by[Reason.NOT_SCORED] == unlabelled - above - below


def test_a_score_at_the_threshold_is_accepted_and_no_score_is_undecided() -> None:
    scores = np.array([0.6, 0.5, 0.4, np.nan], np.float32)
    assert is_accepted(scores, 0.5).tolist() == [True, True, False, False]
    assert is_rejected(scores, 0.5).tolist() == [False, False, True, False]
    assert [Reason(each).name for each in decide(scores, 0.5, np.full(4, -1))] == [
        "CLASSIFIER_YES",
        "CLASSIFIER_YES",
        "CLASSIFIER_NO",
        "NOT_SCORED",
    ]


def test_a_threshold_that_float32_cannot_hold_accepts_the_score_it_was_taken_from() -> None:
    assert is_accepted(np.array([0.9], np.float32), 0.9).all()
    assert is_accepted(np.array([0.9], np.float32).astype(np.float64), 0.9).all()


TRUE = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.sampled_from([-1.0, 0.5, 2.0])), min_size=1, max_size=40
)  # whether it is positive, whether it is labelled, its score


@given(TRUE)
def test_right_answers_never_make_what_is_delivered_less_precise_or_less_complete(
    images: list[tuple[bool, bool, float]],
) -> None:
    """So what is promised of the images at or above a threshold holds for what is delivered."""
    truth, labelled, scores = (np.array(column) for column in zip(*images, strict=True))
    above = scores >= 0.5
    reasons = decide(scores, 0.5, np.where(labelled, truth.astype(int), -1))
    delivered = np.isin(reasons, [Reason.PEOPLE_YES, Reason.CLASSIFIER_YES])
    if above.any() and delivered.any():
        assert truth[delivered].mean() >= truth[above].mean()
    assert (delivered & truth).sum() >= (above & truth).sum()


def test_a_certified_precision_holds_for_what_is_delivered_in_all_but_five_of_a_hundred_cases() -> None:
    """Curves at the edge of the target, labels from before the certification on both sides of the cut."""
    broken, runs = 0, 200
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=3000).astype(np.float32)
        truth = rng.random(3000) < np.clip(0.9 + 0.1 * (scores - 1.4), 0.02, 0.98)
        known = rng.random(3000) < 0.05
        labels = np.where(known, truth.astype(int), -1).astype(np.int8)
        population = np.flatnonzero(~known)
        plan = CertificationPlan((1.2, 0.9, 0.6), target=0.9, confidence=0.95, planned=150)
        order = rng.random(len(population))
        for _ in range(60):
            progress = certify_precision(plan, scores[population], order, labels[population])
            asked = population[progress.to_label]
            if not len(asked) or (labels[population] >= 0).sum() > 400:
                break
            labels[asked] = truth[asked]
        if progress.certified is None:
            continue
        reasons = decide(scores, progress.certified, labels)
        delivered = np.isin(reasons, [Reason.PEOPLE_YES, Reason.CLASSIFIER_YES])
        broken += truth[delivered].mean() < 0.9
    assert broken <= 0.05 * runs


@pytest.fixture
def corrected(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """A threshold between two scores; three images above it are then labelled no, and four below it yes."""
    oracle.play(workspace, watercolor, count=1)
    # At a value that float32 rounds: comparing in another precision would decide otherwise.
    value = float(np.nextafter(np.float64(np.sort(scores_of(workspace, watercolor))[-40]), np.inf))
    thresholds.save(workspace, watercolor, thresholds.measure_at(workspace, watercolor, value, target=0.9))
    found = delivered_of(workspace, watercolor)
    above, below = np.flatnonzero(found.by_classifier), np.flatnonzero(found.reasons == Reason.CLASSIFIER_NO)
    vote(workspace, watercolor, "ada", {int(row): 0 for row in above[:3]})
    vote(workspace, watercolor, "ada", {int(row): 1 for row in below[:4]})
    return workspace


def sets(workspace: Workspace, attribute: Attribute) -> tuple[set[int], set[int]]:
    """Return what is delivered by people and by the classifier: by the definition, from the table of labels."""
    handle = AttributeHandle(workspace, attribute)
    labels, scores = handle.labels()["label"], handle.scores()
    threshold = thresholds.current_threshold(workspace, attribute)
    assert threshold is not None
    yes = set(labels.index[labels == "yes"])
    no = set(labels.index[labels == "no"])
    above = set(scores.index[scores >= np.float32(threshold.value)])
    return yes, above - yes - no


def test_everything_that_says_what_is_delivered_says_the_same(
    corrected: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    by_people, by_classifier = sets(corrected, watercolor)
    wanted, n = by_people | by_classifier, len(corrected.catalogue)
    assert by_people
    assert by_classifier
    found = delivered_of(corrected, watercolor)
    assert set(np.flatnonzero(found.accepted)) == wanted
    assert (found.counts.by_people, found.counts.by_classifier) == (len(by_people), len(by_classifier))
    assert found.counts.accepted + found.counts.rejected == n

    name, listing = watercolor.name, list_images(corrected, Query(attribute=watercolor.name, place="accepted"))
    assert set(listing.rows.tolist()) == wanted
    everything = list_images(corrected, Query(attribute=name))
    shown = window(corrected, everything, 0)
    assert {row for row, accepted in zip(shown.rows, shown.accepted, strict=True) if accepted} == wanted
    assert facet_counts(corrected, Query(attribute=name), ["place"])["place"]["accepted"] == len(wanted)
    rejected = set(list_images(corrected, Query(no=(name,))).rows.tolist())
    assert rejected == set(range(n)) - wanted

    record = layout_builder.build(corrected, method="pca")
    view = current_view(corrected, record.id, fresh=True)
    swatches = {one["label"]: one["count"] for one in view.legend(f"accepted-{name}")["swatches"]}  # type: ignore[attr-defined]
    assert (swatches["accepted"], swatches["rejected"]) == (len(wanted), n - len(wanted))
    (scorer,) = attribute_scorers(corrected)
    assert {row for row in range(n) if top_attributes([scorer], row)[0]["accepted"]} == wanted

    (line,) = overview(corrected).attributes
    assert line.delivered == found.counts
    assert report.gather(corrected, watercolor).delivered == found.counts

    exported = gather(corrected).attributes[0]
    assert {row for row, word in enumerate(exported.automatic) if word == "positive"} == wanted
    assert {row for row in wanted if exported.why[row] == "by people"} == by_people
    assert {row for row in wanted if exported.why[row] == "by the classifier"} == by_classifier
    export(corrected, tmp_path / "set.sqlite", form="sqlite")
    query = (
        f"select mid from automatic_labels join label_reasons using (mid) where automatic_labels.{name} = 'positive'"
    )
    ids = {image.id: row for row, image in enumerate(gather(corrected).images)}
    with sqlite3.connect(tmp_path / "set.sqlite") as written:
        assert {ids[mid] for (mid,) in written.execute(query)} == wanted
        people = f"{query} and label_reasons.{name} = 'by people'"
        assert {ids[mid] for (mid,) in written.execute(people)} == by_people
    export(corrected, tmp_path / "set", form="csv")
    with (tmp_path / "set" / "images.csv").open(encoding="utf-8") as file:
        lines = [each for each in csv.DictReader(file) if each[f"{name}_label"] == "positive"]
    assert {ids[int(each["id"])] for each in lines} == wanted
    assert {ids[int(each["id"])] for each in lines if each[f"{name}_why"] == "by people"} == by_people

    table = AttributeHandle(corrected, watercolor).decisions()
    assert set(table.index[table["decision"] == "accepted"]) == wanted
    assert set(table.index[table["reason"] == REASONS[Reason.CLASSIFIER_YES]]) == by_classifier
    for row in range(n):
        (facts,) = score_lines(corrected, row)
        assert (facts.decision == "accepted") == (row in wanted)
        assert found.why(row, facts.score).startswith("Accepted" if row in wanted else "Rejected")

    drawn = audits.draw(corrected, watercolor, n_accepted=100, n_rejected=0, seed=1)
    assert set(drawn.task.rows.tolist()) <= by_classifier, "what people have labelled is known"


def test_a_label_reaches_the_delivered_set_at_once_and_leaves_it_when_it_is_withdrawn(
    corrected: Workspace, watercolor: Attribute
) -> None:
    layout = layout_builder.build(corrected, method="pca").id
    before, version = delivered_of(corrected, watercolor), map_version(corrected, layout)
    row = int(np.flatnonzero(before.by_classifier)[0])
    vote(corrected, watercolor, "ada", {row: 0})
    assert Reason(delivered_of(corrected, watercolor).reasons[row]) is Reason.PEOPLE_NO
    assert map_version(corrected, layout) != version
    vote(corrected, watercolor, "ada", {row: -2})
    assert delivered_of(corrected, watercolor).version == before.version


def test_images_without_agreement_are_undecided_until_somebody_settles_them(
    corrected: Workspace, watercolor: Attribute
) -> None:
    unsure, disputed = np.flatnonzero(delivered_of(corrected, watercolor).by_classifier)[:2].tolist()
    vote(corrected, watercolor, "ada", {unsure: -1, disputed: 1})
    vote(corrected, watercolor, "ben", {disputed: 0})
    found = delivered_of(corrected, watercolor)
    assert found.outcomes[[unsure, disputed]].tolist() == [UNDECIDED, UNDECIDED]
    assert found.counts.unsure == 2
    exported = gather(corrected).attributes[0]
    assert {exported.automatic[row] for row in (unsure, disputed)} == {"unsure"}
    adjudicate(corrected, watercolor, "eve", {disputed: 1})
    assert delivered_of(corrected, watercolor).outcomes[disputed] == ACCEPTED


def test_one_of_two_required_answers_is_no_label(corrected: Workspace, watercolor: Attribute) -> None:
    row = int(np.flatnonzero(delivered_of(corrected, watercolor).by_classifier)[0])
    corrected.redundancy = 2
    vote(corrected, watercolor, "ada", {row: 0})
    assert delivered_of(corrected, watercolor).by_classifier[row]
    vote(corrected, watercolor, "ben", {row: 0})
    assert delivered_of(corrected, watercolor).outcomes[row] == REJECTED


def test_a_removed_image_is_not_delivered_whatever_was_said_of_it(corrected: Workspace, watercolor: Attribute) -> None:
    found = delivered_of(corrected, watercolor)
    rows = [int(np.flatnonzero(found.reasons == reason)[0]) for reason in (Reason.PEOPLE_YES, Reason.CLASSIFIER_YES)]
    corrected.removals.remove(rows, reason="a test")
    left = delivered_of(corrected, watercolor)
    assert {Reason(reason) for reason in left.reasons[rows]} == {Reason.REMOVED}
    assert left.counts.accepted == found.counts.accepted - 2
    corrected.removals.bring_back(rows)
    assert delivered_of(corrected, watercolor).version == found.version


def test_without_a_threshold_people_alone_deliver(workspace: Workspace, watercolor: Attribute) -> None:
    assert delivered_of(workspace, watercolor).counts.accepted == 0
    vote(workspace, watercolor, "ada", {3: 1, 5: 0})
    found = delivered_of(workspace, watercolor)
    assert np.flatnonzero(found.accepted).tolist() == [3]
    exported = gather(workspace).attributes[0]
    assert (exported.automatic[3], exported.automatic[5], exported.automatic[7]) == ("positive", "negative", None)
    assert (exported.why[3], exported.why[7]) == ("by people", None)


def test_another_threshold_decides_only_what_people_have_not_labelled(
    corrected: Workspace, watercolor: Attribute
) -> None:
    everything, nothing = (delivered_at(corrected, watercolor, value) for value in (-1e9, 1e9))
    assert everything.counts.by_people == nothing.counts.by_people == nothing.counts.accepted
    assert everything.counts.rejected == nothing.counts.rejected_by_people
