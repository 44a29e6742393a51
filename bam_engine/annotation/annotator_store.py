"""The annotators of a workspace: who they are, which names belong to one person, and who is out of the way.

In:  names. Out: :class:`~bam_engine.annotation.answers.Annotator` records, and the id under which answers are stored.
A merge is a mapping from one annotator to another: no answer is rewritten, so that separating them is exact.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

import sqlalchemy as sa

from bam_engine.annotation.answers import Annotator
from bam_engine.annotation.names import check_annotator_name, spelling_key
from bam_engine.annotation.permissions import check_may_answer
from bam_engine.database import (
    Snapshot,
    annotators,
    assignments,
    leases,
    lock,
    merged_annotators,
    now,
    pauses,
    snapshot_of,
)
from bam_engine.errors import AnnotationError, NotFound


def merged_into(snapshot: Snapshot) -> Mapping[int, int]:
    """Return, for each merged annotator, the id of the one that their answers count for."""
    steps = {one.annotator_id: one.into_id for one in snapshot.rows(merged_annotators)}
    return MappingProxyType({merged: _end(steps, merged) for merged in steps})


def person_of(snapshot: Snapshot, annotator_id: int) -> int:
    """Return the id of the one who counts, of annotators that are merged."""
    return merged_into(snapshot).get(annotator_id, annotator_id)


def same_person(snapshot: Snapshot, annotator_id: int) -> frozenset[int]:
    """Return the ids of all annotators who are the same person as one."""
    merged = merged_into(snapshot)
    person = merged.get(annotator_id, annotator_id)
    return frozenset({person, *(one for one, into in merged.items() if into == person)})


def people_of(connection: sa.Connection, annotator_id: int) -> frozenset[int]:
    """Return :func:`same_person` as it is inside a transaction."""
    merges = connection.execute(sa.select(merged_annotators.c.annotator_id, merged_annotators.c.into_id)).all()
    steps = {one.annotator_id: one.into_id for one in merges}
    person = _end(steps, annotator_id)
    return frozenset({person, *(one for one in steps if _end(steps, one) == person)})


def give_back_leases(connection: sa.Connection, people: Collection[int]) -> None:
    """End the leases of these annotators inside a transaction that holds the lock on ``leases``."""
    held = sa.select(assignments.c.id).where(assignments.c.annotator_id.in_(people))
    connection.execute(sa.delete(leases).where(leases.c.assignment_id.in_(held)))


def _end(steps: Mapping[int, int], start: int) -> int:
    while start in steps:
        start = steps[start]
    return start


class Annotators:
    """The annotators of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def all(self) -> list[Annotator]:
        """Return all annotators in order of creation, archived ones included, without those merged into another."""
        merged = merged_into(snapshot_of(self._engine))
        return [one for one in self._stored() if one.id not in merged]

    def merged(self) -> list[tuple[Annotator, Annotator]]:
        """Return the annotators that are merged into another, in order of creation, and whom each was merged into."""
        stored = {one.id: one for one in self._stored()}
        merges = snapshot_of(self._engine).rows(merged_annotators)
        return [(stored[one.annotator_id], stored[one.into_id]) for one in merges]

    def names(self) -> dict[int, str]:
        """Return the name of every annotator by id; a merged one bears the name of the other."""
        stored = {one.id: one.name for one in self._stored()}
        merged = merged_into(snapshot_of(self._engine))
        return {annotator_id: stored[merged.get(annotator_id, annotator_id)] for annotator_id in stored}

    def spellings(self) -> list[list[Annotator]]:
        """Return the groups of annotators whose names are spellings of one, the oldest of each group first."""
        groups: defaultdict[tuple[str, bool], list[Annotator]] = defaultdict(list)
        for one in self.all():
            groups[spelling_key(one.name), one.simulated].append(one)
        return [group for group in groups.values() if len(group) > 1]

    def find(self, name: str) -> Annotator | None:
        """Return the annotator with this name or another spelling of it, or None.

        The exact spelling comes first, then the oldest. The name of a merged annotator finds the one merged into.
        """
        stored, key = self._stored(), spelling_key(name)
        similar = [one for one in stored if spelling_key(one.name) == key]
        return self._meant(name, similar, stored) if similar else None

    def _meant(self, name: str, similar: Sequence[Annotator], stored: Sequence[Annotator]) -> Annotator:
        """Return which of ``similar`` a name means, the exact spelling first; of a merged one, the one merged into."""
        nearest = min(similar, key=lambda one: one.name != " ".join(name.split()))
        final = person_of(snapshot_of(self._engine), nearest.id)
        return nearest if final == nearest.id else next(one for one in stored if one.id == final)

    def get(self, name: str) -> Annotator:
        """Return the annotator as :meth:`find`; otherwise raise :class:`NotFound`, which lists the existing ones."""
        annotator = self.find(name)
        if annotator is None:
            names = ", ".join(one.name for one in self.all())
            hint = f"The annotators are: {names}." if names else "Nobody has answered yet."
            raise NotFound(f"There is no annotator {name!r}. {hint}")
        return annotator

    def get_merged(self, name: str) -> tuple[Annotator, Annotator]:
        """Return the merged annotator with this name, the exact spelling first, and whom they were merged into.

        Raises
        ------
        NotFound
            No merged annotator has the name; the message lists those there are.
        """
        merged, key = self.merged(), spelling_key(name)
        for pair in sorted(merged, key=lambda pair: pair[0].name != name):
            if spelling_key(pair[0].name) == key:
                return pair
        names = ", ".join(one.name for one, _ in merged)
        hint = f"Those merged into another are: {names}." if names else "Nobody is merged into another."
        raise NotFound(f"There is no merged annotator {name!r}. {hint}")

    def id_of(self, name: str, simulated: bool = False) -> int:
        """Return the id of the annotator ``name``, who is added on the first call; another spelling is the same one.

        Raises
        ------
        AnnotationError
            The name is empty, belongs to an annotator of the other kind (a person or simulated) or to an archived one,
            or ``simulated`` is set outside a demo workspace.
        """
        name = check_annotator_name(name)
        if simulated:
            check_may_answer(self._engine, name)
        return _checked(self._enter(name, simulated), simulated).id

    def ids_of(self, names: Iterable[str]) -> dict[str, int | AnnotationError]:
        """Return for each name of a person its id as :meth:`id_of`, or why there is none; all are added at once."""
        found: dict[str, int | AnnotationError] = {}
        valid: dict[str, str] = {}
        for name in names:
            try:
                valid[name] = check_annotator_name(name)
            except AnnotationError as error:
                found[name] = error
        self._add_all(valid.values())
        stored = self._stored()
        spellings: defaultdict[str, list[Annotator]] = defaultdict(list)
        for one in stored:
            spellings[spelling_key(one.name)].append(one)
        for name, checked in valid.items():
            try:
                meant = self._meant(checked, spellings[spelling_key(checked)], stored)
                found[name] = _checked(meant, simulated=False).id
            except AnnotationError as error:
                found[name] = error
        return found

    def _add_all(self, names: Iterable[str]) -> None:
        """Add those people of whom no spelling is known, the first spelling of each."""
        with self._engine.begin() as connection:
            lock(connection, annotators)
            known = {spelling_key(one.name) for one in self._stored()}
            new: dict[str, str] = {}
            for name in names:
                new.setdefault(spelling_key(name), name)
            made_at = now()
            people = [
                {"name": name, "simulated": False, "made_at": made_at} for key, name in new.items() if key not in known
            ]
            if people:
                connection.execute(sa.insert(annotators), people)

    def actor(self, name: str) -> int:
        """Return the id of whoever acts under ``name`` without answering: a person added on the first call, or anyone.

        Raises
        ------
        AnnotationError
            The name is empty.
        """
        return self._enter(check_annotator_name(name), simulated=False).id

    def _enter(self, name: str, simulated: bool) -> Annotator:
        return self.find(name) or self._add(name, simulated)

    def _add(self, name: str, simulated: bool) -> Annotator:
        with self._engine.begin() as connection:
            lock(connection, annotators)  # somebody may have added another spelling meanwhile
            known = self.find(name)
            if known is not None:
                return known
            connection.execute(sa.insert(annotators).values(name=name, simulated=simulated, made_at=now()))
        return self.get(name)

    def rename(self, annotator_id: int, name: str) -> Annotator:
        """Give an annotator another name, under which all their answers appear.

        Raises
        ------
        AnnotationError
            The name is empty, or another annotator has it, in whatever spelling.
        """
        name = check_annotator_name(name)
        with self._engine.begin() as connection:
            lock(connection, annotators)
            annotator, key = self._by_id(annotator_id), spelling_key(name)
            merged = merged_into(snapshot_of(self._engine))
            for other in self._stored():
                same_person = merged.get(other.id, other.id) == annotator_id
                if (other.name == name and other.id != annotator_id) or (
                    spelling_key(other.name) == key and not same_person
                ):
                    raise AnnotationError(
                        f"There is already an annotator {other.name!r}, so {annotator.name!r} cannot be renamed to "
                        f"{name!r}. If both are one person, merge them."
                    )
            connection.execute(sa.update(annotators).where(annotators.c.id == annotator_id).values(name=name))
        return self._by_id(annotator_id)

    def merge(self, annotator_id: int, into_id: int) -> None:
        """Let the answers of an annotator count for another one: the two are one person.

        Where both answered an image, the newest answer counts, as when one person answers twice. If either is paused,
        the person is, and what they hold is given back.

        Raises
        ------
        AnnotationError
            Both are the same person already, or one is simulated and the other is not.
        """
        with self._engine.begin() as connection:
            lock(connection, annotators, leases)  # nobody takes images meanwhile
            annotator, other = self._by_id(annotator_id), self._by_id(into_id)
            merged = merged_into(snapshot_of(self._engine))
            if annotator.id in merged or merged.get(other.id, other.id) == annotator.id:
                raise AnnotationError(f"{annotator.name!r} and {other.name!r} cannot be merged: they are one already.")
            if annotator.simulated != other.simulated:
                raise AnnotationError(
                    f"{annotator.name!r} and {other.name!r} cannot be merged: one is a person, the other simulated."
                )
            values = {"annotator_id": annotator.id, "into_id": other.id, "made_at": now()}
            connection.execute(sa.insert(merged_annotators).values(values))
            people = people_of(connection, other.id)
            paused = sa.select(pauses).where(pauses.c.annotator_id.in_(people), pauses.c.resumed_after.is_(None))
            if connection.execute(paused).first() is not None:
                give_back_leases(connection, people)

    def separate(self, annotator_id: int) -> None:
        """Undo a merge: the answers of the annotator count for themselves again. Nothing changes for one not merged."""
        with self._engine.begin() as connection:
            lock(connection, annotators)
            table = merged_annotators
            connection.execute(sa.delete(table).where(table.c.annotator_id == annotator_id))

    def archive(self, annotator_id: int) -> None:
        """Put an annotator out of the way: they cannot answer any more; their answers count as before."""
        self._set_archived(annotator_id, now())

    def restore(self, annotator_id: int) -> None:
        """Bring an archived annotator back."""
        self._set_archived(annotator_id, None)

    def _set_archived(self, annotator_id: int, moment: str | None) -> None:
        self._by_id(annotator_id)
        with self._engine.begin() as connection:
            connection.execute(sa.update(annotators).where(annotators.c.id == annotator_id).values(archived_at=moment))

    def _by_id(self, annotator_id: int) -> Annotator:
        for one in self._stored():
            if one.id == annotator_id:
                return one
        raise NotFound(f"There is no annotator with id {annotator_id}. Choose one from the list of annotators.")

    def _stored(self) -> list[Annotator]:
        rows = snapshot_of(self._engine).rows(annotators)
        return [Annotator(one.id, one.name, bool(one.simulated), one.archived_at is not None) for one in rows]


def _checked(annotator: Annotator, simulated: bool) -> Annotator:
    """Return an annotator who may answer as a person, or as a simulated one."""
    if annotator.simulated != simulated:
        kinds = ("simulated", "a person") if annotator.simulated else ("a person", "simulated")
        raise AnnotationError(f"The annotator {annotator.name!r} is {kinds[0]}, not {kinds[1]}. Choose another name.")
    if annotator.archived:
        raise AnnotationError(
            f"The annotator {annotator.name!r} is archived and cannot answer. Bring them back, or answer under another "
            "name."
        )
    return annotator
