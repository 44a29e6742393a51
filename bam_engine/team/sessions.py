"""Sessions: who is signed in. The browser holds a token; the database holds its digest, the account and an end.

In:  a name and a password, or a token. Out: a token, or an account.
"""

import sqlalchemy as sa

from bam_engine.database import insert_row, log_activity, now, sessions, snapshot_of
from bam_engine.errors import TeamError
from bam_engine.team.accounts import Account, Accounts
from bam_engine.team.throttle import Throttle
from bam_engine.team.tokens import digest_of, moment_in, new_token

DAYS = 14.0
"""How long somebody stays signed in."""


class Sessions:
    """The sessions of one workspace."""

    def __init__(self, engine: sa.Engine, accounts: Accounts, throttle: Throttle) -> None:
        self._engine, self._accounts, self._throttle = engine, accounts, throttle

    def sign_in(self, name: str, password: str, *, address: str = "", before: str = "") -> str:
        """Return the token of a new session; the one whose token is ``before`` ends.

        Raises
        ------
        TooManyAttempts
            From this address, there were too many failed attempts.
        TeamError
            The name or the password is wrong: which of them, neither the words nor the time tell.
        """
        self._throttle.attempt(name, address)
        account = self._accounts.find(name)
        if not self._accounts.is_password(account, password) or account is None:
            raise TeamError("The name or the password is wrong.")
        self._throttle.succeeded(name, address)
        return self.begin(account, before=before)

    def confirms(self, account: Account, password: str) -> bool:
        """Return whether a password is that of whoever is signed in to an account; guesses slow down nobody else.

        Raises
        ------
        TooManyAttempts
            There were too many failed attempts.
        """
        place = f"account {account.id}"  # of its own
        self._throttle.attempt(account.name, place)
        if not self._accounts.is_password(account, password):
            return False
        self._throttle.succeeded(account.name, place)
        return True

    def begin(self, account: Account, *, before: str = "") -> str:
        """Return the token of a new session of an account; the one whose token is ``before`` ends."""
        token = new_token()
        ended = (sessions.c.expires_at <= now()) | (sessions.c.digest == digest_of(before))
        values = {"digest": digest_of(token), "account_id": account.id, "made_at": now(), "expires_at": moment_in(DAYS)}
        try:
            with self._engine.begin() as connection:
                insert_row(connection, sessions, values)
                connection.execute(sa.delete(sessions).where(ended))
        except sa.exc.IntegrityError as error:
            raise TeamError("The account has just been removed. Ask an owner for another one.") from error
        return token

    def account(self, token: str) -> Account | None:
        """Return the account that is signed in by a token, or None: it is unknown, has ended, or is no token."""
        return self.account_by_digest(digest_of(token))

    def account_by_digest(self, digest: str) -> Account | None:
        """Return the account as :meth:`account`, by the digest of its token."""
        for session in snapshot_of(self._engine).rows_with(sessions.c.digest, digest):
            if session.expires_at > now():
                return self._accounts.by_id(session.account_id)
        return None

    def end(self, token: str) -> None:
        """Sign out: end the session of a token; nothing happens where there is none."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.digest == digest_of(token)))

    def end_all(self, account: Account) -> int:
        """Sign out everywhere: end all sessions of an account; return how many there were."""
        with self._engine.begin() as connection:
            ended = connection.execute(sa.delete(sessions).where(sessions.c.account_id == account.id)).rowcount
            log_activity(connection, "signed out everywhere", account.name)
        return int(ended)

    def count(self, account: Account) -> int:
        """Return in how many browsers somebody is signed in."""
        rows = snapshot_of(self._engine).rows_with(sessions.c.account_id, account.id)
        return sum(row.expires_at > now() for row in rows)
