"""The accounts of a workspace: who may sign in, and what each may do.

In:  names, roles and passwords. Out: :class:`Account` records. An account belongs to an annotator, whose answers stay
when it is removed. There is always an owner once there is an account.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from bam_engine.annotation.annotator_store import Annotators, merged_into
from bam_engine.annotation.names import check_annotator_name, spelling_key
from bam_engine.database import (
    accounts,
    annotators,
    identities,
    insert_row,
    lock,
    log_activity,
    now,
    sessions,
    snapshot_of,
)
from bam_engine.errors import NotFound, TeamError
from bam_engine.team.passwords import NO_PASSWORD, hash_password, is_password
from bam_engine.team.roles import Role, role_of


@dataclass(frozen=True)
class Account:
    """A person who may sign in; ``name`` is that of the annotator, under which their answers are stored."""

    id: int
    annotator_id: int
    name: str
    role: Role


class Accounts:
    """The accounts of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._annotators = Annotators(engine)

    def all(self) -> list[Account]:
        """Return all accounts in order of creation."""
        snapshot = snapshot_of(self._engine)
        names, merged = self._annotators.names(), merged_into(snapshot)
        return [
            Account(one.id, merged.get(one.annotator_id, one.annotator_id), names[one.annotator_id], role_of(one.role))
            for one in snapshot.rows(accounts)
        ]

    def exist(self) -> bool:
        """Return whether anybody has an account."""
        return bool(snapshot_of(self._engine).rows(accounts))

    def find(self, name: str) -> Account | None:
        """Return the account of the annotator with this name, in whatever spelling, or None."""
        key = spelling_key(name)
        return next((one for one in self.all() if spelling_key(one.name) == key), None)

    def by_id(self, account_id: int) -> Account | None:
        """Return the account with this id, or None."""
        return next((one for one in self.all() if one.id == account_id), None)

    def get(self, name: str) -> Account:
        """Return the account as :meth:`find`; otherwise raise :class:`NotFound`, which lists those there are."""
        found = self.find(name)
        if found is None:
            names = ", ".join(one.name for one in self.all())
            hint = f"The accounts are those of: {names}." if names else "Nobody has one yet."
            raise NotFound(f"There is no account of {name[:60]!r}. {hint}")
        return found

    def add(self, name: str, role: Role, password: str) -> Account:
        """Give a person an account; an annotator of this name, who may have answered before, becomes its person.

        Raises
        ------
        TeamError
            The person has an account, or the password is too short or too long.
        AnnotationError
            The name is empty or too long, or the annotator is archived or simulated.
        """
        hashed = hash_password(password)
        annotator_id = self._annotators.id_of(name)
        with self._engine.begin() as connection:
            lock(connection, annotators)
            self.insert(connection, annotator_id, role, hashed)
            log_activity(connection, "added account", f"{self._annotators.names()[annotator_id]} as {role}")
        return self.get(name)

    def insert(self, connection: sa.Connection, annotator_id: int, role: Role, hashed: str) -> int:
        """Insert an account inside a transaction that holds the lock on ``annotators``; return its id."""
        other = next((one for one in self.all() if one.annotator_id == annotator_id), None)
        if other is not None:
            raise TeamError(f"{other.name} has an account already. Change its role or its password.")
        values = {"annotator_id": annotator_id, "role": str(role), "password": hashed, "made_at": now()}
        return insert_row(connection, accounts, values)

    def insert_new_person(
        self, connection: sa.Connection, name: str, role: Role, hashed: str, *, action: str
    ) -> tuple[int, int]:
        """Insert an annotator and their account, as :meth:`insert`; return the ids of both.

        Raises
        ------
        TeamError
            An annotator has the name, in whatever spelling: nobody takes the answers of another person.
        """
        name = check_annotator_name(name)
        if self._annotators.find(name) is not None:
            raise TeamError(f"The name {name} is taken. Choose another one, or ask an owner for the account of it.")
        annotator_id = insert_row(connection, annotators, {"name": name, "simulated": False, "made_at": now()})
        values = {"annotator_id": annotator_id, "role": str(role), "password": hashed, "made_at": now()}
        account_id = insert_row(connection, accounts, values)
        log_activity(connection, action, f"{name} as {role}", by=annotator_id)
        return annotator_id, account_id

    def set_role(self, account_id: int, role: Role) -> Account:
        """Give an account another role, and end its sessions: what is open in a browser was drawn for the former one.

        Raises
        ------
        TeamError
            The account is that of the last owner.
        NotFound
            There is no such account.
        """
        with self._changing(account_id) as (connection, account):
            if role == account.role:
                return account
            self._check_owner_left(account, role)
            connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(role=str(role)))
            end_sessions(connection, account.id)
            log_activity(connection, "changed role", f"{account.name} from {account.role} to {role}")
        return self.existing(account_id)

    def set_password(self, account_id: int, password: str, *, reset: bool = False) -> None:
        """Give an account another password, and end its sessions; with ``reset``, that alone signs it in from then on.

        Raises
        ------
        TeamError
            The password is too short or too long.
        NotFound
            There is no such account.
        """
        hashed = hash_password(password)
        with self._changing(account_id) as (connection, account):
            connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(password=hashed))
            if reset:
                disconnect_identities(connection, account_id)
            end_sessions(connection, account_id)
            log_activity(connection, "reset password" if reset else "changed password", account.name)

    def is_password(self, account: Account | None, password: str) -> bool:
        """Return whether a password is that of an account; it takes as long where there is no account."""
        rows = [] if account is None else snapshot_of(self._engine).rows_with(accounts.c.id, account.id)
        return is_password(password, rows[0].password if rows else None)

    def has_password(self, account: Account) -> bool:
        """Return whether an account has a password; without one, another identity signs it in."""
        rows = snapshot_of(self._engine).rows_with(accounts.c.id, account.id)
        return bool(rows and rows[0].password != NO_PASSWORD)

    def remove(self, account_id: int) -> None:
        """Remove an account with its sessions; the annotator and their answers stay.

        Raises
        ------
        TeamError
            The account is that of the last owner.
        NotFound
            There is no such account.
        """
        with self._changing(account_id) as (connection, account):
            self._check_owner_left(account, None)
            end_sessions(connection, account.id)
            disconnect_identities(connection, account_id)
            connection.execute(sa.delete(accounts).where(accounts.c.id == account_id))
            log_activity(connection, "removed account", account.name)

    @contextmanager
    def _changing(self, account_id: int) -> Iterator[tuple[sa.Connection, Account]]:
        """Give a transaction in which nobody else changes an account, and the account as it is in it."""
        with self._engine.begin() as connection:
            lock(connection, annotators)
            yield connection, self.existing(account_id)

    def existing(self, account_id: int) -> Account:
        """Return the account with this id, or raise :class:`NotFound`."""
        account = self.by_id(account_id)
        if account is None:
            raise NotFound("There is no such account any more. Reload the page.")
        return account

    def _check_owner_left(self, account: Account, role: Role | None) -> None:
        owners = [one for one in self.all() if one.role is Role.OWNER]
        if role is not Role.OWNER and owners == [account]:
            raise TeamError(
                f"{account.name} is the only owner, and a team needs one. Give another person the role of an owner "
                "first."
            )


def end_sessions(connection: sa.Connection, account_id: int) -> None:
    """Sign an account out everywhere, inside a transaction."""
    connection.execute(sa.delete(sessions).where(sessions.c.account_id == account_id))


def disconnect_identities(connection: sa.Connection, account_id: int) -> int:
    """Let no identity sign in an account any more, inside a transaction; return how many did.

    They are remembered: they do not come back by themselves.
    """
    of_account = identities.c.account_id == account_id
    return connection.execute(sa.update(identities).where(of_account).values(account_id=None)).rowcount
