"""Requests to join: anybody asks, with a name and a password; an owner approves with a role, or declines.

In:  a name, a password or a provider's word, and a note. Out: nothing that tells whoever asks which names exist.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bam_engine.annotation.annotator_store import Annotators
from bam_engine.annotation.names import check_annotator_name
from bam_engine.database import annotators, join_requests, lock, log_activity, now, snapshot_of
from bam_engine.errors import NotFound, TeamError
from bam_engine.team.accounts import Account, Accounts
from bam_engine.team.identities import Identities, Identity, forget_requests
from bam_engine.team.passwords import NO_PASSWORD, hash_password
from bam_engine.team.roles import Role

MOST, NOTE_LENGTH = 100, 500
"""Requests that wait for an owner at most, and characters of a note."""


@dataclass(frozen=True)
class JoinRequest:
    """A request; ``known`` says that an annotator has the name, whose answers the person would take over.

    ``identity`` is as whom a provider vouches for the person; None where they chose a password.
    """

    id: int
    name: str
    note: str
    made_at: str
    known: bool
    identity: Identity | None = None


class JoinRequests:
    """The requests that wait for an owner."""

    def __init__(self, engine: sa.Engine, accounts: Accounts, identities: Identities) -> None:
        self._engine, self._accounts, self._identities = engine, accounts, identities
        self._annotators = Annotators(engine)

    def all(self) -> list[JoinRequest]:
        """Return all requests, the oldest first."""
        rows = snapshot_of(self._engine).rows(join_requests)
        return [
            JoinRequest(
                row.id, row.name, row.note, row.made_at, self._annotators.find(row.name) is not None, _identity(row)
            )
            for row in rows
        ]

    def ask(self, name: str, password: str = "", note: str = "", *, identity: Identity | None = None) -> None:
        """Ask to join. A name that is taken is stored as any other: the owner sees it, not whoever asks.

        Whoever is asked for by a provider's ``identity`` needs no password; a second request of theirs replaces the
        first.

        Raises
        ------
        TeamError
            The password is too short or too long, the note is too long, or ``MOST`` requests wait already.
        AnnotationError
            The name is empty or too long.
        """
        name, note = check_annotator_name(name), " ".join(note.split())
        if len(note) > NOTE_LENGTH:
            raise TeamError(f"The note has {len(note):,} characters. Write {NOTE_LENGTH} at most.")
        self._check_room()
        hashed = hash_password(password) if identity is None else NO_PASSWORD
        with self._engine.begin() as connection:
            lock(connection, annotators)
            values = {"name": name, "password": hashed, "note": note, "made_at": now()}
            if identity is not None:
                values |= identity.values
                forget_requests(connection, identity)
            self._check_room()
            connection.execute(sa.insert(join_requests).values(values))

    def approve(self, request_id: int, role: Role) -> Account:
        """Give whoever asked an account, with the password or the identity of the request.

        Raises
        ------
        TeamError
            The person has an account, or the identity signs in another one.
        AnnotationError
            The annotator of this name is archived or simulated.
        NotFound
            There is no such request any more.
        """
        request = self._get(request_id)
        if (identity := _identity(request)) is not None:
            self._identities.check_free(identity)
        annotator_id = self._annotators.id_of(request.name)
        with self._engine.begin() as connection:
            lock(connection, annotators)
            request = self._get(request_id)
            account_id = self._accounts.insert(connection, annotator_id, role, request.password)
            if identity is not None:
                self._identities.insert(connection, account_id, identity)
            connection.execute(sa.delete(join_requests).where(join_requests.c.id == request_id))
            log_activity(connection, "approved request", f"of {request.name} as {role}")
        return self._accounts.get(request.name)

    def decline(self, request_id: int) -> None:
        """Decline a request, which is forgotten.

        Raises
        ------
        NotFound
            There is no such request any more.
        """
        with self._engine.begin() as connection:
            lock(connection, annotators)
            request = self._get(request_id)
            connection.execute(sa.delete(join_requests).where(join_requests.c.id == request_id))
            log_activity(connection, "declined request", f"of {request.name}")

    def _get(self, request_id: int) -> sa.Row[tuple[object, ...]]:
        found = snapshot_of(self._engine).rows_with(join_requests.c.id, request_id)
        if not found:
            raise NotFound("There is no such request any more. Reload the page.")
        return found[0]

    def _check_room(self) -> None:
        if len(snapshot_of(self._engine).rows(join_requests)) >= MOST:
            raise TeamError("Too many requests wait for an owner. Ask an owner for an invitation.")


def _identity(row: sa.Row[Any]) -> Identity | None:
    return None if row.issuer is None else Identity(row.issuer, row.subject, row.label)
