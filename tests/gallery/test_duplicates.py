"""Groups of duplicates: as defined, ranked by the rule, dropped without losing what people said, and kept."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import NEGATIVE, POSITIVE, Attribute
from bam_engine.collection import NewImage
from bam_engine.collection.records import Place
from bam_engine.errors import CollectionError, NotFound
from bam_engine.gallery import duplicates, kept_duplicates, near_duplicates
from bam_engine.gallery.duplicate_facts import describe
from bam_engine.labelling import bulk, direct_answers
from bam_engine.labelling.label_states import label_version, states
from bam_engine.learning.duplicate_filter import squared_limit
from bam_engine.training import validation
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import count_images, members
from bam_engine.workspace.vectors import vectors_of


@pytest.fixture
def copied(workspace: Workspace, without_pictures: None) -> Workspace:
    """Rows 40 to 42 have the vector of row 3, row 50 that of row 9, and row 60 nearly that of row 9."""
    vectors = vectors_of(workspace).copy()
    near = np.asarray(vectors[9], np.float32)
    near[0] += np.sqrt(squared_limit(vectors, np.arange(120))) / 2
    workspace.vectors().replace([40, 41, 42, 50, 60], [*vectors[[3, 3, 3, 9]], near.astype(np.float16)])
    near_duplicates.find_groups(workspace)
    return workspace


def groups_of(workspace: Workspace, level: duplicates.Level) -> list[list[int]]:
    groups = duplicates.duplicate_groups(workspace, level).only("open")
    return [sorted(groups[place].tolist()) for place in range(len(groups))]


def group_with(workspace: Workspace, row: int, level: duplicates.Level = "exact") -> np.ndarray:
    groups = duplicates.duplicate_groups(workspace, level)
    return next(groups[place] for place in range(len(groups)) if row in groups[place])


def test_exact_groups_are_all_images_with_one_vector(copied: Workspace) -> None:
    copied.removals.remove([41], reason="a test")
    by_vector = defaultdict(list)
    for row, vector in enumerate(vectors_of(copied)):
        if members(copied)[row] and np.any(vector):
            by_vector[vector.tobytes()].append(row)
    expected = sorted(rows for rows in by_vector.values() if len(rows) > 1)
    assert [3, 40, 42] in expected
    assert groups_of(copied, "exact") == expected


def test_near_groups_are_those_of_the_search_with_their_largest_distance(copied: Workspace) -> None:
    vectors = np.asarray(vectors_of(copied), np.float32)
    representative = near_duplicates.group_of(copied)
    found = duplicates.duplicate_groups(copied, "near")
    expected = [np.flatnonzero(representative == row).tolist() for row in np.unique(representative)]
    assert [sorted(found[place].tolist()) for place in range(len(found))] == [
        rows for rows in expected if len(rows) > 1
    ]
    limit = squared_limit(vectors_of(copied), np.arange(120))
    for place, distance in enumerate(found.distances):
        rows = found[place]
        apart = ((vectors[rows] - vectors[representative[rows]]) ** 2).sum(axis=1).max()
        assert distance == pytest.approx(apart / limit, abs=2e-3)
    assert 60 in group_with(copied, 9, "near")
    assert 60 not in group_with(copied, 9, "exact")


def test_before_the_search_and_without_duplicates_there_is_nothing(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="Search for them first"):
        duplicates.duplicate_groups(workspace, "near")
    near_duplicates.find_groups(workspace)
    workspace.removals.remove(range(119), reason="a test")
    groups = duplicates.duplicate_groups(workspace, "near")
    assert (len(groups), groups.extra) == (0, 0)
    assert len(groups.only("disagreeing").ordered("size")) == len(duplicates.ranked(workspace, groups)) == 0
    with pytest.raises(CollectionError, match="no groups"):
        duplicates.keep_suggested(workspace, groups)


def test_groups_are_taken_ordered_and_counted() -> None:
    groups = duplicates.DuplicateGroups(
        np.array([1, 5, 2, 3, 4, 6, 7, 8, 9]),
        np.array([0, 2, 5, 7, 9]),
        np.array([0.5, 0.9, 0, 0], np.float32),
        np.array([False, False, False, True]),
        np.array([False, False, True, False]),
    )
    assert (len(groups), groups.sizes.tolist(), groups.extra) == (4, [2, 3, 2, 2], 5)
    assert groups.take(np.array([1, 0])).rows.tolist() == [2, 3, 4, 1, 5]
    assert [groups.ordered("size")[place][0] for place in range(4)] == [8, 2, 1, 6], "disagreeing first, then size"
    assert [groups.ordered("similarity")[place][0] for place in range(4)] == [8, 6, 1, 2]
    assert groups.only("open").rows.tolist() == [1, 5, 2, 3, 4, 8, 9]
    assert groups.only("disagreeing").rows.tolist() == [8, 9]
    assert groups.only("kept").rows.tolist() == [6, 7]


def test_labels_disagree_where_one_image_is_yes_and_another_no(copied: Workspace, watercolor: Attribute) -> None:
    def disagreeing() -> list[list[int]]:
        groups = duplicates.duplicate_groups(copied, "exact").only("disagreeing")
        return [groups[place].tolist() for place in range(len(groups))]

    direct_answers.answer(copied, watercolor, 3, POSITIVE, annotator="ada")
    bulk.answer(copied, watercolor, np.array([40]), NEGATIVE, annotator="ada")
    other = copied.attributes.add("is_dark", "own", "Is it dark?")
    direct_answers.answer(copied, other, 41, NEGATIVE, annotator="ada")
    assert disagreeing() == [], "a bulk answer is no label, and another attribute another question"
    direct_answers.answer(copied, watercolor, 42, NEGATIVE, annotator="ada")
    assert disagreeing() == [[3, 40, 41, 42]]
    (group,) = describe(copied, duplicates.duplicate_groups(copied, "exact").only("disagreeing"), most=9)
    assert group.disagreeing == (watercolor.name,)
    direct_answers.answer(copied, watercolor, 42, POSITIVE, annotator="ada")
    assert disagreeing() == []


def test_the_suggested_image_has_a_file_then_most_labels_then_most_pixels_then_the_first_path(
    copied: Workspace, watercolor: Attribute
) -> None:
    def first(rows: list[int]) -> tuple[int, str]:
        none = np.zeros(1)
        groups = duplicates.DuplicateGroups(
            np.array(rows), np.array([0, len(rows)]), none.astype(np.float32), none.astype(bool), none.astype(bool)
        )
        (group,) = describe(copied, groups, most=9)
        assert sorted(group.rows.tolist()) == sorted(rows)
        return int(group.rows[0]), group.reason

    copied.catalogue.add(
        [
            NewImage("/x/b.png", 10, 10, "b"),
            NewImage("/x/a.png", 10, 10, "a"),
            NewImage("/x/c.png", 11, 10, "c"),
        ]
    )
    b, a, c = range(120, 123)
    assert first([b, a]) == (a, "first by path")
    assert first([b, a, c]) == (c, "most pixels")
    direct_answers.answer(copied, watercolor, b, NEGATIVE, annotator="ada")
    assert first([b, a, c]) == (b, "most labels")
    copied.catalogue.mark_missing({b: Place("/x/b.png")})
    assert first([b, a]) == (a, "readable file")


def test_what_only_the_others_have_is_named(copied: Workspace, watercolor: Attribute) -> None:
    other = copied.attributes.add("is_dark", "own", "Is it dark?")
    for attribute in (watercolor, other):
        direct_answers.answer(copied, attribute, 40, POSITIVE, annotator="ada")
    third = copied.attributes.add("is_flat", "own", "Is it flat?")
    direct_answers.answer(copied, third, 41, NEGATIVE, annotator="ada")
    copied.tags.add([42], "to check")
    copied.captions.add(41, copied.annotators.id_of("ada"), "a picture of something")
    (group,) = describe(copied, duplicates.duplicate_groups(copied, "exact").take(np.array([0])), most=2)
    assert group.rows[0] == 40
    assert len(group.duplicates) == 2
    assert group.duplicates[0].labels == ((watercolor.name, "yes"), ("is_dark", "yes"))
    assert group.duplicates[0].size == Path(copied.catalogue.image(40).uri).stat().st_size
    assert group.only_others == ("is_flat", "captions", "“to check”")


def test_what_is_dropped_comes_back_with_its_labels(copied: Workspace, watercolor: Attribute) -> None:
    direct_answers.answer(copied, watercolor, 3, POSITIVE, annotator="ada")
    direct_answers.answer(copied, watercolor, 41, NEGATIVE, annotator="ada")
    rows = group_with(copied, 3)
    removal = duplicates.keep_one(copied, rows, 40)
    assert removal.images == 3
    assert copied.removals.removed().rows.tolist() == [3, 41, 42]
    assert states(copied, watercolor).rows["positive"].tolist() == []
    assert not [rows for rows in groups_of(copied, "exact") if 40 in rows]
    copied.removals.undo(removal.id)
    assert states(copied, watercolor).rows["positive"].tolist() == [3]
    assert states(copied, watercolor).rows["negative"].tolist() == [41]
    assert [3, 40, 41, 42] in groups_of(copied, "exact")


def test_dropped_images_of_a_sample_count_as_removed_ones_do(played: Workspace, watercolor: Attribute) -> None:
    sample = validation.random_sample(played, watercolor).rows[:4]
    played.vectors().replace(sample.tolist(), vectors_of(played)[sample[[0, 0, 0, 0]]])
    near_duplicates.find_groups(played)
    before = label_version(played, watercolor)
    duplicates.keep_one(played, group_with(played, sample[0]), int(sample[0]))
    assert len(validation.lost_images(played, watercolor).labels) == 3
    assert label_version(played, watercolor) != before, "guarantees are tested again"


def test_the_suggested_of_many_groups_are_kept_at_once(copied: Workspace) -> None:
    groups = duplicates.duplicate_groups(copied, "exact")
    before = count_images(copied)
    removal = duplicates.keep_suggested(copied, groups, by=copied.annotators.id_of("ada"))
    assert removal.images == groups.extra == before - count_images(copied)
    assert groups_of(copied, "exact") == []
    first = [int(rows[0]) for rows in (duplicates.ranked(copied, groups)[place] for place in range(len(groups)))]
    assert members(copied)[first].all()


def test_two_people_cannot_drop_both_images(copied: Workspace) -> None:
    rows = group_with(copied, 9)
    one, other = (int(row) for row in rows[:2])
    duplicates.keep_one(copied, rows, one)
    with pytest.raises(CollectionError, match="removed 1 image that you want to keep, so nothing was removed"):
        duplicates.keep_one(copied, rows, other)
    assert members(copied)[one]
    with pytest.raises(CollectionError, match="not one of the group"):
        duplicates.keep_one(copied, rows, 7)


def test_a_group_that_is_kept_is_asked_about_again_once_another_image_joins(copied: Workspace) -> None:
    rows = group_with(copied, 3)
    assert kept_duplicates.keep_together(copied, rows) == 4
    assert rows.tolist() not in groups_of(copied, "exact")
    assert rows.tolist() in [
        duplicates.duplicate_groups(copied, "exact").only("kept")[place].tolist()
        for place in range(len(duplicates.duplicate_groups(copied, "exact").only("kept")))
    ]
    copied.vectors().replace([70], vectors_of(copied)[[3]])
    near_duplicates.find_groups(copied)
    assert [3, 40, 41, 42, 70] in groups_of(copied, "exact")
    kept_duplicates.keep_together(copied, [3, 40, 41, 42, 70])
    assert [3, 40, 41, 42, 70] not in groups_of(copied, "exact")
    assert kept_duplicates.ask_again(copied, [3, 40, 41, 42, 70]) == 5
    assert kept_duplicates.ask_again(copied, [3]) == 0
    assert [3, 40, 41, 42, 70] in groups_of(copied, "exact")


def test_two_groups_that_were_kept_apart_are_not_kept_as_one(copied: Workspace) -> None:
    kept_duplicates.keep_together(copied, [3, 40])
    kept_duplicates.keep_together(copied, [41, 42])
    assert [3, 40, 41, 42] in groups_of(copied, "exact")


def test_what_is_no_group_is_not_kept(workspace: Workspace) -> None:
    with pytest.raises(CollectionError, match="1 image cannot be kept together"):
        kept_duplicates.keep_together(workspace, [3, 3])
    for rows in ([3, 120], [-1, 3]):
        with pytest.raises(NotFound, match="There is no image"):
            kept_duplicates.keep_together(workspace, rows)
    assert (kept_duplicates.kept_with(workspace, 120) == -1).all()
