"""Attributes: the yes/no questions that are asked about images.

In:  a name, a kind, the question and its instructions. Out: :class:`Attribute` records. Knows which names are safe as a
column of a dataset, and nothing of the answers.
"""

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer
from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer

from bam_engine.database import attributes, now
from bam_engine.errors import AnnotationError, NotThere

KINDS = ("content", "emotion", "media", "own")
LONGEST_NAME = 60

_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{LONGEST_NAME - 1}}}")
_TAKEN = (  # words of SQL, and the columns that stand beside the attributes in an export
    frozenset(SQLiteIdentifierPreparer.reserved_words) | PGIdentifierPreparer.reserved_words | {"mid", "row"}
)


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
    if name in _TAKEN:
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
    return f" Try {better!r}." if better and better not in _TAKEN else ""


class Attributes:
    """The attributes of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, name: str, kind: str, question: str, instructions: str = "") -> Attribute:
        """Define a new attribute.

        Parameters
        ----------
        name
            Lower-case snake, a letter first, 60 characters at most; it cannot be changed later.
        kind
            One of ``KINDS``.
        question
            What annotators are asked; answered by yes or no.
        instructions
            What counts, what does not, and what to do with the cases between.

        Raises
        ------
        AnnotationError
            The name is unsafe or taken, the kind unknown, or the question empty.
        """
        values = {
            "name": check_name(name),
            "kind": _checked_kind(kind),
            "question": _checked_question(question),
            "instructions": instructions.strip(),
        }
        try:
            with self._engine.begin() as connection:
                made = connection.execute(sa.insert(attributes).values(**values, made_at=now()))
                key = made.inserted_primary_key
        except sa.exc.IntegrityError as error:
            raise AnnotationError(
                f"there is already an attribute {name!r}: open that one, or choose another name."
            ) from error
        if key is None:
            raise AnnotationError(f"the attribute {name!r} was stored without a number. Open the workspace again.")
        return self.by_id(int(key[0]))

    def get(self, name: str) -> Attribute:
        """Return the attribute called ``name``; :class:`NotThere` lists those there are."""
        found = self._select(attributes.c.name == name)
        if not found:
            there = ", ".join(attribute.name for attribute in self.all()) or "none yet"
            raise NotThere(f"there is no attribute {name!r}. There are: {there}.")
        return found[0]

    def by_id(self, attribute_id: int) -> Attribute:
        """Return the attribute numbered ``attribute_id``, or raise :class:`NotThere`."""
        found = self._select(attributes.c.id == attribute_id)
        if not found:
            raise NotThere(f"there is no attribute number {attribute_id}. Choose one from the list of attributes.")
        return found[0]

    def all(self) -> list[Attribute]:
        """Return every attribute in the order in which they were defined."""
        return self._select(sa.true())

    def update(
        self,
        attribute_id: int,
        *,
        kind: str | None = None,
        question: str | None = None,
        instructions: str | None = None,
    ) -> Attribute:
        """Change what is given; the name stays, for datasets and links carry it."""
        values: dict[str, Any] = {}
        if kind is not None:
            values["kind"] = _checked_kind(kind)
        if question is not None:
            values["question"] = _checked_question(question)
        if instructions is not None:
            values["instructions"] = instructions.strip()
        if values:
            with self._engine.begin() as connection:
                connection.execute(sa.update(attributes).where(attributes.c.id == attribute_id).values(**values))
        return self.by_id(attribute_id)

    def _select(self, condition: sa.ColumnElement[bool]) -> list[Attribute]:
        table = attributes.c
        query = sa.select(table.id, table.name, table.kind, table.question, table.instructions)
        with self._engine.connect() as connection:
            return [Attribute(*row) for row in connection.execute(query.where(condition).order_by(table.id))]


def _checked_kind(kind: str) -> str:
    if kind not in KINDS:
        raise AnnotationError(f"{kind!r} is not a kind of attribute: choose one of {', '.join(KINDS)}.")
    return kind


def _checked_question(question: str) -> str:
    if not question.strip():
        raise AnnotationError("the question is empty: write what people are to answer by yes or no.")
    return question.strip()
