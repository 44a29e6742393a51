"""Encoders side by side: each on the same labels, as its rounds measure it, and nothing of another one is touched."""

import shutil

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.embedding import encoder_key
from bam_engine.labelling import tasks
from bam_engine.training import certification, comparison, rounds, thresholds
from bam_engine.training.comparison import (
    compare_encoders,
    comparison_lines,
    difference_words,
    models_behind,
    train_behind,
)
from bam_engine.training.models import TrainedModel, latest_model, models, scores_file, scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.two_encoders import DESCRIPTORS, NETWORK, add_vectors, blind_vectors, use


@pytest.fixture
def both(played: Workspace, watercolor: Attribute) -> Workspace:
    """Descriptors, in use, and a network that sees nothing; both are trained on the same labels."""
    add_vectors(played, blind_vectors(played))
    train_with(played, watercolor, NETWORK)
    return played


def train_with(workspace: Workspace, attribute: Attribute, encoder: str) -> TrainedModel:
    with workspace.using(encoder):
        return rounds.train(workspace, attribute)


def average_precision(workspace: Workspace, attribute: Attribute, encoder: str) -> float:
    """By scikit-learn, on every labelled validation image."""
    from sklearn.metrics import average_precision_score

    rows = tasks.validation_task(workspace, attribute).rows
    labels = tasks.labels_of(tasks.labels(workspace, attribute), rows)
    model = latest_model(workspace, attribute, encoder)
    return float(average_precision_score(labels, scores_of(workspace, attribute, model)[rows]))


def test_each_encoder_has_the_average_precision_that_its_rounds_show(both: Workspace, watercolor: Attribute) -> None:
    found = compare_encoders(both, watercolor)
    assert [one.encoder for one in found.encoders] == [DESCRIPTORS, NETWORK]
    assert found.n == 40
    for one in found.encoders:
        assert one.model is not None
        assert one.model.measurement is not None
        assert one.current
        assert one.average_precision == one.model.measurement.average_precision
        assert one.average_precision is not None
        assert one.average_precision.value == pytest.approx(average_precision(both, watercolor, one.encoder))


def test_the_better_encoder_is_named_with_the_paired_difference(both: Workspace, watercolor: Attribute) -> None:
    (found,) = compare_encoders(both, watercolor).differences
    assert (found.encoder, found.than) == (DESCRIPTORS, NETWORK)
    gain = average_precision(both, watercolor, DESCRIPTORS) - average_precision(both, watercolor, NETWORK)
    assert found.difference.gain == pytest.approx(gain)
    assert 0 < found.difference.low < gain < found.difference.high
    assert difference_words(both, found).startswith("Fast preview (descriptors) is better than Network alone by 0.")


def test_of_two_encoders_that_see_the_same_none_is_better(played: Workspace, watercolor: Attribute) -> None:
    add_vectors(played, played.vectors().array())
    train_with(played, watercolor, NETWORK)
    (found,) = compare_encoders(played, watercolor).differences
    assert found.difference.low <= 0 <= found.difference.high
    assert not found.difference.shown
    assert "is not shown: the difference is" in difference_words(played, found)


def test_training_another_encoder_leaves_the_one_in_use_as_it_is(played: Workspace, watercolor: Attribute) -> None:
    add_vectors(played, blind_vectors(played))
    before, scores = models(played, watercolor), scores_of(played, watercolor).copy()
    file = scores_file(played, before[-1])
    content = file.read_bytes()
    trained = train_with(played, watercolor, NETWORK)
    assert trained.encoder == NETWORK
    assert trained.round_id == before[-1].round_id
    assert len(trained.coefficients) == 32 + 1
    assert [model.id for model in models(played, watercolor)] == [model.id for model in before]
    assert file.read_bytes() == content
    assert np.array_equal(scores_of(played, watercolor), scores, equal_nan=True)
    use(played, "network")
    assert [model.id for model in models(played, watercolor)] == [trained.id]
    state = rounds.state(played, watercolor)
    assert [round_.model is not None for round_ in state.rounds] == [False, True]
    assert state.step == "start_round"


