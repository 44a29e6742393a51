"""What samples of a collection tell of a slice of it, against definitions and on collections whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from bam_engine.learning import clopper_pearson, delivered_precision, precision_recall
from bam_engine.learning.intervals import exact_bounds
from bam_engine.learning.slice_comparison import difference, holm, overlaps, p_value
from bam_engine.learning.slices import Frame, Sampled, SliceCounts, State, labels_for_half_width
from bam_engine.training.evidence import Certified, Draw, Selection, select_evidence
from bam_engine.training.slice_frames import frame_of

Mask = NDArray[np.bool_]
CUT = 1.0


def collection(n: int = 4000, *, positive: float = 0.2, seed: int = 0) -> tuple[NDArray[np.float32], Mask]:
    """Scores of n images and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < positive
    return (2.5 * truth + rng.normal(size=n)).astype(np.float32), truth


def framed(
    scores: NDArray[np.float32],
    truth: Mask,
    drawn: NDArray[np.int64],
    *,
    taught: NDArray[np.int64] | None = None,
    certified: Certified | None = None,
    groups: NDArray[np.int64] | None = None,
) -> tuple[Frame, Mask, Selection]:
    """The frame where a random sample, a round and a certification are labelled, what is delivered, the evidence."""
    labels = np.full(len(scores), -1, np.int8)
    asked = [drawn, *([] if taught is None else [taught]), *([] if certified is None else [certified.queried])]
    rows = np.concatenate(asked)
    labels[rows] = truth[rows]
    found = select_evidence(scores, labels, [Draw(drawn, drawn[:0], len(scores))], certified)
    delivered = (labels == 1) | ((labels < 0) & (scores >= CUT))
    projects = np.arange(len(scores)) if groups is None else groups
    return frame_of(scores, labels, found, CUT, delivered=delivered, groups=projects), delivered, found


def sample(n: int, count: int, seed: int = 1) -> NDArray[np.int64]:
    return np.random.default_rng(seed).choice(n, count, replace=False).astype(np.int64)


def test_the_slice_of_all_images_has_the_precision_of_the_threshold_itself() -> None:
    scores, truth = collection()
    drawn = sample(4000, 300)
    taught = np.setdiff1d(np.argsort(-scores)[:200], drawn)
    frame, _, found = framed(scores, truth, drawn, taught=taught)
    curve = precision_recall(
        scores[found.rows],
        truth[found.rows],
        cuts=[CUT],
        groups=found.rows,
        pool_scores=scores,
        random=found.random,
        known=(scores[found.known], truth[found.known]),
    )
    of_all = np.stack([curve.precision, curve.precision_low, curve.precision_high])
    expected = delivered_precision(of_all, curve.cuts, found.random)[:, 0]
    assert SliceCounts(frame, np.ones(4000, bool)).precision() == pytest.approx(tuple(expected))


def test_without_other_labels_the_precision_is_the_proportion_of_the_sampled_images_of_the_slice() -> None:
    scores, truth = collection()
    drawn = sample(4000, 400)
    frame, delivered, _ = framed(scores, truth, drawn)
    inside = np.arange(4000) % 2 == 0
    among = drawn[inside[drawn] & (scores[drawn] >= CUT)]
    k, n = int(truth[among].sum()), len(among)
    above = int((inside & (scores >= CUT)).sum())
    found = int(truth[drawn[inside[drawn]]].sum())  # labelled yes, so delivered, above the threshold or not
    found_above = k
    size = int((inside & delivered).sum())
    limits = clopper_pearson(k, n)
    expected = [(found + rate * above - found_above) / size for rate in (k / n, limits.low, min(limits.high, 1))]
    expected[2] = min(expected[2], 1.0)
    counts = SliceCounts(frame, inside)
    assert counts.precision() == pytest.approx(tuple(expected))
    assert counts.labels == n
    members = drawn[inside[drawn]]
    low, high = exact_bounds(truth[members].sum(), len(members))
    assert counts.prevalence() == pytest.approx((truth[members].mean(), float(low), float(high)))


def test_labels_of_rounds_count_for_their_own_images_and_for_no_others() -> None:
    scores, truth = collection()
    drawn, inside = sample(4000, 300), np.arange(4000) % 3 == 0
    taught = np.setdiff1d(np.argsort(-scores)[:300], drawn)
    alone, _, _ = framed(scores, truth, drawn)
    more, _, _ = framed(scores, truth, drawn, taught=taught)
    before, after = SliceCounts(alone, inside), SliceCounts(more, inside)
    assert before.labels == after.labels
    assert before.prevalence() == pytest.approx(after.prevalence())
    assert before._positives_above(0.95) == after._positives_above(0.95)
    assert after.count(State.YES) > before.count(State.YES)


