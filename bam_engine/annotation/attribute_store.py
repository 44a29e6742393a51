"""The attribute store of a workspace."""

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
            Snake case in lower case, starting with a letter, at most 60 characters; it cannot be changed later.
        kind
            One of ``KINDS``.
        question
            The yes/no question for annotators.
        instructions
            What counts as yes, what as no, and how to answer borderline cases.

        Raises
        ------
        AnnotationError
            The name is invalid or taken, the kind is unknown, or the question is empty.
        """
        values = {
            "name": check_name(name),
            "kind": check_kind(kind),
            "question": check_question(question),
            "instructions": instructions.strip(),
        }
        try:
            with self._engine.begin() as connection:
                result = connection.execute(sa.insert(attributes).values(**values, made_at=now()))
                key = result.inserted_primary_key
        except sa.exc.IntegrityError as error:
            raise AnnotationError(
                f"There is already an attribute {name!r}. Open that one, or choose another name."
            ) from error
        if key is None:
            raise AnnotationError(f"The attribute {name!r} was stored without an id. Open the workspace again.")
        return self.by_id(int(key[0]))

    def get(self, name: str) -> Attribute:
        """Return the attribute ``name``; otherwise raise :class:`NotFound`, which lists the existing ones."""
        matches = self._select(attributes.c.name == name)
        if not matches:
            names = ", ".join(attribute.name for attribute in self.all())
            hint = f"The attributes are: {names}." if names else "No attribute is defined yet."
            raise NotFound(f"There is no attribute {name!r}. {hint}")
        return matches[0]

    def by_id(self, attribute_id: int) -> Attribute:
        """Return the attribute with id ``attribute_id``; otherwise raise :class:`NotFound`."""
        matches = self._select(attributes.c.id == attribute_id)
        if not matches:
            raise NotFound(f"There is no attribute with id {attribute_id}. Choose one from the list of attributes.")
        return matches[0]

    def all(self) -> list[Attribute]:
        """Return all attributes in order of definition."""
        return self._select(sa.true())

    def update(
        self,
        attribute_id: int,
        *,
        kind: str | None = None,
        question: str | None = None,
        instructions: str | None = None,
    ) -> Attribute:
        """Change the given fields. The name is fixed, because datasets and links use it."""
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
