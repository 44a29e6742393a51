"""Consensus against its definition, image by image."""

import importlib
import itertools
import math

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
def test_a_label_needs_enough_votes_and_a_majority_and_a_contested_yes_leads_by_two(entries, redundancy) -> None:
    agreed = consensus(as_answers(entries), redundancy=redundancy)
    assert agreed.rows.tolist() == sorted({row for row, _ in entries})
    for place, row in enumerate(agreed.rows.tolist()):
        votes = [answer for (other, _), answer in entries.items() if other == row]
        yes, no, unsure = (votes.count(answer) for answer in (POSITIVE, NEGATIVE, UNSURE))
        leads = yes - no >= 2 if no else yes > 0
        expected = 1 if yes >= redundancy and leads else 0 if no >= redundancy and no > yes else -1
        assert agreed.labels[place] == expected
        assert agreed.settled[place] == (expected != -1)
        assert agreed.counts[place].tolist() == [yes, no, unsure]


def test_two_against_two_settle_nothing_and_a_fifth_does() -> None:
    entries = {(3, 1): POSITIVE, (3, 2): POSITIVE, (3, 3): NEGATIVE, (3, 4): NEGATIVE}
    assert consensus(as_answers(entries), redundancy=2).labels.tolist() == [-1]
    assert consensus(as_answers(entries | {(3, 5): NEGATIVE}), redundancy=2).labels.tolist() == [0]


def test_two_yes_against_one_no_are_no_yes_yet_and_the_other_way_round_they_are_a_no() -> None:
    entries = {
        (3, 1): POSITIVE,
        (3, 2): POSITIVE,
        (3, 3): NEGATIVE,
        (4, 1): NEGATIVE,
        (4, 2): NEGATIVE,
        (4, 3): POSITIVE,
    }
    for redundancy in (1, 2):
        assert consensus(as_answers(entries), redundancy=redundancy).labels.tolist() == [-1, 0]
    assert judged_labels(consensus(as_answers(entries), redundancy=2)).tolist() == [0, 0], "not positive meanwhile"
    assert consensus(as_answers(entries | {(3, 4): POSITIVE}), redundancy=2).labels.tolist() == [1, 0]
    assert consensus(as_answers(entries | {(3, 4): NEGATIVE}), redundancy=2).labels.tolist() == [-1, 0]


def test_the_lead_leaves_less_than_half_of_the_wrong_yes_and_costs_an_answer_for_every_tenth_positive() -> None:
    """The figures of docs/decisions/0043: people are asked one after another until the image is settled."""
    sequences = list(itertools.product([POSITIVE, NEGATIVE], repeat=9))
    entries = {
        (10 * place + asked, person): answer
        for place, answers in enumerate(sequences)
        for asked in range(2, 10)
        for person, answer in enumerate(answers[:asked])
    }
    agreed = consensus(as_answers(entries), redundancy=2)
    labels = dict(zip(agreed.rows.tolist(), agreed.labels.tolist(), strict=True))

    def played(yes: float) -> tuple[float, float]:
        """Return the share labelled yes, and the mean number of answers, where each says yes with a probability."""
        share = answers = 0.0
        for place, sequence in enumerate(sequences):
            probability = math.prod(yes if answer == POSITIVE else 1 - yes for answer in sequence)
            asked = next((asked for asked in range(2, 10) if labels[10 * place + asked] != -1), 9)
            share += probability * (labels[10 * place + asked] == POSITIVE)
            answers += probability * asked
        return share, answers

    third_decides = 0.05**2 + 2 * 0.05 * 0.95 * 0.05
    assert 1000 * third_decides == pytest.approx(7.25)
    wrong, _ = played(0.05)
    assert 1000 * wrong == pytest.approx(2.75, abs=0.01)
    right, answers = played(0.95)
    assert answers - (2 + 2 * 0.05 * 0.95) == pytest.approx(0.1, abs=0.01), "more than if a third decided"
    assert right == pytest.approx(1 - third_decides, abs=0.001)


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


def test_another_rule_has_another_number(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = importlib.import_module("bam_engine.annotation.consensus")
    numbers = [rule.rule.__wrapped__()]
    for lead in (1, 3):
        monkeypatch.setattr(rule, "CONTESTED_LEAD", lead)
        numbers.append(rule.rule.__wrapped__())
    assert len(set(numbers)) == 3
    monkeypatch.undo()
    monkeypatch.setattr(rule, "judged_labels", lambda agreed: agreed.labels)  # where unsure is left out, as it once was
    assert rule.rule.__wrapped__() not in numbers
