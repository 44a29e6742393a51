"""As whom a provider of OpenID Connect knows the people of a team, who then need no password here.

In:  an identity that the provider has vouched for. Out: the account that it signs in, if there is one. A provider's
identity is the pair of its address and of what it calls the person; names and addresses of mail may change hands.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bam_engine.database import annotators, identities, join_requests, lock, log_activity, now, snapshot_of
from bam_engine.errors import TeamError
from bam_engine.team.accounts import Account, Accounts, disconnect_identities, end_sessions
from bam_engine.team.passwords import NO_PASSWORD
from bam_engine.team.roles import Role


@dataclass(frozen=True)
class Identity:
    """Somebody as a provider knows them: its address, what it calls them, and words by which people recognise them."""

    issuer: str
    subject: str
    label: str

    @property
    def values(self) -> dict[str, str]:
        """The columns that store it."""
        return {"issuer": self.issuer, "subject": self.subject, "label": self.label}


class Identities:
    """The identities that sign somebody in to one workspace."""

    def __init__(self, engine: sa.Engine, accounts: Accounts) -> None:
        self._engine, self._accounts = engine, accounts

    def account(self, identity: Identity) -> Account | None:
        """Return the account that an identity signs in, or None."""
        row = self._row(identity)
        return None if row is None or row.account_id is None else self._accounts.by_id(row.account_id)

    def has_left(self, identity: Identity) -> bool:
        """Return whether an identity signed in an account and does no more: an owner lets it in again, or nobody."""
        row = self._row(identity)
        return row is not None and row.account_id is None

    def of(self, account: Account) -> list[Identity]:
        """Return the identities of an account, the oldest first."""
        rows = snapshot_of(self._engine).rows_with(identities.c.account_id, account.id)
        return [Identity(row.issuer, row.subject, row.label) for row in rows]

    def join(self, identity: Identity, name: str, role: Role) -> Account:
        """Make the account of whoever a provider vouches for, without a password.

        Raises
        ------
        TeamError
            The name is taken, or the identity is connected already.
        AnnotationError
            The name is empty or too long.
        """
        with self._engine.begin() as connection:
            lock(connection, annotators)
            _, account_id = self._accounts.insert_new_person(
                connection, name, role, NO_PASSWORD, action="joined by single sign-on"
            )
            self.insert(connection, account_id, identity)
        return self._accounts.existing(account_id)

    def connect(self, account: Account, identity: Identity) -> None:
        """Let an identity sign in an account; nothing happens where it does.

        Raises
        ------
        TeamError
            It signs in another account.
        NotFound
            There is no such account any more.
        """
        with self._engine.begin() as connection:
            lock(connection, annotators)
            self._accounts.existing(account.id)
            if self.account(identity) == account:
                return
            self.insert(connection, account.id, identity)
            words = f"{account.name} as {identity.label}"
            log_activity(connection, "connected identity", words, by=account.annotator_id)

    def disconnect(self, account: Account) -> None:
        """Let no identity sign in an account any more, and end its sessions.

        Raises
        ------
        TeamError
            The account has no password, so that nothing else would sign it in.
        """
        with self._engine.begin() as connection:
            lock(connection, annotators)
            if not self._accounts.has_password(account):
                raise TeamError(
                    f"{account.name} has no password, and could not sign in any more. Give the account one first: "
                    "bam user reset NAME"
                )
            if disconnect_identities(connection, account.id):
                end_sessions(connection, account.id)
                log_activity(connection, "disconnected identity", account.name)

    def insert(self, connection: sa.Connection, account_id: int, identity: Identity) -> None:
        """Connect an identity inside a transaction that holds the lock on ``annotators``; forget what it asked for.

        Raises
        ------
        TeamError
            It is connected already.
        """
        self.check_free(identity)
        forget_requests(connection, identity)
        row, values = self._row(identity), {"account_id": account_id, **identity.values, "made_at": now()}
        if row is None:
            connection.execute(sa.insert(identities).values(values))
        else:
            connection.execute(sa.update(identities).where(identities.c.id == row.id).values(values))

    def check_free(self, identity: Identity) -> None:
        """Raise :class:`TeamError` where an identity signs in an account."""
        if (other := self.account(identity)) is not None:
            raise TeamError(f"{identity.label} signs in the account of {other.name} already.")

    def _row(self, identity: Identity) -> sa.Row[Any] | None:
        rows = snapshot_of(self._engine).rows_with(identities.c.subject, identity.subject)
        return next((row for row in rows if row.issuer == identity.issuer), None)


def forget_requests(connection: sa.Connection, identity: Identity) -> None:
    """Delete what an identity asked for, inside a transaction."""
    of_them = (join_requests.c.issuer == identity.issuer) & (join_requests.c.subject == identity.subject)
    connection.execute(sa.delete(join_requests).where(of_them))
