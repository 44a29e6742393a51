"""What changed between two moments: images by their bytes, labels, decisions, and what is delivered."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bam_engine.annotation import NEGATIVE, POSITIVE, Attribute
from bam_engine.collection import ingest_folder
from bam_engine.freezing import moments, snapshots
from bam_engine.freezing.contents import LABELS, AttributeContents, Contents, Facts
from bam_engine.freezing.differences import FactChange, compare, summary
from bam_engine.labelling import direct_answers, tasks
from bam_engine.training import thresholds
from bam_engine.training.delivered import Reason, delivered_of
from bam_engine.workspace import Workspace

FACTS = Facts(1, "2026", "kite", "Is there a kite?", "")
YES, NO, BY_SCORE = Reason.PEOPLE_YES, Reason.PEOPLE_NO, Reason.CLASSIFIER_YES


def contents(reasons: dict[int, Reason], *, gone: tuple[int, ...] = (), facts: Facts = FACTS) -> Contents:
    """Return a dataset of images with these numbers for bytes, in this order."""
    numbers = np.array(list(reasons), np.uint64)
    members = ~np.isin(numbers, gone)
    values = np.where(members, list(reasons.values()), Reason.REMOVED).astype(np.uint8)
    return Contents(np.column_stack([numbers, numbers]), members, (AttributeContents(facts, values),))


def test_a_renumbered_image_is_the_same_and_its_label_is_compared_with_its_own() -> None:
    before = contents({10: YES, 20: NO, 30: BY_SCORE})
    assert not compare(before, contents({30: BY_SCORE, 10: YES, 20: NO}))
    changed = compare(before, contents({30: BY_SCORE, 10: NO, 20: NO}))
    (kite,) = changed.attributes
    assert (kite.relabelled.before.tolist(), kite.relabelled.after.tolist()) == ([0], [1])
    assert kite.transitions == [("yes", "no", 1)]
    assert (len(changed.images_in), len(changed.images_out)) == (0, 0)


def test_images_that_enter_and_leave_are_no_changed_labels() -> None:
    changed = compare(contents({10: YES, 20: YES, 30: YES}, gone=(30,)), contents({10: YES, 40: NO, 30: YES, 50: YES}))
    assert changed.images_out.before.tolist() == [1]
    assert sorted(changed.images_in.after.tolist()) == [1, 2, 3]  # a removed image that came back is among them
    (kite,) = changed.attributes
    assert (len(kite.relabelled), kite.delivered_before, kite.delivered_after) == (0, 2, 3)
    assert sorted(kite.delivered_in.after.tolist()) == [2, 3]
    assert kite.delivered_out.before.tolist() == [1]
    assert summary(changed) == "3 images in, 1 out; 2 delivered that were not, 1 not any more."


def test_an_attribute_is_the_same_under_another_name_and_another_one_under_the_same() -> None:
    before = contents({10: YES})
    renamed = compare(before, contents({10: YES}, facts=replace(FACTS, name="dragon")))
    (kite,) = renamed.attributes
    assert kite.facts == [FactChange("name", "kite", "dragon")]
    other = compare(before, contents({10: YES}, facts=replace(FACTS, made_at="2027")))
    assert (other.attributes, [one.made_at for one in other.attributes_in]) == ((), ["2027"])
    assert [one.made_at for one in other.attributes_out] == ["2026"]


def test_a_guarantee_that_is_lost_is_told_from_one_that_changed() -> None:
    promised = replace(
        FACTS, threshold=1.0, saved=True, promise="Precision is at least 90%.", guaranteed=(0.9, 0.0, 0.95)
    )
    stricter = replace(promised, promise="Precision is at least 95%.", guaranteed=(0.95, 0.0, 0.95))
    lost = replace(promised, promise="", guaranteed=(0.0, 0.0, 0.0), taken_back="Not any more.")
    (one,) = compare(contents({10: YES}, facts=promised), contents({10: YES}, facts=stricter)).attributes
    assert not one.broken
    (one,) = compare(contents({10: YES}, facts=stricter), contents({10: YES}, facts=promised)).attributes
    assert one.broken  # the earlier guarantee does not follow from a weaker one
    of_recall = replace(promised, promise="At least 90% of all are found.", guaranteed=(0.0, 0.9, 0.95))
    (one,) = compare(contents({10: YES}, facts=promised), contents({10: YES}, facts=of_recall)).attributes
    assert one.broken
    unknown = replace(stricter, guaranteed=None)  # a snapshot of an earlier version
    (one,) = compare(contents({10: YES}, facts=unknown), contents({10: YES}, facts=promised)).attributes
    assert not one.broken
    difference = compare(contents({10: YES}, facts=promised), contents({10: YES}, facts=lost))
    (one,) = difference.attributes
    assert one.broken
    assert one.facts == [FactChange("guarantee", "Precision is at least 90%.", "Not any more.")]
    assert summary(difference) == "0 images in, 0 out; 1 guarantee no longer holds."
    (won,) = compare(contents({10: YES}, facts=lost), contents({10: YES}, facts=promised)).attributes
    assert not won.broken


def test_other_required_votes_and_attributes_with_their_guarantees_are_in_the_summary() -> None:
    promised = replace(FACTS, threshold=1.0, saved=True, promise="Precision is at least 90%.")
    before = contents({10: YES}, facts=promised)
    gone = compare(before, replace(before, attributes=()))
    assert summary(gone) == "0 images in, 0 out; 1 attribute out; 1 guarantee no longer holds."
    assert summary(compare(replace(before, attributes=()), before)) == "0 images in, 0 out; 1 attribute in."
    stricter = compare(before, replace(before, votes=(2, 3)))
    assert stricter
    assert summary(stricter) == ("0 images in, 0 out; required votes 1 → 2; required votes of samples 1 → 3.")


DATASETS = st.dictionaries(st.integers(1, 12), st.sampled_from(list(Reason))).flatmap(
    lambda of: st.permutations(list(of)).map(lambda order: {number: of[number] for number in order})
)


@given(DATASETS, DATASETS)
def test_differences_are_those_of_the_sets_of_images(old: dict[int, Reason], new: dict[int, Reason]) -> None:
    def in_collection(of: dict[int, Reason]) -> set[int]:
        return {number for number, reason in of.items() if reason != Reason.REMOVED}

    def delivered(of: dict[int, Reason]) -> set[int]:
        return {number for number, reason in of.items() if reason in (YES, BY_SCORE)}

    def label(reason: Reason) -> int:
        return {YES: 1, NO: 2, Reason.PEOPLE_UNSURE: 3}.get(reason, 0)

    sides = [contents(of, gone=tuple(set(of) - in_collection(of))) for of in (old, new)]
    found = compare(*sides)
    order = list(old), list(new)
    assert {order[1][row] for row in found.images_in.after} == in_collection(new) - in_collection(old)
    assert {order[0][row] for row in found.images_out.before} == in_collection(old) - in_collection(new)
    both = in_collection(old) & in_collection(new)
    relabelled = {number for number in both if label(old[number]) != label(new[number])}
    if not found.attributes:
        assert (relabelled, delivered(old)) == (set(), delivered(new))
        return
    (kite,) = found.attributes
    assert {order[0][row] for row in kite.relabelled.before} == relabelled
    assert {order[1][row] for row in kite.delivered_in.after} == delivered(new) - delivered(old)
    assert {order[0][row] for row in kite.delivered_out.before} == delivered(old) - delivered(new)
    assert (kite.delivered_before, kite.delivered_after) == (len(delivered(old)), len(delivered(new)))
    assert sum(number for *_, number in kite.transitions) == len(relabelled)


def test_nothing_has_changed_where_files_were_moved_and_renamed(pictures: tuple[Workspace, Path]) -> None:
    workspace, folder = pictures
    snapshots.create(workspace, "paper")
    shutil.move(folder, folder.with_name("elsewhere"))
    for number in range(3):
        (folder.with_name("elsewhere") / f"{number}.png").rename(folder.with_name("elsewhere") / f"{9 - number}.png")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder.with_name("elsewhere"))
    with moments.comparison(workspace, "paper") as compared:
        assert summary(compared.difference) == "Nothing has changed."


def test_what_entered_and_left_is_named_by_its_path(pictures: tuple[Workspace, Path]) -> None:
    workspace, folder = pictures
    snapshots.create(workspace, "paper")
    workspace.removals.remove([1], reason="a test")
    Image.new("RGB", (8, 8), "white").save(folder / "new.png")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    with moments.comparison(workspace, "paper") as compared:
        images = moments.document(compared)["images"]
    assert [Path(one["path"]).name for one in images["in"]] == ["new.png"]
    assert [Path(one["path"]).name for one in images["out"]] == ["1.png"]
    assert (images["before"], images["after"]) == (3, 3)
    with moments.comparison(workspace, "paper", "paper") as compared:
        assert not compared.difference


def test_corrected_labels_and_another_threshold_are_found(decided: Workspace, watercolor: Attribute) -> None:
    snapshots.create(decided, "paper")
    before = delivered_of(decided, watercolor)
    agreed = tasks.labels(decided, watercolor)
    row = int(agreed.rows[agreed.settled & (agreed.labels == POSITIVE)][0])
    direct_answers.answer(decided, watercolor, row, NEGATIVE, annotator="ada")
    strict = thresholds.measure_at(decided, watercolor, 50.0, target=0.6)
    thresholds.save(decided, watercolor, strict)
    after = delivered_of(decided, watercolor)
    with moments.comparison(decided, "paper") as compared:
        (changed,) = compared.difference.attributes
        found = moments.document(compared)
    json.dumps(found)
    assert (changed.relabelled.before.tolist(), changed.relabelled.after.tolist()) == ([row], [row])
    assert changed.transitions == [("yes", "no", 1)]
    assert changed.delivered_out.before.tolist() == np.flatnonzero(before.accepted & ~after.accepted).tolist()
    assert len(changed.delivered_in) == 0
    assert "threshold" in [one.what for one in changed.facts]
    (listed,) = found["attributes"]
    (label,) = listed["labels"]
    assert (label["path"], label["before"], label["after"]) == (decided.catalogue.image(row).uri, "yes", "no")
    assert label["before"] in LABELS
