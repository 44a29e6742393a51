"""The attributes of one workspace, stored: defined, changed, looked up."""

from typing import Any

import sqlalchemy as sa

from bam_engine.annotation.attributes import Attribute, check_kind, check_name, check_question
from bam_engine.database import attributes, now
from bam_engine.errors import AnnotationError, NotFound


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
            "kind": check_kind(kind),
            "question": check_question(question),
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
        """Return the attribute called ``name``; :class:`NotFound` lists those there are."""
        found = self._select(attributes.c.name == name)
        if not found:
            there = ", ".join(attribute.name for attribute in self.all()) or "none yet"
            raise NotFound(f"there is no attribute {name!r}. There are: {there}.")
        return found[0]

    def by_id(self, attribute_id: int) -> Attribute:
        """Return the attribute numbered ``attribute_id``, or raise :class:`NotFound`."""
        found = self._select(attributes.c.id == attribute_id)
        if not found:
            raise NotFound(f"there is no attribute number {attribute_id}. Choose one from the list of attributes.")
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
            values["kind"] = check_kind(kind)
        if question is not None:
            values["question"] = check_question(question)
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
