import numpy as np
import pytest

from bam_engine.errors import LearningError, Stopped
from bam_engine.learning import STRATEGIES, comparison_table, draw_validation, simulate


@pytest.fixture(scope="module")
def world():
    """Ten per cent positives in two of twenty gaussian neighbourhoods; every image has a near-copy in its project."""
    rng = np.random.default_rng(4)
    cluster = rng.integers(0, 20, size=1500)
    centres = rng.normal(size=(20, 24))
    once = centres[cluster] + 0.7 * rng.normal(size=(1500, 24))
    vectors = np.repeat(once, 2, axis=0) + 0.01 * rng.normal(size=(3000, 24))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[[7, 500]] = 0  # could not be embedded
    return vectors.astype(np.float16), np.repeat(cluster < 2, 2), np.repeat(np.arange(1500), 2)


SIZE = {"batch": 40, "validation": 300}


@pytest.fixture(scope="module")
def played(world):
    return {name: [simulate(*world, strategy=name, seed=s, **SIZE) for s in range(3)] for name in ("mixture", "random")}


def test_each_round_adds_a_batch_and_the_validation_labels_are_counted_apart(played):
    for run in played["mixture"] + played["random"]:
        assert [one.round for one in run] == [1, 2, 3, 4]
        assert [one.labels for one in run] == [40, 80, 120, 160]
        assert {one.validation for one in run} == {300}
        assert (np.diff([one.positives for one in run]) >= 0).all()


def test_labels_make_the_classifier_better(played):
    for runs in played.values():
        assert np.mean([r[-1].average_precision for r in runs]) > np.mean([r[0].average_precision for r in runs])


def test_asking_by_mixture_finds_more_positives_and_ranks_better_than_asking_at_random(played):
    final = {name: [run[-1] for run in runs] for name, runs in played.items()}
    positives = {name: np.mean([one.positives for one in ones]) for name, ones in final.items()}
    ranking = {name: np.mean([one.validation_average_precision for one in ones]) for name, ones in final.items()}
    assert positives["mixture"] > 1.5 * positives["random"]
    assert ranking["mixture"] > ranking["random"] - 0.005


def test_the_same_seed_gives_the_same_simulation(world, played):
    again = simulate(*world, strategy="mixture", seed=1, **SIZE)
    assert again == played["mixture"][1]


def test_nobody_asks_the_validation_set_its_projects_or_what_has_no_vector(world, monkeypatch):
    from bam_engine.learning import simulation as room

    vectors, truth, groups = world
    held, asked, real = [], [], {"draw": draw_validation, "select": room.select_batch}

    def draw(*args, **kwargs):
        held.append(real["draw"](*args, **kwargs))
        return held[-1]

    def select(strategy, vectors, scores, pool, *args, **kwargs):
        asked.append(np.asarray(pool))
        return real["select"](strategy, vectors, scores, pool, *args, **kwargs)

    monkeypatch.setattr(room, "draw_validation", draw)
    monkeypatch.setattr(room, "select_batch", select)
    for strategy in ("mixture", "margin"):
        simulate(vectors, truth, groups, strategy=strategy, rounds=2, **SIZE)
    assert np.array_equal(held[0].rows, held[1].rows)
    assert not set(held[0].rows.tolist()) & {7, 500}
    for pool in asked:
        assert not set(groups[pool]) & set(groups[held[0].rows])
        assert not {7, 500} & set(pool.tolist())


def test_true_figures_are_those_of_the_images_outside_the_training_labels(world, monkeypatch):
    from bam_engine.learning import simulation as room

    vectors, truth, groups = world
    seen = []
    real = room._outcome
    monkeypatch.setattr(room, "_outcome", lambda *args: seen.append(args) or real(*args))
    outcome = simulate(vectors, truth, groups, rounds=2, **SIZE)[-1]
    _, _, labelled, scores, _ = seen[-1]
    outside = np.setdiff1d(np.arange(3000), [*labelled, 7, 500])
    accepted = outside[scores[outside] >= outcome.threshold.value]
    assert outcome.accepted == len(accepted)
    assert outcome.precision == pytest.approx(truth[accepted].mean())
    assert outcome.recall == pytest.approx(truth[accepted].sum() / truth[outside].sum())


def test_examples_start_a_search_that_a_spread_batch_cannot(world):
    vectors, truth, groups = world
    rare = truth & (np.cumsum(truth) <= 30)
    seeds = vectors[rare][:4]
    by_example = simulate(vectors, rare, groups, seeds=seeds, rounds=1, **SIZE)
    assert by_example[0].positives > simulate(vectors, rare, groups, rounds=1, **SIZE)[0].positives


def test_rounds_without_a_positive_go_on_and_say_why(world):
    vectors, _, groups = world
    nearly_none = np.zeros(3000, dtype=bool)
    nearly_none[1234] = True
    outcomes = simulate(vectors, nearly_none, groups, rounds=2, **SIZE)
    assert len(outcomes) == 2
    assert "are negative" in outcomes[0].problem
    assert np.isnan(outcomes[0].average_precision)
    assert outcomes[0].threshold is None
    assert comparison_table(outcomes, outcomes).count("nan") == 16


def test_a_small_pool_ends_the_game_early(world):
    vectors, truth, _ = world
    outcomes = simulate(vectors[:160], truth[:160], rounds=4, batch=60, validation=50)
    full, all_but_copies, everything = [one.labels for one in outcomes]
    assert (full, everything) == (60, 109)
    assert full < all_but_copies < 90  # then nothing but near-copies of what was asked is left


def test_the_table_shows_both_runs_side_by_side(played):
    table = comparison_table(played["mixture"][0], played["random"][0])
    assert "mixture" in table
    assert "random" in table
    assert len(table.splitlines()) == 9
    assert table.splitlines()[-1].split()[:2] == ["4", "160"]


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_strategy_can_be_simulated(world, strategy):
    vectors, truth, groups = world
    assert len(simulate(vectors, truth, groups, strategy=strategy, rounds=2, batch=30, validation=100)) == 2


def test_a_game_can_be_stopped_and_bad_input_is_refused_in_words(world):
    vectors, truth, groups = world

    def stop(done, total, message=""):
        raise Stopped(f"{done} of {total}")

    with pytest.raises(Stopped, match="1 of 4"):
        simulate(vectors, truth, groups, report=stop, **SIZE)
    with pytest.raises(LearningError, match="Every true label is negative, of 3,000 images"):
        simulate(vectors, np.zeros(3000), groups)
    with pytest.raises(LearningError, match="2 true labels do not match 3,000 vectors"):
        simulate(vectors, [0, 1])
    with pytest.raises(LearningError, match="Unknown query strategy"):
        simulate(vectors, truth, strategy="luck")
