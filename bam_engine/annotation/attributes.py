"""Attributes: yes/no questions about images.

In:  a name, a kind, a question and its instructions. Out: :class:`Attribute` records. Also checks which names are valid
as dataset columns.
"""

import re
import unicodedata
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


def check_name(name: str, kind: str = "own") -> str:
    """Return a title as the name of a dataset column: lower-case letters, digits and underscores.

    A title that is a reserved word of SQL, or begins with a digit, gets the kind before it.

    Raises
    ------
    AnnotationError
        Nothing is left of the title, or more than 60 characters are.

    Examples
    --------
    >>> check_name("Oil painting"), check_name("media_watercolor")
    ('oil_painting', 'media_watercolor')
    >>> check_name("3D graphics", "media"), check_name("Order")
    ('media_3d_graphics', 'own_order')
    """
    if _NAME.fullmatch(name) and name not in _reserved():
        return name
    letters = unicodedata.normalize("NFKD", name.casefold())
    column = re.sub(r"[^a-z0-9]+", "_", "".join(one for one in letters if not unicodedata.combining(one))).strip("_")
    if not column:
        raise AnnotationError(f"{name!r} cannot be an attribute's name. Use letters from a to z, digits and blanks.")
    if column[0].isdigit() or column in _reserved():
        column = f"{kind}_{column}"
    if len(column) > MAX_NAME_LENGTH:
        raise AnnotationError(
            f"The attribute's name has {len(column):,} characters. Use {MAX_NAME_LENGTH} at most, and put the rest "
            "into the question."
        )
    return column


def readable(name: str) -> str:
    """Return a display name.

    Examples
    --------
    >>> readable("media_oil_paint"), readable("blue"), readable("full_moon")
    ('oil paint (media)', 'blue', 'full moon')
    """
    kind, _, rest = name.partition("_")
    return f"{rest.replace('_', ' ')} ({kind})" if rest and kind in KINDS else name.replace("_", " ")


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
