"""Dawid and Skene's model against its definition, and where it must not pretend to know."""

import numpy as np
import pytest

from bam_engine.annotation import UNSURE, Answers
from bam_engine.annotation.agreement import Table, Undefined, tabulate
from bam_engine.annotation.dawid_skene import DawidSkene, dawid_skene, one_hot, refit


def simulated(
    seed: int,
    sensitivity: list[float],
    specificity: list[float],
    *,
    n: int = 2000,
    share: float = 0.3,
    skip: float = 0.0,
) -> tuple[np.ndarray, Answers]:
    """The truth of ``n`` images and what people with these rates say of them, each leaving out some."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < share
    yes = np.where(truth[:, None], np.array(sensitivity), 1 - np.array(specificity))
    said = (rng.random(yes.shape) < yes).astype(np.int8)
    rows, people = np.nonzero(rng.random(said.shape) >= skip)
    return truth, Answers(rows, people, said[rows, people])


def posterior(table: Table, found: DawidSkene, image: int) -> float:
    """Bayes' rule, written out, for one image."""
    joint = []
    for kind, share in ((0, 1 - found.prevalence), (1, found.prevalence)):
        for person, code in enumerate(table.codes[image]):
            share *= found.rates[person, kind, code] if code >= 0 else 1.0
        joint.append(share)
    return joint[1] / sum(joint)


def test_the_solution_is_a_fixed_point_of_the_definition() -> None:
    table = tabulate(simulated(1, [0.9, 0.8, 0.7], [0.95, 0.9, 0.8], n=300, skip=0.2)[1])
    found = dawid_skene(table)
    assert not found.problem
    said = table.codes[found.images]
    assert ((said >= 0).sum(axis=1) > 1).all()
    assert found.prevalence == pytest.approx(found.positive.mean())
    for person in range(3):
        there = said[:, person] >= 0
        for kind, likely in ((0, 1 - found.positive), (1, found.positive)):
            for code in range(3):
                expected = likely[there & (said[:, person] == code)].sum() / likely[there].sum()
                assert found.rates[person, kind, code] == pytest.approx(expected, abs=1e-9)
    again = [posterior(table, found, int(image)) for image in found.images]
    assert found.positive == pytest.approx(again, abs=2e-3)


def test_rates_and_truth_are_found_back() -> None:
    sensitivity, specificity = [0.95, 0.8, 0.7, 0.6], [0.9, 0.97, 0.8, 0.7]
    truth, answers = simulated(3, sensitivity, specificity, n=5000, skip=0.1)
    found = dawid_skene(tabulate(answers))
    assert found.sensitivity == pytest.approx(sensitivity, abs=0.06)
    assert found.specificity == pytest.approx(specificity, abs=0.06)
    assert found.prevalence == pytest.approx(0.3, abs=0.05)
    right = (found.positive > 0.5) == truth[found.images]
    assert right.mean() > 0.9


def test_a_good_annotator_outweighs_two_careless_ones() -> None:
    truth, answers = simulated(5, [0.98, 0.98, 0.62, 0.62, 0.62], [0.98, 0.98, 0.62, 0.62, 0.62], share=0.5)
    table = tabulate(answers)
    found = dawid_skene(table)
    outvoted = (table.codes[:, :2] == truth[:, None]).all(axis=1) & (table.codes[:, 2:] != truth[:, None]).all(axis=1)
    assert outvoted.sum() > 20
    assert ((found.positive > 0.5) == truth)[outvoted].all()


def test_unsure_is_an_answer_with_rates_of_its_own() -> None:
    _, answers = simulated(7, [0.9, 0.9, 0.9], [0.9, 0.9, 0.9], n=1000)
    said = answers.answers.copy()
    said[(answers.annotators == 2) & (np.arange(len(said)) % 2 == 0)] = UNSURE
    found = dawid_skene(tabulate(Answers(answers.rows, answers.annotators, said)))
    assert found.rates.sum(axis=2) == pytest.approx(np.ones((3, 2)))
    assert found.rates[2, :, 2] == pytest.approx([0.5, 0.5], abs=0.06)
    assert found.sensitivity[2] < 0.6 < 0.8 < found.sensitivity[0]


