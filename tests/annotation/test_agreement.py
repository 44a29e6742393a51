"""Agreement against its definitions: pairs of answers counted by hand, and published examples."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bam_engine.annotation import NEGATIVE, POSITIVE, UNSURE, WITHDRAWN, Answers
from bam_engine.annotation.agreement import (
    Table,
    Undefined,
    alpha_of,
    annotator_pairs,
    answer_pairs,
    cohen_kappa,
    coincidences,
    contingency,
    kappa_of,
    krippendorff_alpha,
    majority_of_others,
    planned_answers,
    raw_agreement,
    tabulate,
)
from bam_engine.errors import AnnotationError

KINDS = [POSITIVE, NEGATIVE, UNSURE]
ANSWER = st.sampled_from(KINDS)
ENTRIES = st.dictionaries(st.tuples(st.integers(0, 8), st.integers(1, 4)), ANSWER, max_size=36)
TWICE = st.fixed_dictionaries({(row, who): ANSWER for row in (0, 1) for who in (1, 2)})
COMPARED = st.builds(lambda some, twice: some | twice, ENTRIES, TWICE)
"""Answers of which at least two images have two."""


def as_answers(entries: dict[tuple[int, int], int] | list[tuple[int, int, int]]) -> Answers:
    lines = [(*key, value) for key, value in entries.items()] if isinstance(entries, dict) else entries
    rows, people, answers = (np.array(column) for column in zip(*lines, strict=True)) if lines else ([], [], [])
    return Answers(np.array(rows, np.int64), np.array(people, np.int64), np.array(answers, np.int8))


def columns(*texts: str) -> Table:
    """Return a table from one text per annotator, one character per image: + yes, - no, ? unsure, . no answer."""
    code = {"+": POSITIVE, "-": NEGATIVE, "?": UNSURE}
    lines = [(row, who, code[sign]) for who, text in enumerate(texts) for row, sign in enumerate(text) if sign != "."]
    return tabulate(as_answers(lines))


def by_image(entries: dict[tuple[int, int], int]) -> list[list[int]]:
    """Return the answers to each image with several answers."""
    images = [
        [answer for (row, _), answer in entries.items() if row == wanted] for wanted in {row for row, _ in entries}
    ]
    return [answers for answers in images if len(answers) > 1]


def test_the_newest_answer_counts_and_a_withdrawn_one_counts_as_none() -> None:
    lines = [(5, 1, POSITIVE), (5, 2, NEGATIVE), (5, 1, NEGATIVE), (6, 1, POSITIVE), (6, 1, WITHDRAWN), (6, 2, UNSURE)]
    table = tabulate(as_answers(lines))
    assert (table.rows.tolist(), table.annotators.tolist()) == ([5, 6], [1, 2])
    assert table.codes.tolist() == [[0, 0], [-1, 2]]


def test_ignored_unsure_counts_as_no_answer() -> None:
    lines = [(1, 1, POSITIVE), (1, 2, UNSURE), (2, 3, UNSURE), (3, 1, NEGATIVE)]
    table = tabulate(as_answers(lines), unsure="missing")
    assert (table.rows.tolist(), table.annotators.tolist()) == ([1, 3], [1])
    assert table.codes.tolist() == [[1], [0]]


def test_an_unknown_answer_is_refused() -> None:
    with pytest.raises(AnnotationError, match="7 is not an answer"):
        tabulate(as_answers([(1, 1, 7)]))


@settings(deadline=None)  # the first example imports the libraries
@given(entries=COMPARED)
def test_raw_agreement_is_the_mean_over_images_of_the_fraction_of_equal_pairs(entries) -> None:
    images = by_image(entries)
    shares = [np.mean([a == b for a, b in combinations(answers, 2)]) for answers in images]
    assert raw_agreement(tabulate(as_answers(entries))) == pytest.approx(np.mean(shares))


@settings(deadline=None)  # the first example imports the libraries
@given(entries=COMPARED)
def test_every_pair_of_answers_to_an_image_is_compared_once(entries) -> None:
    images = by_image(entries)
    pairs = answer_pairs(tabulate(as_answers(entries)))
    both = [a == b for answers in images for a, b in combinations(answers, 2)]
    assert (len(pairs.same), int(pairs.same.sum())) == (len(both), sum(both))
    assert sorted(pairs.answers) == sorted(len(a) for a in images for _ in combinations(a, 2))


@settings(deadline=None)  # the first example imports the libraries
@given(entries=ENTRIES)
def test_kappa_follows_its_definition(entries) -> None:
    table = tabulate(as_answers(entries))
    for first, second in annotator_pairs(table):
        one, two = (table.annotators[column] for column in (first, second))
        both = [(entries[row, one], entries[row, two]) for row, who in entries if who == one and (row, two) in entries]
        chance = sum(np.mean([a == kind for a, _ in both]) * np.mean([b == kind for _, b in both]) for kind in KINDS)
        if len(both) < 2 or chance == 1:
            with pytest.raises(Undefined):
                cohen_kappa(table, first, second)
            continue
        expected = (np.mean([a == b for a, b in both]) - chance) / (1 - chance)
        assert cohen_kappa(table, first, second) == pytest.approx(expected)
        where, each = contingency(table, first, second)
        assert len(where) == len(both)
        assert kappa_of(each.sum(axis=0)) == pytest.approx(expected)


@settings(deadline=None)  # the first example imports the libraries
@given(entries=COMPARED)
def test_alpha_follows_its_definition(entries) -> None:
    images = by_image(entries)
    everything = [answer for answers in images for answer in answers]
    assume(len(set(everything)) > 1)
    differ = sum(sum(a != b for a, b in combinations(answers, 2)) * 2 / (len(answers) - 1) for answers in images)
    n = len(everything)
    by_chance = np.mean([a != b for a, b in combinations(everything, 2)])
    expected = 1 - differ / n / by_chance
    table = tabulate(as_answers(entries))
    assert krippendorff_alpha(table) == pytest.approx(expected)
    assert alpha_of(coincidences(table)[1].sum(axis=0)) == pytest.approx(expected)


def test_the_published_example_of_kappa() -> None:
    """Two readers, 50 grant proposals: 20 both yes, 15 both no, 5 and 10 one of them; kappa is 0.4."""
    table = columns("+" * 25 + "-" * 25, "+" * 20 + "-" * 5 + "+" * 10 + "-" * 15)
    assert cohen_kappa(table, 0, 1) == pytest.approx(0.4)
    assert raw_agreement(table) == pytest.approx(0.7)


def test_the_published_example_of_alpha() -> None:
    """Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section A: Meg and Owen, ten items; 0.095."""
    table = columns("-+------+-", "+++--+----")
    assert raw_agreement(table) == pytest.approx(0.6)
    assert krippendorff_alpha(table) == pytest.approx(0.095, abs=5e-4)


def test_people_who_differ_on_everything_agree_less_than_by_chance() -> None:
    table = columns("+-+-+-+-", "-+-+-+-+")
    assert raw_agreement(table) == 0
    assert cohen_kappa(table, 0, 1) == -1
    assert krippendorff_alpha(table) == pytest.approx(1 - 1 / (8 / 15))  # 4 * 4 * 2 / (16 * 15 / 2) differ by chance


def test_an_annotator_who_never_says_yes_agrees_at_chance_level() -> None:
    assert cohen_kappa(columns("+--+--", "------"), 0, 1) == 0


def test_unsure_disagrees_with_a_sure_answer_unless_ignored() -> None:
    lines = [(0, 1, 1), (0, 2, 1), (1, 1, 0), (1, 2, 0), (2, 1, 1), (2, 2, UNSURE)]
    assert raw_agreement(tabulate(as_answers(lines))) == pytest.approx(2 / 3)
    assert raw_agreement(tabulate(as_answers(lines), unsure="missing")) == 1


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (columns(""), "There are no answers yet"),
        (columns("+-+"), "Only one person"),
        (columns("+-..", "..+-"), "No image was answered by two"),
        (columns("+-+.", "..+-"), "Only 1 image was answered"),
    ],
)
def test_where_nothing_can_be_compared_the_error_says_why(table: Table, reason: str) -> None:
    for measure in (raw_agreement, krippendorff_alpha, answer_pairs):
        with pytest.raises(Undefined, match=reason):
            measure(table)


def test_a_pair_that_shares_one_image_has_no_kappa() -> None:
    with pytest.raises(Undefined, match="Only 1 image was answered"):
        cohen_kappa(columns("+-+.", "..+-"), 0, 1)


def test_one_answer_to_everything_has_no_kappa_and_no_alpha_but_full_raw_agreement() -> None:
    table = columns("----", "----")
    assert raw_agreement(table) == 1
    with pytest.raises(Undefined, match=r"Every answer to the shared images is “no”.*kappa is undefined"):
        cohen_kappa(table, 0, 1)
    with pytest.raises(Undefined, match="alpha is undefined"):
        krippendorff_alpha(table)
    assert np.isnan(kappa_of(contingency(table, 0, 1)[1].sum(axis=0)))
    assert np.isnan(alpha_of(coincidences(table)[1].sum(axis=0)))


def test_answers_that_nobody_else_gave_do_not_count_in_alpha() -> None:
    alone, together = columns("+--+" + "++++", "+-++...."), columns("+--+", "+-++")
    assert krippendorff_alpha(alone) == pytest.approx(krippendorff_alpha(together))


def test_the_majority_of_the_others_excludes_the_annotator() -> None:
    table = columns("+++++", "--+.?", "-++.+", "-.-..")
    assert majority_of_others(table, 0).tolist() == [0, -1, 1, -1, 1]
    assert majority_of_others(columns("+", "-"), 0).tolist() == [0]


# Planned answers


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6)), unique=True, max_size=25), st.integers(1, 4))
def test_the_first_people_about_each_image_were_planned(asked, people) -> None:
    order = sorted(range(len(asked)), key=lambda at: asked[at])
    rows, who = (np.array([asked[at][place] for at in order], np.int64) for place in (0, 1))
    answers = Answers(rows, who, np.ones(len(rows), np.int8))
    planned = planned_answers(answers, np.array(order, np.int64), np.full(len(rows), people))
    for row in set(rows.tolist()):
        in_time = sorted((order[at], at) for at in range(len(rows)) if rows[at] == row)
        assert [bool(planned[at]) for _, at in in_time] == [True] * min(people, len(in_time)) + [False] * max(
            0, len(in_time) - people
        )


@pytest.mark.parametrize("errors", [(0.05, 0.05, 0.05), (0.12, 0.03, 0.06)])
def test_who_settles_disputes_does_not_change_the_agreement(errors: tuple[float, ...]) -> None:
    rng, n = np.random.default_rng(4), 20_000
    truth = rng.random(n) < 0.3
    says = truth[:, None] ^ (rng.random((n, 3)) < np.array(errors))
    given_by = np.stack([np.ones((n,), bool), np.ones((n,), bool), says[:, 0] != says[:, 1]], axis=1)
    rows, who = np.nonzero(given_by)
    answers = Answers(rows, who, says[rows, who].astype(np.int8))
    expected = (1 - errors[0]) * (1 - errors[1]) + errors[0] * errors[1]
    planned = planned_answers(answers, who, np.full(len(rows), 2))
    counted = tabulate(Answers(rows[planned], who[planned], answers.answers[planned]))
    assert raw_agreement(counted) == pytest.approx(expected, abs=0.01)
    assert raw_agreement(tabulate(answers)) > expected + 0.02  # the third answer to a dispute agrees with one of two
    good = cohen_kappa(tabulate(answers), 0, 2)
    assert good < 0.5 < cohen_kappa(counted, 0, 1)