def test_a_slice_without_a_label_is_known_only_as_far_as_labels_leave_it_open() -> None:
    scores, truth = collection()
    drawn, taught = sample(2000, 200), np.flatnonzero(truth[2000:])[:30] + 2000
    frame, delivered, _ = framed(scores, truth, drawn, taught=taught)
    inside = np.arange(4000) >= 2000
    inside[drawn] = False
    counts = SliceCounts(frame, inside)
    value, low, high = counts.precision()
    assert np.isnan(value)
    assert (low, high) == (30 / (inside & delivered).sum(), 1.0)
    value, low, high = counts.prevalence()
    assert np.isnan(value)
    assert (low, high) == (30 / 2000, 1.0)
    assert np.isnan(counts.recall()[0])
    whole = SliceCounts(frame, np.ones(4000, bool)).figures()
    assert 0 < counts.figures(whole).more <= counts.unlabelled
    empty = SliceCounts(frame, np.zeros(4000, bool)).figures(whole)
    assert (empty.images, empty.accepted, empty.more, empty.more_random) == (0, 0, 0, 0)


def test_where_everything_is_labelled_the_figures_are_exact() -> None:
    scores, truth = collection(300)
    frame, delivered, _ = framed(scores, truth, np.arange(300))
    inside = np.arange(300) < 100
    counts = SliceCounts(frame, inside)
    assert counts.precision() == (1.0, 1.0, 1.0), "what is labelled no is not delivered"
    assert counts.prevalence() == pytest.approx((truth[:100].mean(),) * 3)
    assert counts.recall() == (1.0, 1.0, 1.0)
    assert (counts.figures().more, counts.figures().more_random) == (0, 0)
    assert counts.figures().accepted == int(delivered[:100].sum())


