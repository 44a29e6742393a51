"""Consensus against its definition, image by image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.annotation import NEGATIVE, POSITIVE, UNSURE, Answers, Decisions, Redundancy, consensus, judged_labels
from bam_engine.errors import AnnotationError

ENTRIES = st.dictionaries(
    st.tuples(st.integers(0, 8), st.integers(1, 6)), st.sampled_from([POSITIVE, NEGATIVE, UNSURE]), max_size=40
)


def as_answers(entries: dict[tuple[int, int], int]) -> Answers:
    pairs = list(entries)
    return Answers(
        np.array([row for row, _ in pairs], dtype=np.int64),
        np.array([annotator for _, annotator in pairs], dtype=np.int64),
        np.array(list(entries.values()), dtype=np.int8),
    )


@given(entries=ENTRIES, redundancy=st.integers(1, 4))
def test_the_label_needs_enough_votes_and_a_majority(entries, redundancy) -> None:
    agreed = consensus(as_answers(entries), redundancy=redundancy)
    assert agreed.rows.tolist() == sorted({row for row, _ in entries})
    for place, row in enumerate(agreed.rows.tolist()):
        votes = [answer for (other, _), answer in entries.items() if other == row]
        yes, no, unsure = (votes.count(answer) for answer in (POSITIVE, NEGATIVE, UNSURE))
        expected = 1 if yes >= redundancy and yes > no else 0 if no >= redundancy and no > yes else -1
        assert agreed.labels[place] == expected
        assert agreed.settled[place] == (expected != -1)
        assert agreed.counts[place].tolist() == [yes, no, unsure]


def test_two_against_two_settle_nothing_and_a_fifth_does() -> None:
    entries = {(3, 1): POSITIVE, (3, 2): POSITIVE, (3, 3): NEGATIVE, (3, 4): NEGATIVE}
    assert consensus(as_answers(entries), redundancy=2).labels.tolist() == [-1]
    assert consensus(as_answers(entries | {(3, 5): NEGATIVE}), redundancy=2).labels.tolist() == [0]


def test_unsure_counts_for_neither_side() -> None:
    entries = {(0, 1): UNSURE, (0, 2): UNSURE, (1, 1): UNSURE, (1, 2): POSITIVE}
    assert consensus(as_answers(entries), redundancy=1).labels.tolist() == [-1, 1]


def as_decisions(decided: dict[int, int]) -> Decisions:
    rows = np.array(sorted(decided), dtype=np.int64)
    answers = np.array([decided[row] for row in sorted(decided)], dtype=np.int8)
    return Decisions(rows, np.ones(len(rows), np.int64), answers, np.arange(len(rows)))


@given(
    entries=ENTRIES,
    decided=st.dictionaries(st.integers(0, 9), st.sampled_from([POSITIVE, NEGATIVE, UNSURE]), max_size=5),
)
def test_a_decision_overrides_the_votes_of_its_image_only(entries, decided) -> None:
    voted = consensus(as_answers(entries), redundancy=2)
    result = consensus(as_answers(entries), redundancy=2, decisions=as_decisions(decided))
    assert result.rows.tolist() == sorted({row for row, _ in entries} | set(decided))
    before = dict(zip(voted.rows.tolist(), zip(voted.labels, voted.counts.tolist(), strict=True), strict=True))
    for place, row in enumerate(result.rows.tolist()):
        label, counts = before.get(row, (-1, [0, 0, 0]))
        expected = decided.get(row, label)
        assert result.decided[place] == (row in decided)
        assert result.labels[place] == expected
        assert result.settled[place] == (expected in (POSITIVE, NEGATIVE))
        assert result.counts[place].tolist() == counts


def test_no_answers_give_an_empty_consensus_of_the_same_types() -> None:
    agreed = consensus(as_answers({}), redundancy=2)
    assert (agreed.rows.dtype, agreed.labels.dtype, agreed.settled.dtype) == (np.int64, np.int8, np.bool_)
    assert agreed.counts.shape == (0, 3)


@given(entries=ENTRIES, judged=st.sets(st.integers(0, 6)), counts=st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_images_that_judge_are_labelled_as_if_all_judged_and_the_others_as_if_none_did(entries, judged, counts) -> None:
    otherwise, judging = counts
    redundancy = Redundancy(otherwise, judging, np.array(sorted(judged), np.int64))
    mixed = consensus(as_answers(entries), redundancy=redundancy)
    apart = {every: consensus(as_answers(entries), redundancy=every) for every in counts}
    for place, row in enumerate(mixed.rows.tolist()):
        required = judging if row in judged else otherwise
        assert mixed.required[place] == required
        assert mixed.labels[place] == apart[required].labels[place]
        assert judged_labels(mixed)[place] == judged_labels(apart[required])[place]


def test_redundancy_must_be_at_least_one() -> None:
    with pytest.raises(AnnotationError, match="at least 1"):
        consensus(as_answers({}), redundancy=0)


@given(entries=ENTRIES, redundancy=st.integers(1, 3))
def test_a_sample_that_judges_counts_as_positive_what_is_agreed_and_all_else_that_was_answered_as_not(
    entries, redundancy
) -> None:
    agreed = consensus(as_answers(entries), redundancy=redundancy)
    judged = judged_labels(agreed)
    for place, row in enumerate(agreed.rows.tolist()):
        votes = [answer for (other, _), answer in entries.items() if other == row]
        expected = -1 if len(votes) < redundancy else int(agreed.labels[place] == POSITIVE)
        assert judged[place] == expected


def test_a_decision_judges_whatever_the_votes_and_is_not_positive_if_unsure() -> None:
    decided = Decisions(np.array([3, 4, 5]), np.array([9, 9, 9]), np.array([1, 0, -1], np.int8), np.array([1, 2, 3]))
    agreed = consensus(as_answers({(3, 1): NEGATIVE, (5, 1): POSITIVE}), redundancy=2, decisions=decided)
    assert judged_labels(agreed).tolist() == [1, 0, 0]
