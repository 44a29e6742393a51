"""The certify_precision over fixed cuts: what it asks, what it promises, and how often it is wrong."""

import numpy as np
import pytest

from bam_engine.errors import LearningError
from bam_engine.learning.certification import CertificationPlan, certify_precision, risk_share
from bam_engine.learning.pilot import pilot_inclusion_probabilities, pilot_ranks, plan_cuts
from bam_engine.learning.sequential import allowed_defects

N = 4000


def collection(precision, seed=0):
    """Return scores, truth, and random numbers of a collection whose chance to be positive falls with the rank."""
    rng = np.random.default_rng(seed)
    rank = (np.arange(N) + 0.5) / N
    return 1 - rank, (rng.random(N) < precision(rank)).astype(np.int8), rng.random(N)


def play(plan, scores, truth, order, budget, *, min_batch=1, known=0):
    labels = np.full(len(scores), -1, np.int8)
    while True:
        found = certify_precision(plan, scores, order, labels, min_batch=min_batch, known_positives=known)
        batch = found.to_label[: budget - int((labels >= 0).sum())]
        if len(batch) == 0:
            return found, labels
        assert (labels[batch] < 0).all(), "nobody is asked twice"
        labels[batch] = truth[batch]


def by_definition(plan, scores, order, labels, known=0):
    """The loosest cut reached by testing strict to loose, each on its own images in the order of their numbers."""
    certified = None
    for cut in plan.cuts:
        members = [i for i in sorted(range(len(scores)), key=lambda i: order[i]) if scores[i] >= cut]
        allowed = allowed_defects(
            len(members),
            len(members),
            planned=plan.planned,
            target=plan.target,
            confidence=plan.confidence,
            known_good=known,
        )
        defects, passed = 0, False
        for n, i in enumerate(members, start=1):
            if labels[i] < 0:
                break
            defects += labels[i] == 0
            passed = passed or defects <= allowed[n]
        if not passed:
            break
        certified = cut
    return certified


@pytest.mark.parametrize(("seed", "known"), [(0, 0), (1, 0), (2, 0), (3, 0), (0, 60), (1, 400)])
def test_the_certified_cut_is_the_last_that_passed_its_test(seed, known):
    scores, truth, order = collection(lambda u: 0.99 - 0.5 * u, seed)
    plan = CertificationPlan((0.95, 0.9, 0.8, 0.6, 0.0), 0.9, 0.95, 200)
    found, labels = play(plan, scores, truth, order, 250, known=known)
    assert found.known_positives == known
    assert found.certified == by_definition(plan, scores, order, labels, known)
    accepted = 0 if found.certified is None else int((scores >= found.certified).sum())
    assert found.accepted == accepted


def test_every_queried_image_is_needed_even_if_all_are_positive():
    scores, _, order = collection(lambda u: np.full_like(u, 0.97))
    plan = CertificationPlan((0.5, 0.0), 0.9, 0.95, 200)
    labels = np.full(N, -1, np.int8)
    ask = certify_precision(plan, scores, order, labels, min_batch=1).to_label
    labels[ask[:-1]] = 1
    assert certify_precision(plan, scores, order, labels).certified is None
    labels[ask[-1]] = 1
    assert certify_precision(plan, scores, order, labels).certified == 0.5


def test_a_small_batch_is_filled_up_with_what_the_next_cuts_would_need():
    scores, _, order = collection(lambda u: np.full_like(u, 0.97))
    plan, labels = CertificationPlan((0.5, 0.4, 0.3, 0.2, 0.1, 0.0), 0.9, 0.95, 200), np.full(N, -1, np.int8)
    first = certify_precision(plan, scores, order, labels, min_batch=1).to_label
    labels[first] = 1
    small, large = (certify_precision(plan, scores, order, labels, min_batch=size).to_label for size in (1, 15))
    assert 0 < len(small) < 15 <= len(large)
    assert list(large[: len(small)]) == list(small)
    labels[large[:-1]] = 1
    before = certify_precision(plan, scores, order, labels).n_passed
    labels[large[-1]] = 1
    assert certify_precision(plan, scores, order, labels).n_passed == before + 1 >= 3, (
        "not one more was asked than is needed"
    )


def test_labels_of_a_stricter_cut_are_not_queried_again_for_a_looser_one():
    scores, truth, order = collection(lambda u: np.full_like(u, 0.98))
    plan = CertificationPlan((0.9, 0.89, 0.88), 0.9, 0.95, 100)
    found, labels = play(plan, scores, truth, order, 1000)
    assert found.certified == 0.88
    assert (labels >= 0).sum() < 150