@pytest.mark.parametrize("flip", [False, True])
def test_an_inverted_annotator_is_detected_and_the_others_are_not_flipped(flip: bool) -> None:
    good, bad = 0.9, 0.1
    rates = [good, bad, good, good] if flip else [good] * 4
    truth, answers = simulated(11, rates, rates, n=800)
    found = dawid_skene(tabulate(answers))
    assert not found.problem
    assert found.sensitivity == pytest.approx(rates, abs=0.08)
    assert ((found.positive > 0.5) == truth).mean() > 0.9


def test_two_camps_that_contradict_each_other_are_reported_as_ambiguous() -> None:
    _, answers = simulated(13, [0.97, 0.97, 0.03, 0.03], [0.97, 0.97, 0.03, 0.03], n=400, share=0.5)
    assert "do not show which side is right" in dawid_skene(tabulate(answers)).problem


def test_random_answers_are_reported_as_such() -> None:
    for seed in range(5):
        _, answers = simulated(seed, [0.5, 0.4, 0.3], [0.5, 0.6, 0.7], n=60, share=0.5)
        assert dawid_skene(tabulate(answers)).problem


def test_one_kind_of_answer_is_reported_as_insufficient() -> None:
    rows, people = np.nonzero(np.ones((30, 3)))
    found = dawid_skene(tabulate(Answers(rows, people, np.zeros(90, np.int8))))
    assert found.problem
    assert np.isfinite(found.positive).all()


def test_two_people_or_too_few_images_of_three_are_refused_with_the_number_so_far() -> None:
    _, answers = simulated(1, [0.9, 0.9], [0.9, 0.9], n=50)
    with pytest.raises(Undefined, match=r"answered by 3 or more people \(so far 0\)"):
        dawid_skene(tabulate(answers))
    _, answers = simulated(1, [0.9, 0.9, 0.9], [0.9, 0.9, 0.9], n=9)
    with pytest.raises(Undefined, match=r"answered by 3 or more people \(so far 9\)"):
        dawid_skene(tabulate(answers))


def test_images_with_a_single_answer_change_nothing() -> None:
    _, answers = simulated(17, [0.9, 0.8, 0.85], [0.9, 0.8, 0.85], n=200)
    before = dawid_skene(tabulate(answers))
    more = Answers(
        np.concatenate([answers.rows, np.arange(500, 600)]),
        np.concatenate([answers.annotators, np.zeros(100, np.int64)]),
        np.concatenate([answers.answers, np.ones(100, np.int8)]),
    )
    after = dawid_skene(tabulate(more))
    assert after.rates == pytest.approx(before.rates)
    assert after.images.tolist() == before.images.tolist()


def test_the_same_sample_fits_to_the_same_rates_alone_or_among_others() -> None:
    table = tabulate(simulated(19, [0.9, 0.8, 0.7], [0.9, 0.85, 0.8], n=300)[1])
    found = dawid_skene(table)
    hot = one_hot(table.codes)
    weights = np.stack([np.ones(300), np.arange(300) % 3, np.ones(300)]).astype(float)
    rates, prevalence = refit(hot, weights, found.positive, 5)
    assert rates[0] == pytest.approx(found.rates, abs=1e-3)
    assert prevalence[2] == pytest.approx(found.prevalence, abs=1e-3)
    alone = refit(hot, weights[1:2], found.positive, 5)
    assert rates[1] == pytest.approx(alone[0][0])
    kept = np.repeat(np.arange(300), np.arange(300) % 3)
    drawn = refit(hot[kept], np.ones((1, len(kept))), found.positive[kept], 5)
    assert rates[1] == pytest.approx(drawn[0][0])
