"""The attribute store of a workspace."""

from typing import Any

import sqlalchemy as sa

from bam_engine.annotation.attributes import Attribute, check_kind, check_name, check_question
from bam_engine.database import attributes, former_names, insert_row, log_activity, now, snapshot_of
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
            A title, from which :func:`check_name` makes the column of the dataset.
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
        with self._engine.begin() as connection:
            key = self.insert(connection, name, kind, question, instructions)
        return self.by_id(key)

    def insert(self, connection: sa.Connection, name: str, kind: str, question: str, instructions: str = "") -> int:
        """Define a new attribute as :meth:`add` does, in a transaction of the caller; return its id."""
        values = {
            "name": check_name(name, check_kind(kind)),
            "kind": kind,
            "question": check_question(question),
            "instructions": instructions.strip(),
        }
        try:
            key = insert_row(connection, attributes, {**values, "made_at": now()})
        except sa.exc.IntegrityError as error:
            raise self._taken(values["name"]) from error
        log_activity(connection, "added attribute", values["name"])
        return key

    def get(self, name: str) -> Attribute:
        """Return the attribute with this name, or else the one that had it last.

        Raises
        ------
        NotFound
            There is none, or it is archived; the message lists the existing ones.
        """
        attribute = self._where(attributes.c.name, self.current_name(name))
        if attribute is not None and attribute.archived:
            raise NotFound(f"The attribute {attribute.name!r} is archived. Bring it back to use it.")
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
        """Return the attributes in order of definition, without archived ones."""
        return [attribute for attribute in self._stored() if not attribute.archived]

    def archived(self) -> list[Attribute]:
        """Return the archived attributes in order of definition."""
        return [attribute for attribute in self._stored() if attribute.archived]

    def _stored(self) -> list[Attribute]:
        return [_attribute(row) for row in snapshot_of(self._engine).rows(attributes)]

    def current_name(self, name: str) -> str:
        """Return the name of the attribute that is called ``name`` or, if none is, was so last; else ``name``."""
        if self._where(attributes.c.name, name) is None:
            for former in reversed(snapshot_of(self._engine).rows_with(former_names.c.name, name)):
                return self.by_id(former.attribute_id).name
        return name

    def update(
        self,
        attribute_id: int,
        *,
        kind: str | None = None,
        question: str | None = None,
        instructions: str | None = None,
    ) -> Attribute:
        """Change the given fields; :meth:`rename` changes the name."""
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
                name = self.by_id(attribute_id).name
                log_activity(connection, "changed attribute", f"{name}: {', '.join(values)}")
        return self.by_id(attribute_id)

    def rename(self, attribute_id: int, name: str) -> Attribute:
        """Give an attribute another name: exports use the new one; links and saved views with the old one find it.

        Raises
        ------
        AnnotationError
            The name is invalid or taken.
        """
        before = self.by_id(attribute_id)
        old, new = before.name, check_name(name, before.kind)
        if old == new:
            return before
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.update(attributes).where(attributes.c.id == attribute_id).values(name=new))
                again = (former_names.c.attribute_id == attribute_id) & former_names.c.name.in_([old, new])
                connection.execute(sa.delete(former_names).where(again))
                values = {"attribute_id": attribute_id, "name": old, "made_at": now()}
                connection.execute(sa.insert(former_names).values(values))
                log_activity(connection, "renamed attribute", f"{old} to {new}")
        except sa.exc.IntegrityError as error:
            raise self._taken(new) from error
        return self.by_id(attribute_id)

    def archive(self, attribute_id: int) -> Attribute:
        """Put an attribute out of the way: nothing lists, asks or exports it, and all that is known of it is kept."""
        return self._set_archived(attribute_id, now())

    def restore(self, attribute_id: int) -> Attribute:
        """Bring an archived attribute back."""
        return self._set_archived(attribute_id, None)

    def get_archived(self, name: str) -> Attribute:
        """Return the archived attribute ``name``; otherwise raise :class:`NotFound`, which lists those there are."""
        archived, name = self.archived(), self.current_name(name)
        for attribute in archived:
            if attribute.name == name:
                return attribute
        names = ", ".join(each.name for each in archived)
        hint = f"Archived are: {names}." if names else "None is archived."
        raise NotFound(f"There is no archived attribute {name!r}. {hint}")

    def _set_archived(self, attribute_id: int, moment: str | None) -> Attribute:
        with self._engine.begin() as connection:
            connection.execute(sa.update(attributes).where(attributes.c.id == attribute_id).values(archived_at=moment))
            action = "archived attribute" if moment else "restored attribute"
            log_activity(connection, action, self.by_id(attribute_id).name)
        return self.by_id(attribute_id)

    def _taken(self, name: str) -> AnnotationError:
        if name in {each.name for each in self.archived()}:
            return AnnotationError(f"There is an archived attribute {name!r}. Bring it back, or choose another name.")
        return AnnotationError(f"There is already an attribute {name!r}. Open that one, or choose another name.")

    def _where(self, column: sa.Column[Any], value: object) -> Attribute | None:
        found = snapshot_of(self._engine).rows_with(column, value)
        return _attribute(found[0]) if found else None


def _attribute(row: sa.Row[Any]) -> Attribute:
    return Attribute(row.id, row.name, row.kind, row.question, row.instructions, row.archived_at is not None)
