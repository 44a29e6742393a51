"""Prompts and the guesses made from them, against the definition with open_clip's own code."""

from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.errors import EmbeddingError, LearningError
from bam_engine.labelling import tasks
from bam_engine.learning.query import MATCHES_TEXT
from bam_engine.training import querying, rounds, validation
from bam_engine.training.prompts import Prompts, direction, guesses, prompts_of, save_prompts, shares_ahead
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection, vectors_of
from tests.conftest import Oracle

TEXT = "a watercolour of a pear\na pear, painted\nnot a photo of a pear\nNot an emoji"


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.fixture
def reading(workspace: Workspace, clip_checkpoint: Path) -> Workspace:
    """The small pictures, embedded by an encoder that reads text."""
    workspace.choose_encoder("openclip:small-test", clip_checkpoint)
    embed_collection(workspace)
    return workspace


def expected_direction(checkpoint: Path, wanted: list[str], unwanted: list[str]) -> np.ndarray:
    import open_clip
    import torch

    model, _ = open_clip.create_model_from_pretrained("small-test", str(checkpoint))
    tokens = open_clip.get_tokenizer("small-test")
    with torch.inference_mode():
        parts = [
            unit(unit(model.encode_text(tokens(texts)).numpy()).mean(axis=0)) for texts in (wanted, unwanted) if texts
        ]
    return unit(parts[0] - parts[1]) if len(parts) == 2 else parts[0]


def test_a_line_is_a_prompt_and_not_begins_those_of_other_images() -> None:
    prompts = Prompts.parse("  a  dog \n\nNOT a cat\na dog\nnothing but dogs\n")
    assert prompts == Prompts(("a dog", "nothing but dogs"), ("a cat",))


@pytest.mark.parametrize("text", ["", " \n ", "not a cat", "not"])
def test_prompts_that_describe_nothing_are_refused(text: str) -> None:
    with pytest.raises(LearningError, match="do not say what to look for"):
        Prompts.parse(text)


@pytest.mark.parametrize("text", ["x" * 301, "\n".join(f"dog {n}" for n in range(33))])
def test_too_many_and_too_long_prompts_are_refused(text: str) -> None:
    with pytest.raises(LearningError, match="Write at most 32 lines of 300 characters"):
        Prompts.parse(text)


def test_several_prompts_are_averaged_and_unwanted_ones_subtracted(reading: Workspace, clip_checkpoint: Path) -> None:
    both = expected_direction(
        clip_checkpoint, ["a watercolour of a pear", "a pear, painted"], ["a photo of a pear", "an emoji"]
    )
    np.testing.assert_allclose(direction(reading, Prompts.parse(TEXT)), both, atol=1e-4)
    alone = expected_direction(clip_checkpoint, ["a pear"], [])
    np.testing.assert_allclose(direction(reading, Prompts.parse("a pear")), alone, atol=1e-4)
    with pytest.raises(LearningError, match="cancel each other"):
        direction(reading, Prompts.parse("a pear\nnot a pear"))


def test_a_guess_is_the_cosine_and_removed_images_have_none(reading: Workspace) -> None:
    prompts = Prompts.parse(TEXT)
    reading.removals.remove([7], reason="one")
    expected = unit(vectors_of(reading).astype(np.float64)) @ direction(reading, prompts)
    expected[7] = np.nan
    values = guesses(reading, prompts)
    np.testing.assert_allclose(values, expected, atol=1e-3)
    order = np.argsort(-values[np.isfinite(values)])
    rows = np.flatnonzero(np.isfinite(values))[order]
    shares = shares_ahead(reading, prompts, rows)
    assert shares[0] == pytest.approx(1 / 119)
    assert shares[-1] == 1
    assert (np.diff(shares) >= 0).all()


def test_the_first_batch_is_in_the_order_of_the_guesses_and_labels_nothing(
    reading: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(reading, watercolor, 20, seed=1)
    oracle.answer(reading, tasks.validation_task(reading, watercolor))
    labelled = len(tasks.labels(reading, watercolor).rows)
    strategy, batch = querying.propose(reading, watercolor, count=12, text=TEXT, seed=3)
    assert strategy == "text"
    values = guesses(reading, Prompts.parse(TEXT))
    matching = [row for row, why in zip(batch.rows, batch.reasons, strict=True) if why.startswith(MATCHES_TEXT)]
    assert len(matching) == 9
    assert (np.diff(values[matching]) <= 0).all()
    assert "“a watercolour of a pear”, “a pear, painted” and 2 more" in batch.reasons[0]
    started = rounds.start_round(reading, watercolor, count=12, text=TEXT, seed=3)
    assert list(started.task.rows) == batch.rows.tolist()
    assert len(tasks.labels(reading, watercolor).rows) == labelled
    assert len(querying.round_labels(reading, watercolor)[0]) == 0


def test_an_encoder_of_images_makes_no_guess(workspace: Workspace) -> None:
    with pytest.raises(EmbeddingError, match="embeds images only"):
        guesses(workspace, Prompts.parse("a pear"))


def test_prompts_belong_to_their_attribute(workspace: Workspace, watercolor: Attribute) -> None:
    other = workspace.attributes.add("dog", "content", "Does it show a dog?")
    assert prompts_of(workspace, other) == "Does it show a dog"
    save_prompts(workspace, other, "a dog\nnot a cat")
    renamed = workspace.attributes.rename(other.id, "hound")
    assert prompts_of(workspace, renamed) == "a dog\nnot a cat"
    assert prompts_of(workspace, watercolor) == "Is it a watercolour"
    with pytest.raises(LearningError):
        save_prompts(workspace, other, "not a cat")
    assert prompts_of(workspace, renamed) == "a dog\nnot a cat"
