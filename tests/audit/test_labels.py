"""Answers become labels, by BAM's definition and by consensus."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.audit import labels_by_any, labels_by_consensus
from bam_engine.errors import AuditError

answers = st.lists(st.tuples(st.integers(0, 6), st.sampled_from([1, 0, -1])), max_size=40)


@settings(deadline=None)
@given(answers, st.integers(1, 3))
def test_bam_calls_positive_what_anybody_does_and_consensus_what_enough_agree_on(said, redundancy):
    rows, values = [row for row, _ in said], [answer for _, answer in said]
    generous, agreed = labels_by_any(rows, values), labels_by_consensus(rows, values, redundancy=redundancy)
    assert generous.rows.tolist() == agreed.rows.tolist() == sorted(set(rows))
    for row, any_value, agreed_value in zip(generous.rows, generous.values, agreed.values, strict=True):
        own = [answer for other, answer in said if other == row]
        positive, negative = own.count(1), own.count(0)
        assert any_value == (positive >= 1)
        agreed_on = positive >= redundancy and positive - negative >= (2 if negative else 1)
        assert agreed_value == (agreed_on if len(own) >= redundancy else -1)
        if agreed_value == 1:
            assert any_value == 1


def test_labels_are_looked_up_by_row_and_open_where_nobody_answered():
    judged = labels_by_any([5, 2, 5], [0, 1, 1])
    assert judged.of([2, 3, 5, 9]).tolist() == [1, -1, 1, -1]
    assert labels_by_any([], []).of([1]).tolist() == [-1]


def test_an_image_on_which_people_do_not_agree_is_not_left_out_of_the_precision():
    rows, said = [1, 1, 2, 2, 3, 3, 4], [1, 1, 1, 0, -1, 1, 1]
    assert labels_by_consensus(rows, said, redundancy=2).of([1, 2, 3, 4]).tolist() == [1, 0, 0, -1]


def test_bams_definition_waits_until_everyone_asked_has_answered():
    rows, said = [1, 1, 2, 3, 3], [0, 1, 1, 0, -1]
    assert labels_by_any(rows, said, people=2).of([1, 2, 3]).tolist() == [1, -1, 0]
    assert labels_by_any(rows, said).of([1, 2, 3]).tolist() == [1, 1, 0]


def test_answers_that_do_not_fit_together_are_refused_in_words():
    with pytest.raises(AuditError, match="one row for each answer"):
        labels_by_any([1], [1, 0])
    with pytest.raises(AuditError, match="7 is among them"):
        labels_by_any([1], [7])
