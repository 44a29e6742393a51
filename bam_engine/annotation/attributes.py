"""Attributes: yes/no questions about images.

In:  a name, a kind, a question and its instructions. Out: :class:`Attribute` records. Also checks which names are valid
as dataset columns.
"""

import re
from dataclasses import dataclass
from functools import cache

from bam_engine.errors import AnnotationError

KINDS = ("content", "emotion", "media", "own")
MAX_NAME_LENGTH = 60

_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_NAME_LENGTH - 1}}}")


@dataclass(frozen=True)
class Attribute:
    """A yes/no question; ``name`` is its column in exported datasets."""

    id: int
    name: str
    kind: str
    question: str
    instructions: str
    archived: bool = False


def check_name(name: str) -> str:
    """Return ``name`` if it is valid as a dataset column.

    Raises
    ------
    AnnotationError
        The name has characters other than lower-case letters, digits and underscores, does not start with a letter, is
        longer than 60 characters, or is an SQL keyword.

    Examples
    --------
    >>> check_name("media_watercolor")
    'media_watercolor'
    """
    if not _NAME.fullmatch(name):
        raise AnnotationError(
            f"{name!r} is not a valid attribute name. Use at most {MAX_NAME_LENGTH} lower-case letters, digits and "
            f"underscores, starting with a letter.{_suggestion(name)}"
        )
    if name in _reserved():
        raise AnnotationError(
            f"{name!r} is not a valid attribute name because it is a reserved word. Try 'content_{name}'."
        )
    return name


def readable(name: str) -> str:
    """Return a display name.

    Examples
    --------
    >>> readable("media_oil_paint"), readable("blue")
    ('oil paint (media)', 'blue')
    """
    kind, _, rest = name.partition("_")
    return f"{rest.replace('_', ' ')} ({kind})" if rest else name


def name_of(title: str) -> str:
    """Return the attribute name that is closest to a title; empty where it has no letter of the English alphabet.

    Examples
    --------
    >>> name_of("Is it a sketch?"), name_of("media_watercolor"), name_of("?")
    ('is_it_a_sketch', 'media_watercolor', '')
    """
    words = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return words.lstrip("0123456789_")[:MAX_NAME_LENGTH].rstrip("_")


def _suggestion(name: str) -> str:
    better = name_of(name)
    return f" Try {better!r}." if better and better not in _reserved() else ""


@cache
def _reserved() -> frozenset[str]:
    """Return the SQL keywords and the fixed column names of an export."""
    from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer
    from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer

    return frozenset(SQLiteIdentifierPreparer.reserved_words) | PGIdentifierPreparer.reserved_words | {"mid", "row"}


def check_kind(kind: str) -> str:
    """Return ``kind`` if it is one of ``KINDS``; raise :class:`AnnotationError` otherwise."""
    if kind not in KINDS:
        raise AnnotationError(f"{kind!r} is not a kind of attribute. Choose one of {', '.join(KINDS)}.")
    return kind


def check_question(question: str) -> str:
    """Return ``question`` stripped of whitespace; raise :class:`AnnotationError` if it is empty."""
    if not question.strip():
        raise AnnotationError("The question is empty. Enter a question that people can answer with yes or no.")
    return question.strip()
