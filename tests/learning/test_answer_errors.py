"""Estimates corrected for wrong answers hold the truth as often as they say where the model is right."""

from dataclasses import replace

import numpy as np
import pytest

from bam_engine.errors import LearningError
from bam_engine.learning import AnsweredImages, answer_errors, correct_for_errors


def collection(
    rng: np.random.Generator,
    *,
    prevalences: tuple[float, float] = (0.9, 0.1),
    missed: float = 0.05,
    false: float = 0.05,
    sampled: int = 200,
    others: int = 1000,
) -> tuple[AnsweredImages, dict[str, float]]:
    """Let two people, and a third where they differ, answer about images above and below a threshold; with the truth.

    A quarter of the sampled images lies above it.
    """
    sizes = sampled // 4, sampled - sampled // 4
    group = np.repeat([0, 1], sizes)
    truth = rng.random(sampled) < np.array(prevalences)[group]
    says = np.where(truth[:, None], rng.random((sampled, 3)) >= missed, rng.random((sampled, 3)) < false)
    differ = says[:, 0] != says[:, 1]
    yes, answers = says[:, 0].astype(int) + says[:, 1] + differ * says[:, 2], 2 + differ
    delivered = yes >= 2
    rest = [rng.binomial(others, each) for each in prevalences]
    found, total = (truth & delivered).sum() + rest[0], truth.sum() + sum(rest)
    images = AnsweredImages(
        yes=yes,
        answers=answers,
        delivered=delivered,
        group=group,
        member=np.full(sampled, -1),
        weights=np.ones(sampled),
        above=np.array([True, False]),
        others=np.array([others, others]),
    )
    truths = {
        "precision": found / (delivered.sum() + others),
        "recall": found / max(total, 1),
        "sensitivity": 1 - missed,
        "specificity": 1 - false,
    }
    return images, truths


def test_each_interval_holds_the_truth_in_95_of_100_cases_that_are_drawn_from_the_prior(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, size in (("_ERRORS", 20), ("_PREVALENCES", 60), ("_DRAWS", 800)):
        monkeypatch.setattr(answer_errors, name, size)
    rng, held = np.random.default_rng(0), dict.fromkeys(("precision", "recall", "sensitivity", "specificity"), 0)
    runs = 150
    for _ in range(runs):
        images, truths = collection(
            rng,
            prevalences=(rng.beta(0.5, 0.5), rng.beta(0.5, 0.5)),
            missed=0.5 * rng.random() ** 2,
            false=0.5 * rng.random() ** 2,
        )
        found = correct_for_errors(images)
        for name, truth in truths.items():
            low, high = getattr(found, name)[1:]
            held[name] += low - 0.005 <= truth <= high + 0.005  # half a step of the coarse grid
    assert all(0.90 <= each / runs <= 1 for each in held.values()), held


def test_many_answers_tell_the_rates_and_the_proportions() -> None:
    images, truths = collection(np.random.default_rng(1), missed=0.12, false=0.04, sampled=20_000, others=20_000)
    found = correct_for_errors(images)
    for name, truth in truths.items():
        value, low, high = getattr(found, name)
        assert value == pytest.approx(truth, abs=0.02), name
        assert high - low < 0.04


def test_wrong_answers_about_many_negatives_are_not_taken_for_missed_positives() -> None:
    images, truths = collection(np.random.default_rng(2), prevalences=(0.9, 0.0), sampled=400, others=5000)
    below = ~images.above[images.group]
    one_judge = 1 / (1 + (images.yes[below] > 0).mean() / 0.9)  # whoever counts each yes as a positive
    assert one_judge < 0.95
    assert correct_for_errors(images).recall[0] > 0.98
    assert truths["recall"] > 0.99


def test_who_never_differs_leaves_the_estimates_as_the_labels_say() -> None:
    images, truths = collection(np.random.default_rng(3), missed=0, false=0, sampled=2000, others=0)
    found = correct_for_errors(images)
    assert found.precision[0] == pytest.approx(truths["precision"], abs=0.002)
    assert found.recall[0] == pytest.approx(truths["recall"], abs=0.002)
    assert found.precision[2] - found.precision[1] < 0.01


def test_the_same_answers_give_the_same_estimate_in_any_order() -> None:
    images, _ = collection(np.random.default_rng(4))
    order = np.random.default_rng(5).permutation(len(images.yes))
    each = ("yes", "answers", "delivered", "group", "member", "weights")
    shuffled = replace(images, **{name: getattr(images, name)[order] for name in each})
    assert correct_for_errors(shuffled) == correct_for_errors(images)


def test_images_that_resemble_each_other_tell_less() -> None:
    images, _ = collection(np.random.default_rng(6))
    fewer = correct_for_errors(replace(images, weights=np.full(len(images.yes), 0.25)))
    found = correct_for_errors(images)
    assert fewer.recall[2] - fewer.recall[1] > 1.3 * (found.recall[2] - found.recall[1])


def test_what_was_labelled_among_the_others_is_taken_off() -> None:
    images, _ = collection(np.random.default_rng(7), prevalences=(0.9, 0.1), others=100)
    taught = {  # all others below the threshold, labelled by one person: 10 positives, found
        "yes": np.repeat([1, 0], [10, 90]),
        "answers": np.ones(100, int),
        "delivered": np.arange(100) < 10,
        "group": np.full(100, 2),
        "member": np.full(100, 1),
        "weights": np.ones(100),
    }
    known = replace(
        images,
        **{name: np.concatenate([getattr(images, name), values]) for name, values in taught.items()},
        above=np.array([True, False, False]),
        others=np.append(images.others, 0),
    )
    assert correct_for_errors(known).recall[0] > correct_for_errors(images).recall[0]


def test_it_says_in_sentences_what_it_found_and_what_it_assumes() -> None:
    images, _ = collection(np.random.default_rng(8))
    words = correct_for_errors(images).summary
    assert words.startswith("Corrected for wrong answers: precision ")
    assert "By 200 images with answers of several people, one person says yes to " in words
    assert "people err independently" in words


def test_more_people_say_yes_than_answer_in_no_collection() -> None:
    images, _ = collection(np.random.default_rng(9))
    with pytest.raises(LearningError, match="Count each answer once"):
        replace(images, yes=images.answers + 1)
