"""A finding: one kind of damage, in words, with what mends it; and what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bam_engine.progress import Report

Remake = Callable[[Report], object]
Step = Callable[[str], None]
"""Called after each file, with the kind of it."""

Files = Sequence[Path]


@dataclass(frozen=True)
class Finding:
    """One kind of damage.

    Attributes
    ----------
    what
        What is damaged: a sentence.
    cure
        What mends it: a sentence.
    files
        Files and folders that a repair deletes.
    remake
        What a repair does afterwards, to derive again what was deleted; None if that happens when it is next needed.
    command
        What mends it on the command line, where a repair does not; "" where no command does.
    """

    what: str
    cure: str
    files: tuple[Path, ...] = ()
    remake: Remake | None = None
    command: str = ""

    @property
    def repairable(self) -> bool:
        """Whether a repair mends it."""
        return bool(self.files) or self.remake is not None


@dataclass(frozen=True)
class Outcome:
    """What became of a finding; ``problem`` says why it could not be repaired, "" where it was."""

    finding: Finding
    problem: str = ""


def first_of(things: Sequence[object]) -> str:
    """Return the words that name the first of several things.

    Examples
    --------
    >>> first_of(["cat.jpg", "dog.jpg"]), first_of(["cat.jpg"])
    (', the first: cat.jpg', ': cat.jpg')
    """
    return f"{', the first' if len(things) > 1 else ''}: {things[0]}"