def test_what_is_not_of_the_labels_of_today_is_named_and_trained(
    both: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    assert models_behind(both) == []
    later = rounds.start_round(both, watercolor, count=12, seed=9)
    assert models_behind(both) == [], "an open round is trained on once it is labelled"
    oracle.answer(both, later.task)
    assert models_behind(both) == [(watercolor, DESCRIPTORS), (watercolor, NETWORK)]
    assert not any(one.current for one in compare_encoders(both, watercolor).encoders)
    assert train_behind(both) == []
    found = compare_encoders(both, watercolor)
    assert models_behind(both) == []
    labels = {one.model.labels for one in found.encoders if one.model is not None}
    assert labels == {36}


def test_a_model_with_a_saved_threshold_or_a_certification_is_not_replaced(
    both: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    saved = thresholds.save(both, watercolor, thresholds.suggest(both, watercolor, target=0.6))
    oracle.answer(both, rounds.start_round(both, watercolor, count=12, seed=9).task)
    assert models_behind(both) == [(watercolor, NETWORK)]
    train_behind(both)
    current = thresholds.current_threshold(both, watercolor)
    assert current is not None
    assert current.id == saved.id
    with both.using(NETWORK):
        certification.start(both, watercolor, target=0.6)
    oracle.answer(both, rounds.start_round(both, watercolor, count=4, seed=10).task)
    assert models_behind(both) == []


def test_only_the_attributes_that_are_named_are_trained(played: Workspace, watercolor: Attribute) -> None:
    other = played.attributes.add("media_other", "media", "Is it another?")
    add_vectors(played, blind_vectors(played))
    assert train_behind(played, [other]) == []
    assert models(played, watercolor, NETWORK) == []
    train_behind(played, [watercolor])
    assert len(models(played, watercolor, NETWORK)) == 1


def test_no_model_is_trained_on_a_part_of_the_vectors(both: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    oracle.answer(both, rounds.start_round(both, watercolor, count=12, seed=9).task)
    store = both.vectors(NETWORK)
    vectors = store.array()[:50].copy()
    shutil.rmtree(both.cache / "vectors" / NETWORK)
    add_vectors(both, vectors)
    assert models_behind(both) == [(watercolor, DESCRIPTORS)]


def test_an_encoder_that_is_not_trained_or_has_not_embedded_all_images_says_so(
    played: Workspace, watercolor: Attribute
) -> None:
    add_vectors(played, blind_vectors(played))
    add_vectors(played, blind_vectors(played)[:50], "combined")
    by_key = {one.encoder: one for one in compare_encoders(played, watercolor).encoders}
    network, partial = by_key[NETWORK], by_key[next(key for key in by_key if key.startswith("combined"))]
    assert (network.model, network.trainable, network.problem) == (None, True, "No model is trained on it yet.")
    assert (partial.model, partial.trainable) == (None, False)
    assert partial.problem == "Only 50 of 120 images are embedded with it. Embed the others first."
    assert by_key[DESCRIPTORS].average_precision is not None
    assert models_behind(played) == [(watercolor, NETWORK)]


def test_an_image_that_one_encoder_cannot_read_counts_for_none(both: Workspace, watercolor: Attribute) -> None:
    lost = tasks.validation_task(both, watercolor).rows[:5]
    store = both.vectors(NETWORK)
    store.replace(lost, np.zeros((5, store.dim), np.float32))
    assert compare_encoders(both, watercolor).n == 35


def test_of_models_of_different_labels_none_is_called_better(
    both: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.answer(both, rounds.start_round(both, watercolor, count=12, seed=9).task)
    train_with(both, watercolor, NETWORK)
    found = compare_encoders(both, watercolor)
    assert [one.current for one in found.encoders] == [False, True]
    assert all(one.average_precision is not None for one in found.encoders), "each is measured"
    assert (found.best, found.differences) == (None, ())
    assert comparison_lines(both, found) == ["Models that have learned different labels are not compared."]
    train_with(both, watercolor, DESCRIPTORS)
    found = compare_encoders(both, watercolor)
    assert found.best == DESCRIPTORS
    assert len(found.differences) == len(comparison_lines(both, found)) == 1


def test_nothing_is_measured_again_while_another_encoder_embeds(
    both: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = blind_vectors(both)
    add_vectors(both, vectors[:20], "combined")
    before = compare_encoders(both, watercolor)
    monkeypatch.setattr(comparison, "average_precision_of", lambda *_: pytest.fail("it is measured again"))
    add_vectors(both, vectors[20:90], "combined")
    after = compare_encoders(both, watercolor)
    assert after.differences == before.differences
    of_today, then = ({one.encoder: one for one in found.encoders} for found in (after, before))
    problem = of_today.pop(encoder_key("combined")).problem
    assert problem == "Only 90 of 120 images are embedded with it. Embed the others first."
    assert of_today.items() <= then.items()
