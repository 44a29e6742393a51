"""Invitations: links that make one account each, of a given role, until they expire or are revoked.

In:  a role; later, the token of a link with a name and a password. Out: the token, shown once; the account.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from bam_engine.database import annotators, insert_row, invitations, lock, log_activity, now, snapshot_of
from bam_engine.errors import NotFound, TeamError
from bam_engine.team.accounts import Account, Accounts
from bam_engine.team.identities import Identities, Identity
from bam_engine.team.passwords import NO_PASSWORD, hash_password
from bam_engine.team.roles import Role, role_of
from bam_engine.team.tokens import digest_of, moment_in, new_token

DAYS, MAX_DAYS = 7, 90
"""How many days an invitation holds, unless it is said, and at most."""

_INVALID = "This invitation has expired, was used or was revoked. Ask whoever sent it for another one."


@dataclass(frozen=True)
class Invitation:
    """An invitation; ``invited_by`` and ``used_by`` are names, "" for the command line and for nobody."""

    id: int
    role: Role
    invited_by: str
    made_at: str
    expires_at: str
    used_by: str
    revoked: bool

    @property
    def open(self) -> bool:
        """Whether it can be used now."""
        return not self.used_by and not self.revoked and self.expires_at > now()


class Invitations:
    """The invitations of one workspace."""

    def __init__(self, engine: sa.Engine, accounts: Accounts, identities: Identities) -> None:
        self._engine, self._accounts, self._identities = engine, accounts, identities

    def all(self) -> list[Invitation]:
        """Return all invitations, the newest first."""
        return [_invitation(row, self._names()) for row in reversed(snapshot_of(self._engine).rows(invitations))]

    def invite(self, role: Role, *, by: Account | None = None, days: float = DAYS) -> str:
        """Return the token of a new invitation, which is not stored and cannot be shown again.

        Raises
        ------
        TeamError
            ``days`` is not above 0, or above ``MAX_DAYS``.
        """
        if not 0 < days <= MAX_DAYS:
            raise TeamError(f"An invitation cannot hold for {days:g} days. Choose a number from 1 to {MAX_DAYS}.")
        token = new_token()
        values = {
            "digest": digest_of(token),
            "role": str(role),
            "invited_by": None if by is None else by.annotator_id,
            "made_at": now(),
            "expires_at": moment_in(days),
        }
        with self._engine.begin() as connection:
            insert_row(connection, invitations, values)
            log_activity(connection, "invited", f"a person as {role}")
        return token

    def role(self, token: str) -> Role:
        """Return the role that an invitation gives.

        Raises
        ------
        TeamError
            It is unknown, has expired, was used or was revoked.
        """
        return role_of(self._open(token).role)

    def use(self, token: str, name: str, password: str = "", *, identity: Identity | None = None) -> Account:
        """Make the account of an invitation, once.

        Parameters
        ----------
        identity
            As whom a provider vouches for the person, who then has no password.

        Raises
        ------
        TeamError
            The invitation cannot be used, the name is taken, the password is too short or too long, or the identity
            is connected already. The invitation is as before.
        AnnotationError
            The name is empty or too long.
        """
        self._open(token)  # before anything is computed for whoever has none
        hashed = hash_password(password) if identity is None else NO_PASSWORD
        with self._engine.begin() as connection:
            lock(connection, annotators)
            invitation = self._open(token)
            annotator_id, account_id = self._accounts.insert_new_person(
                connection, name, role_of(invitation.role), hashed, action="joined by invitation"
            )
            if identity is not None:
                self._identities.insert(connection, account_id, identity)
            used = sa.update(invitations).where(invitations.c.id == invitation.id).values(used_by=annotator_id)
            connection.execute(used)
        account = self._accounts.by_id(account_id)
        if account is None:
            raise TeamError("The account has just been removed. Ask an owner for another one.")
        return account

    def revoke(self, invitation_id: int) -> None:
        """Take an invitation back; nothing happens to one that was used.

        Raises
        ------
        NotFound
            There is no such invitation.
        """
        found = snapshot_of(self._engine).rows_with(invitations.c.id, invitation_id)
        if not found:
            raise NotFound("There is no such invitation. Reload the page.")
        unused = (
            (invitations.c.id == invitation_id) & invitations.c.used_by.is_(None) & invitations.c.revoked_at.is_(None)
        )
        with self._engine.begin() as connection:
            lock(connection, annotators)
            if connection.execute(sa.update(invitations).where(unused).values(revoked_at=now())).rowcount:
                log_activity(connection, "revoked invitation", f"of {found[0].made_at[:10]} as {found[0].role}")

    def _open(self, token: str) -> sa.Row[tuple[object, ...]]:
        """Return the row of an invitation that can be used, or raise ``TeamError``."""
        for row in snapshot_of(self._engine).rows_with(invitations.c.digest, digest_of(token)):
            if _invitation(row, self._names()).open:
                return row
        raise TeamError(_INVALID)

    def _names(self) -> dict[int, str]:
        return {row.id: row.name for row in snapshot_of(self._engine).rows(annotators)}


def _invitation(row: sa.Row[tuple[object, ...]], names: dict[int, str]) -> Invitation:
    return Invitation(
        row.id,
        role_of(row.role),
        names.get(row.invited_by, ""),
        row.made_at,
        row.expires_at,
        names.get(row.used_by, ""),
        row.revoked_at is not None,
    )
