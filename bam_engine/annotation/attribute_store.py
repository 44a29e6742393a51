"""The attribute store of a workspace."""

from typing import Any

import sqlalchemy as sa

from bam_engine.annotation.attributes import Attribute, check_kind, check_name, check_question
from bam_engine.database import attributes, insert_row, now, snapshot_of
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
                key = insert_row(connection, attributes, {**values, "made_at": now()})
        except sa.exc.IntegrityError as error:
            raise AnnotationError(
                f"There is already an attribute {name!r}. Open that one, or choose another name."
            ) from error
        return self.by_id(key)

    def get(self, name: str) -> Attribute:
        """Return the attribute ``name``; otherwise raise :class:`NotFound`, which lists the existing ones."""
        attribute = self._where(attributes.c.name, name)
        if attribute is None:
            names = ", ".join(each.name for each in self.all())
            hint = f"The attributes are: {names}." if names else "No attribute is defined yet."
            raise NotFound(f"There is no attribute {name!r}. {hint}")
        return attribute

    def by_id(self, attribute_id: int) -> Attribute:
        """Return the attribute with id ``attribute_id``; otherwise raise :class:`NotFound`."""
        attribute = self._where(attributes.c.id, attribute_id)
        if attribute is None:
            raise NotFound(f"There is no attribute with id {attribute_id}. Choose one from the list of attributes.")
        return attribute

    def all(self) -> list[Attribute]:
        """Return all attributes in order of definition."""
        return [_attribute(row) for row in snapshot_of(self._engine).rows(attributes)]

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

    def _where(self, column: sa.Column[Any], value: object) -> Attribute | None:
        found = snapshot_of(self._engine).rows_with(column, value)
        return _attribute(found[0]) if found else None


def _attribute(row: sa.Row[Any]) -> Attribute:
    return Attribute(row.id, row.name, row.kind, row.question, row.instructions)
