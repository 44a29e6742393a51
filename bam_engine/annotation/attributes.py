"""Attributes: the yes/no questions that are asked about images.

In:  a name, a kind, the question and its instructions. Out: :class:`Attribute` records. Knows which names are safe as a
column of a dataset, and nothing of the answers.
"""

import re
from dataclasses import dataclass
from functools import cache

from bam_engine.errors import AnnotationError

KINDS = ("content", "emotion", "media", "own")
LONGEST_NAME = 60

_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{LONGEST_NAME - 1}}}")


@dataclass(frozen=True)
class Attribute:
    """One yes/no question; ``name`` is the column it becomes in a dataset."""

    id: int
    name: str
    kind: str
    question: str
    instructions: str


def check_name(name: str) -> str:
    """Return ``name`` if it can be a column of a dataset.

    Raises
    ------
    AnnotationError
        Not lower-case letters, digits and underscores with a letter first, longer than 60, or a word of SQL.

    Examples
    --------
    >>> check_name("media_watercolor")
    'media_watercolor'
    """
    if not _NAME.fullmatch(name):
        raise AnnotationError(
            f"{name!r} cannot be an attribute's name: use lower-case letters, digits and _, a letter first, "
            f"{LONGEST_NAME} characters at most.{_suggestion(name)}"
        )
    if name in _reserved():
        raise AnnotationError(
            f"{name!r} cannot be an attribute's name: it means something else in a database. Try 'content_{name}'."
        )
    return name


def readable(name: str) -> str:
    """Return an attribute's name for people.

    Examples
    --------
    >>> readable("media_oil_paint"), readable("blue")
    ('oil paint (media)', 'blue')
    """
    kind, _, rest = name.partition("_")
    return f"{rest.replace('_', ' ')} ({kind})" if rest else name


def _suggestion(name: str) -> str:
    better = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_").lstrip("0123456789_")[:LONGEST_NAME].rstrip("_")
    return f" Try {better!r}." if better and better not in _reserved() else ""


@cache
def _reserved() -> frozenset[str]:
    """Return the words of SQL, and the columns that stand beside the attributes in an export."""
    from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer
    from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer

    return frozenset(SQLiteIdentifierPreparer.reserved_words) | PGIdentifierPreparer.reserved_words | {"mid", "row"}


def check_kind(kind: str) -> str:
    """Return ``kind`` if it is one of ``KINDS``; raise :class:`AnnotationError` otherwise."""
    if kind not in KINDS:
        raise AnnotationError(f"{kind!r} is not a kind of attribute: choose one of {', '.join(KINDS)}.")
    return kind


def check_question(question: str) -> str:
    """Return ``question`` without blanks at its ends; raise :class:`AnnotationError` if nothing is left."""
    if not question.strip():
        raise AnnotationError("the question is empty: write what people are to answer by yes or no.")
    return question.strip()
