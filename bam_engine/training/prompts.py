"""Prompts: what an attribute looks like, in words, and the weak guess that an encoder of texts makes from them.

In:  lines of text, the vectors. Out: a direction in the space of the vectors, and for each image how well it fits. A
guess orders images; it is no label, trains nothing and evaluates nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.database import read_setting, write_setting
from bam_engine.errors import LearningError
from bam_engine.learning.similarity import cosine_similarities
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed
from bam_engine.workspace.memory import Kind
from bam_engine.workspace.vectors import embedded_rows, text_vectors, vectors_of, vectors_state

MAX_PROMPTS = 32
MAX_LENGTH = 300
"""Characters of a prompt; encoders read the first 50 words or so."""

_NOT = "not "
_SHOWN = 3  # more are counted
_DIRECTIONS = Kind[NDArray[np.float32]]("directions of prompts", of="encoder and prompts", until="never", limit=16)
_GUESSES = Kind[NDArray[np.float32]](
    "guesses from prompts", of="encoder and prompts", until="vectors change, images are removed", limit=4
)


@dataclass(frozen=True)
class Prompts:
    """Descriptions of images that have an attribute, and of some that do not, which resemble them.

    Examples
    --------
    >>> prompts = Prompts.parse("a photo of a dog\\nnot a photo of a cat")
    >>> prompts
    Prompts(wanted=('a photo of a dog',), unwanted=('a photo of a cat',))
    >>> str(prompts)
    '“a photo of a dog”, not “a photo of a cat”'
    >>> str(Prompts(("a dog", "a puppy", "a hound", "a terrier")))
    '“a dog”, “a puppy” and 2 more'
    """

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Prompts":
        """Return the prompts of a text: one in each line; a line that begins with "not" describes other images.

        Raises
        ------
        LearningError
            No line describes what to look for, or there are too many, or too long ones.
        """
        lines = list(dict.fromkeys(" ".join(line.split()) for line in text.splitlines() if line.strip()))
        unwanted = tuple(line[len(_NOT) :] for line in lines if line.lower().startswith(_NOT))
        wanted = tuple(line for line in lines if not line.lower().startswith(_NOT) and line.lower() != _NOT.strip())
        if not wanted:
            raise LearningError("The prompts do not say what to look for. Describe it in a line without “not”.")
        if len(lines) > MAX_PROMPTS or max(map(len, lines)) > MAX_LENGTH:
            raise LearningError(
                f"There are {len(lines)} prompts, of up to {max(map(len, lines)):,} characters. Write at most "
                f"{MAX_PROMPTS} lines of {MAX_LENGTH} characters."
            )
        return cls(wanted, unwanted)

    def __str__(self) -> str:
        quoted = [*(f"“{each}”" for each in self.wanted), *(f"not “{each}”" for each in self.unwanted)]
        return ", ".join(quoted) if len(quoted) <= _SHOWN else f"{', '.join(quoted[:2])} and {len(quoted) - 2} more"


def prompts_of(workspace: Workspace, attribute: Attribute) -> str:
    """Return the prompts of an attribute as they were saved; initially its question without the question mark."""
    return str(read_setting(workspace.engine, _key(attribute), attribute.question.rstrip("?")))


def save_prompts(workspace: Workspace, attribute: Attribute, text: str) -> None:
    """Save the prompts of an attribute.

    Raises
    ------
    LearningError
        They are no prompts (:meth:`Prompts.parse`).
    """
    Prompts.parse(text)
    if text != prompts_of(workspace, attribute):
        write_setting(workspace.engine, _key(attribute), text)


def direction(workspace: Workspace, prompts: Prompts) -> NDArray[np.float32]:
    """Return the unit vector (d,) in whose direction images fit the prompts.

    The vectors of several prompts are averaged, as in Radford et al., "Learning Transferable Visual Models From Natural
    Language Supervision" (ICML 2021), section 3.1.4. Unwanted ones are averaged alike and subtracted.

    Raises
    ------
    EmbeddingError
        The encoder in use embeds images only.
    LearningError
        The prompts cancel each other.
    """
    return workspace.memory.get(_DIRECTIONS, (workspace.choice.key, prompts), None, lambda: _direct(workspace, prompts))


def _direct(workspace: Workspace, prompts: Prompts) -> NDArray[np.float32]:
    vectors = text_vectors(workspace, [*prompts.wanted, *prompts.unwanted])
    wanted, unwanted = vectors[: len(prompts.wanted)], vectors[len(prompts.wanted) :]
    ahead = _unit(wanted.mean(axis=0))
    if len(unwanted):
        ahead = _unit(ahead - _unit(unwanted.mean(axis=0)))
    if not ahead.any():
        raise LearningError(f"The prompts {prompts} cancel each other. Change one of them.")
    return ahead


def guesses(workspace: Workspace, prompts: Prompts) -> NDArray[np.float32]:
    """Return how well each embedded row fits the prompts, (n,) float32 from -1 to 1; nan without a vector.

    Raises
    ------
    EmbeddingError
        The encoder in use embeds images only, or nothing is embedded.
    """
    subject, version = (workspace.choice.key, prompts), (vectors_state(workspace), removed(workspace).version)

    def make() -> NDArray[np.float32]:
        vectors, rows = vectors_of(workspace), embedded_rows(workspace)
        values = np.full(len(vectors), np.nan, np.float32)
        values[rows] = cosine_similarities(vectors, direction(workspace, prompts)[None], rows)[:, 0]
        return values

    return workspace.memory.get(_GUESSES, subject, version, make)


def shares_ahead(workspace: Workspace, prompts: Prompts, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return for each row the share of the embedded images that fit the prompts at least as well, 0 to 1."""
    values = guesses(workspace, prompts)
    known = np.sort(values[np.isfinite(values)])
    shares: NDArray[np.float64] = 1 - np.searchsorted(known, values[rows]) / len(known)
    return shares


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vector)
    unit: NDArray[np.float32] = np.asarray(vector / length if length > 1e-4 else 0 * vector, np.float32)
    return unit


def _key(attribute: Attribute) -> str:
    return f"prompts {attribute.id}"