@pytest.mark.slow
def test_the_guarantee_fails_in_at_most_one_of_twenty_runs_at_the_worst_curve():
    broken, runs = 0, 400
    for seed in range(runs):
        rng = np.random.default_rng([7, seed])
        scores, order = 1 - (np.arange(N) + 0.5) / N, rng.random(N)
        truth = np.ones(N, np.int8)
        truth[::10] = 0
        truth[np.arange(5, N, 500)] = 0  # a little below 0.90 at every cut
        plan = CertificationPlan((0.9, 0.7, 0.4, 0.0), 0.9, 0.95, 150)
        found, _ = play(plan, scores, truth, order, 300)
        broken += found.certified is not None
    assert broken / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


CUTS = (0.95, 0.9, 0.8, 0.6, 0.3)


def just_below(scores, known, target=0.9):
    """Return a truth that keeps the target at no cut: with the known positives, each has one fault too many."""
    truth, faults = np.ones(len(scores), np.int8), 0
    for high, cut in zip((np.inf, *CUTS), CUTS, strict=False):
        too_many = int(np.floor((1 - target) * ((scores >= cut).sum() + known) + 1e-9)) + 1
        between = np.flatnonzero((scores >= cut) & (scores < high))
        truth[between[: too_many - faults]] = 0
        faults = too_many
    return truth


def holding_at_first(scores, known, target=0.9):
    """Return a truth of which the strict cuts keep the target easily and all further ones do not, by one fault."""
    truth = np.ones(len(scores), np.int8)
    at = int(np.floor((1 - target) * ((scores >= CUTS[2]).sum() + known) + 1e-9)) + 1
    truth[np.flatnonzero((scores >= CUTS[2]) & (scores < CUTS[1]))[:at]] = 0
    truth[scores < CUTS[2]] = np.arange((scores < CUTS[2]).sum()) % 3 > 0
    return truth


@pytest.mark.parametrize("known", [20, 150])
@pytest.mark.parametrize("worst", [just_below, holding_at_first])
def test_what_is_delivered_with_the_labelled_positives_misses_its_target_in_at_most_one_of_twenty_runs(worst, known):
    scores = 1 - (np.arange(1500) + 0.5) / 1500
    truth, plan, runs, broken = worst(scores, known), CertificationPlan(CUTS, 0.9, 0.95, 150), 1500, 0
    for seed in range(runs):
        order = np.random.default_rng([11, seed]).random(len(scores))
        found = certify_precision(plan, scores, order, truth, known_positives=known)
        if found.certified is not None:
            accepted = truth[scores >= found.certified]
            broken += (accepted.sum() + known) / (len(accepted) + known) < 0.9 - 1e-9
    assert broken, "the worst case is one"
    assert broken / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_labelled_positives_certify_a_looser_cut_with_fewer_labels():
    scores, truth, order = collection(lambda u: 0.99 - 0.5 * u)
    plan = CertificationPlan(tuple(np.linspace(0.95, 0.5, 12)), 0.9, 0.95, 200)
    without, asked = play(plan, scores, truth, order, 120)
    found, fewer = play(plan, scores, truth, order, 120, known=400)
    assert found.certified is not None
    assert without.certified is None or found.certified < without.certified
    assert (fewer >= 0).sum() <= (asked >= 0).sum()


def test_a_cut_that_the_labelled_positives_outweigh_needs_no_label():
    scores, order = np.linspace(1, 0, 100), np.random.default_rng(0).random(100)
    plan = CertificationPlan((scores[9], 0.0), 0.9, 0.95, 50)
    found = certify_precision(plan, scores, order, np.full(100, -1, np.int8), known_positives=90)
    assert (found.certified, found.accepted, found.n_passed) == (scores[9], 10, 1), "90 of 100 hold whatever they are"


def test_with_everything_labelled_the_loosest_true_cut_is_certified():
    scores, truth, order = collection(lambda u: 0.99 - 0.5 * u)
    cuts = (0.9, 0.8, 0.7, 0.0)
    found = certify_precision(CertificationPlan(cuts, 0.9, 0.95, 100), scores, order, truth, known_positives=30)
    keeps = [(truth[scores >= cut].sum() + 30) / ((scores >= cut).sum() + 30) >= 0.9 for cut in cuts]
    assert found.certified == cuts[keeps.index(False) - 1]
    assert found.next_cut == cuts[keeps.index(False)]
    assert found.labels_needed is None