def test_parts_with_different_sampling_rates_weigh_as_many_images_as_they_have_in_the_slice() -> None:
    scores, truth = collection(6000, seed=3)
    drawn = sample(6000, 120, seed=4)
    high = np.setdiff1d(np.flatnonzero(scores >= 2), drawn)
    queried = np.random.default_rng(5).choice(high, 300, replace=False)
    chance = 300 / len(high)

    def probability(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.where(scores[rows] >= 2, chance, 0.0)

    frame, _, found = framed(scores, truth, drawn, certified=Certified(queried, drawn, 6000, probability))
    inside = np.arange(6000) % 2 == 0
    counts, there = SliceCounts(frame, inside), inside & (scores >= CUT)
    dense = np.isin(np.arange(6000), np.flatnonzero(scores >= 2))
    rates = []
    for part in (dense, ~dense):
        of_part = np.intersect1d(found.rows, np.flatnonzero(part & there))
        size = int((part & there).sum()) - int(np.isin(found.known, np.flatnonzero(part & there)).sum())
        rates.append((size, truth[of_part].mean()))
    assert counts._positives_above(0.95)[0] == pytest.approx(sum(size * rate for size, rate in rates))
    # a part of the slice that holds no label could have any precision, however many labels the other has
    sparse_labels = np.intersect1d(found.rows, np.flatnonzero(~dense & there))
    without = inside.copy()
    without[sparse_labels] = False
    _, low, top = SliceCounts(frame, without)._positives_above(0.95)
    size = int((~dense & there).sum()) - len(sparse_labels)
    assert top - low >= size


@pytest.mark.parametrize("positive", [0.3, 0.05])
@pytest.mark.parametrize("certifying", [False, True])
def test_intervals_of_slices_hold_the_truth_in_93_of_100_collections(positive: float, certifying: bool) -> None:
    held: dict[str, list[bool]] = {"precision": [], "prevalence": [], "recall": []}
    for seed in range(150):
        rng = np.random.default_rng([seed, certifying])
        scores, truth = collection(3000, positive=positive, seed=seed)
        drawn = sample(3000, 150, seed)
        certified = None
        if certifying:
            chance = np.where(scores >= 2, 0.5, np.where(scores >= CUT, 0.1, 0.0))
            chance[drawn] = 0
            queried = np.flatnonzero(rng.random(3000) < chance)
            certified = Certified(queried, drawn, 3000, lambda rows, chance=chance: chance[rows])  # type: ignore[misc]
        taught = np.setdiff1d(np.argsort(-scores)[:100], drawn)
        taught = taught if certified is None else taught[:0]
        frame, delivered, _ = framed(scores, truth, drawn, taught=taught, certified=certified)
        inside = rng.random(3000) < np.where(truth, 0.3, 0.15)
        counts = SliceCounts(frame, inside)
        truths = {
            "precision": truth[inside & delivered].mean(),
            "prevalence": truth[inside].mean(),
            "recall": delivered[inside & truth].mean(),
        }
        for name, true in truths.items():
            _, low, high = getattr(counts, name)()
            held[name].append(bool(low - 1e-9 <= true <= high + 1e-9))
    assert {name: np.mean(each) >= 0.93 for name, each in held.items()} == dict.fromkeys(held, True)


def test_images_of_one_project_are_not_independent_evidence() -> None:
    scores, truth = collection()
    drawn = sample(4000, 400)
    apart, _, _ = framed(scores, truth, drawn)
    groups = np.where(truth, 0, 1 + np.arange(4000) // 10)
    alike, _, _ = framed(scores, truth, drawn, groups=groups)
    inside = np.arange(4000) % 2 == 0
    narrow, wide = (SliceCounts(frame, inside).prevalence() for frame in (apart, alike))
    assert narrow[0] == wide[0]
    assert wide[2] - wide[1] > narrow[2] - narrow[1]


def test_as_many_more_labels_as_are_asked_for_narrow_the_interval_to_five_points() -> None:
    scores, truth = collection(40_000, seed=8)
    drawn = sample(40_000, 500, seed=8)
    frame, _, _ = framed(scores, truth, drawn)
    inside = np.arange(40_000) % 2 == 0
    asked = SliceCounts(frame, inside).figures()
    assert asked.more > 50
    above = np.setdiff1d(np.flatnonzero(inside & (scores >= CUT)), drawn)
    further = np.random.default_rng(8).choice(above, asked.more, replace=False)
    precise = np.concatenate([frame.precise.rows, further])
    states = frame.states.copy()
    states[further] |= np.where(truth[further], State.YES, State.NO).astype(np.uint16)
    grown = replace(frame, states=states, precise=Sampled(precise, truth[precise], precise))
    _, low, high = SliceCounts(grown, inside).precision()
    assert (high - low) / 2 == pytest.approx(0.05, abs=0.007)
    small = np.isin(np.arange(40_000), above[:30])
    assert SliceCounts(frame, small).figures(asked).more == 30, "no more than there are"


def test_labels_for_a_half_width_are_the_fewest_that_give_it() -> None:
    for proportion in (0.02, 0.3, 0.5, 0.9, 1.0):
        n = labels_for_half_width(proportion)
        low, high = exact_bounds(proportion * np.array([n, n - 1]), np.array([n, n - 1]))
        assert (high[0] - low[0]) / 2 <= 0.05 < (high[1] - low[1]) / 2


def test_the_p_value_is_the_risk_at_which_the_interval_of_the_difference_excludes_zero() -> None:
    scores, truth = collection(seed=6)
    worse = np.arange(4000) % 2 == 0
    truth &= ~(worse & (np.random.default_rng(60).random(4000) < 0.6))
    frame, _, _ = framed(scores, truth, sample(4000, 300))
    one, rest = SliceCounts(frame, worse), SliceCounts(frame, ~worse)
    p = p_value(one, rest)
    assert 0 < p < 0.05
    for risk, excluded in ((p * 1.02, True), (p * 0.98, False)):
        value, low, high = difference(one.precision(1 - risk), rest.precision(1 - risk))
        assert value < 0
        assert (high < 0) == excluded
        assert low < value
    assert p_value(one, one) == 1.0


def test_holm_corrects_for_the_number_of_tests_and_keeps_their_order() -> None:
    given = np.array([0.001, 0.2, 0.012, 0.04, 0.5])
    corrected = holm(given)
    assert corrected == pytest.approx([0.005, 0.4, 0.048, 0.12, 0.5])
    assert (np.argsort(corrected) == np.argsort(given)).all()
    assert holm([]).tolist() == []


def test_slices_of_a_collection_without_differences_are_rarely_said_to_differ() -> None:
    flagged = []
    for seed in range(60):
        scores, truth = collection(3000, seed=seed)
        frame, _, _ = framed(scores, truth, sample(3000, 400, seed))
        place = np.random.default_rng(seed).integers(10, size=3000)
        found = [p_value(SliceCounts(frame, place == one), SliceCounts(frame, place != one)) for one in range(10)]
        flagged.append(holm(found).min() <= 0.05)
    assert np.mean(flagged) <= 0.05


def test_a_slice_that_was_picked_from_the_sample_is_recognised() -> None:
    scores, truth = collection()
    drawn, every = sample(4000, 200), np.ones(4000, bool)
    frame, _, _ = framed(scores, truth, drawn)
    wrong = drawn[~truth[drawn]][:20]
    (found,) = overlaps(frame, np.isin(np.arange(4000), wrong), every)
    assert (found.held, found.sampled, found.by_chance) == (20, 200, False)
    assert found.expected == pytest.approx(1.0)
    none = np.ones(4000, bool)
    none[drawn] = False
    assert not overlaps(frame, none, every)[0].by_chance
    for seed in range(20):
        assert overlaps(frame, np.random.default_rng(seed).random(4000) < 0.2, every)[0].by_chance
    without = every.copy()
    without[drawn[:3]] = False
    assert overlaps(frame, without, without)[0].by_chance, "removed images are no members, and were not picked"


def certifying(seed: int) -> tuple[Frame, NDArray[np.float32], Mask, NDArray[np.int64]]:
    """A collection of which a certification has asked about every image of the highest scores, and 1 of 50 others."""
    scores, truth = collection(6000, seed=seed)
    drawn, rng = sample(6000, 60, seed), np.random.default_rng([seed, 1])
    chance = np.where(scores >= 3, 1.0, np.where(scores >= CUT, 0.05, 0.0))
    chance[drawn] = 0
    queried = np.flatnonzero(rng.random(6000) < chance)
    frame, _, _ = framed(scores, truth, drawn, certified=Certified(queried, drawn, 6000, lambda rows: chance[rows]))
    return frame, scores, truth, queried


def test_a_slice_that_was_picked_from_a_certification_is_recognised_and_a_search_is_not() -> None:
    every = np.ones(6000, bool)
    for seed in range(20):
        frame, scores, truth, queried = certifying(seed)
        rng = np.random.default_rng(seed)
        mistakes = np.isin(np.arange(6000), queried[~truth[queried] | (rng.random(len(queried)) < 0.15)])
        for picked in (mistakes, mistakes | (rng.random(6000) < 0.1), ~mistakes):
            assert not all(each.by_chance for each in overlaps(frame, picked, every))
        similar = scores + rng.normal(size=6000) > 2
        assert all(each.by_chance for each in overlaps(frame, similar, every))


def test_an_interval_holds_where_a_certification_asked_about_some_images_much_more_often_than_about_others() -> None:
    held, wrong = [], []
    for seed in range(150):
        frame, _, truth, _ = certifying(seed)
        inside = np.random.default_rng([seed, 2]).random(6000) < 0.2
        delivered = (frame.states & State.DELIVERED) > 0
        one, rest = SliceCounts(frame, inside), SliceCounts(frame, ~inside)
        _, low, high = one.precision()
        held.append(low - 1e-9 <= truth[inside & delivered].mean() <= high + 1e-9)
        wrong.append(p_value(one, rest) <= 0.05)
    assert np.mean(held) >= 0.93
    assert np.mean(wrong) <= 0.07


def test_recall_counts_delivered_and_missed_images_of_the_same_time() -> None:
    held, apart = [], []
    for seed in range(60):
        scores, truth = collection(6000, seed=seed)
        drawn = sample(2000, 300, seed)  # later came four thousand more
        chance = np.where(scores >= CUT, 0.5, 0.0)
        chance[drawn] = 0
        queried = np.flatnonzero(np.random.default_rng(seed).random(6000) < chance)
        labels = np.full(6000, -1, np.int8)
        asked = np.concatenate([drawn, queried])
        labels[asked] = truth[asked]
        certified = Certified(queried, drawn, 6000, lambda rows, chance=chance: chance[rows])  # type: ignore[misc]
        found = select_evidence(scores, labels, [Draw(drawn, drawn[:0], 2000)], certified)
        delivered = (labels == 1) | ((labels < 0) & (scores >= CUT))
        frame = frame_of(scores, labels, found, CUT, delivered=delivered, groups=np.arange(6000))
        value, low, high = SliceCounts(frame, np.ones(6000, bool)).recall()
        true = delivered[truth & (np.arange(6000) < 2000)].mean()
        held.append(low <= true <= high)
        apart.append(value - true)
    assert np.mean(held) >= 0.93
    assert abs(np.mean(apart)) < 0.02


def test_a_slice_of_one_project_has_as_many_independent_labels_as_it_has_labels() -> None:
    scores, truth = collection()
    drawn, groups = sample(4000, 800), np.arange(4000) // 1000
    frame, _, _ = framed(scores, truth, drawn, groups=groups)
    inside = groups == 2
    among = drawn[inside[drawn]]
    low, high = exact_bounds(truth[among].sum(), len(among))
    assert SliceCounts(frame, inside).prevalence()[1:] == pytest.approx((float(low), float(high)))


def test_an_empty_slice_has_no_recall() -> None:
    frame, _, _ = framed(*collection(), sample(4000, 200))
    value, low, high = SliceCounts(frame, np.zeros(4000, bool)).recall()
    assert np.isnan(value)
    assert (low, high) == (0.0, 1.0)