def test_what_is_missing_would_do_if_the_labels_go_on_as_before():
    scores, _, order = collection(lambda u: np.full_like(u, 1.0))
    plan, labels = CertificationPlan((0.0,), 0.9, 0.95, 300), np.full(N, -1, np.int8)
    first = np.argsort(order)[:60]
    labels[first] = 1
    labels[first[:3]] = 0
    found = certify_precision(plan, scores, order, labels)
    assert (found.certified, found.n, found.false_positives) == (None, 60, 3)
    assert found.labels_needed is not None
    rate = 3.5 / 70
    n = 60 + found.labels_needed
    assert 3 + rate * found.labels_needed <= allowed_defects(N, n, planned=300)[n]


def test_a_plan_whose_cuts_do_not_fall_and_scores_that_are_no_numbers_are_refused():
    for cuts in ((), (0.5, 0.5), (0.4, 0.5)):
        with pytest.raises(LearningError):
            CertificationPlan(cuts, 0.9, 0.95, 100)
    plan = CertificationPlan((0.5,), 0.9, 0.95, 100)
    with pytest.raises(LearningError, match="finite"):
        certify_precision(plan, np.array([np.nan, 1]), np.array([0.1, 0.2]), np.array([-1, -1], np.int8))
    with pytest.raises(LearningError, match="one of each"):
        certify_precision(plan, np.array([1.0]), np.array([0.1, 0.2]), np.array([-1], np.int8))


def test_tied_scores_are_accepted_together():
    scores = np.repeat([1.0, 0.0], 100)
    order = np.random.default_rng(0).random(200)
    found = certify_precision(
        CertificationPlan((1.0, 0.0), 0.9, 0.95, 100), scores, order, np.repeat([1, 0], 100).astype(np.int8)
    )
    assert (found.certified, found.accepted) == (1.0, 100)


def test_the_pilot_looks_at_every_order_of_magnitude():
    ranks = pilot_ranks(100_000, 30, rng=np.random.default_rng(0))
    assert len(ranks) == 30
    assert (np.diff(ranks) > 0).all()
    in_decade = np.histogram(ranks, [200, 2000, 20_000, 100_000])[0]
    assert (in_decade >= [9, 9, 6]).all()
    assert set(pilot_ranks(3, 30, rng=np.random.default_rng(0))) <= {0, 1, 2}


def test_cuts_start_where_the_pilot_leaves_no_doubt_and_end_at_everything():
    scores, truth, _ = collection(lambda u: 1 / (1 + np.exp((u - 0.2) / 0.02)))
    rng = np.random.default_rng(0)
    ranks = pilot_ranks(N, 40, rng=rng)
    rest = np.setdiff1d(np.arange(N), ranks)
    cuts = plan_cuts(scores[rest], scores[ranks], truth[ranks], target=0.9, rng=rng)
    assert (np.diff(cuts) < 0).all()
    assert cuts[-1] == scores[rest].min()
    accepted = np.array([(scores[rest] >= cut).sum() for cut in cuts])
    assert 48 <= accepted[0] <= 0.2 * len(rest)
    assert (accepted[1:] / accepted[:-1] < 1.09).all()


def test_a_pilot_without_a_positive_starts_at_the_fewest_images():
    for known, fewest in ((0, range(48, 52)), (30, range(17, 20)), (100, range(1, 2))):
        cuts = plan_cuts(
            np.arange(1000.0), [5.0, 900.0], [0, 0], target=0.9, known_positives=known, rng=np.random.default_rng(0)
        )
        assert (np.arange(1000.0) >= cuts[0]).sum() in fewest


@pytest.mark.parametrize(("population", "count"), [(50, 30), (400, 30), (20_000, 30)])
def test_the_pilot_looks_at_a_rank_as_often_as_its_probability_says(population, count):
    rng, repeats = np.random.default_rng(0), 1500
    drawn = [pilot_ranks(population, count, rng=rng) for _ in range(repeats)]
    times = np.bincount(np.concatenate(drawn), minlength=population) / repeats
    said = pilot_inclusion_probabilities(np.arange(population), population, count)
    for band in np.array_split(np.arange(population), min(population, 12)):
        assert abs(times[band].sum() - said[band].sum()) < 0.15 + 0.06 * said[band].sum()


def test_however_often_an_attribute_is_certified_the_shares_are_no_more_than_the_whole_risk():
    assert sum(risk_share(earlier) for earlier in range(60)) == pytest.approx(1)
    assert all(risk_share(earlier) > 0 for earlier in range(60))
