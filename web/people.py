"""Who is signed in to a team's server, and what they may do; a server for one person has nobody, who may do all.

In:  a token, of the cookie of a request or of a session of pages. Out: the account. ``bam serve --team`` sets the
environment variable ``BAM_TEAM``. What is known of a token is asked again after a second; whatever this process changes
counts at once (:func:`forget`).
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from bam_engine.database import acting
from bam_engine.errors import TeamError
from bam_engine.team import Account, Role
from bam_engine.team.permissions import check_role, plural, restrict, with_article
from bam_engine.team.tokens import digest_of
from bam_engine.workspace import Workspace
from web import engine

TEAM, BEHIND_PROXY = "BAM_TEAM", "BAM_BEHIND_PROXY"
"""Environment variables of a team's server: that it is one, and that a proxy stands in front, which encrypts."""

FRESH = 1.0
"""Seconds after which a token is asked for again: another process may have ended its session."""

_MOST = 10_000  # tokens that are remembered
_asking: ContextVar[Account | None] = ContextVar("who sent the request", default=None)
_own: ContextVar[bool] = ContextVar("somebody changes what is their own", default=False)
_known: dict[tuple[str, str], tuple[float, Account | None]] = {}
_lock = threading.Lock()
_OURS = "account"  # in a session of pages: whose it is
_drawn: dict[str, Account] = {}  # by the id of a session of pages: for whom it is drawn


class SignedOut(TeamError):
    """The session of whoever looks at a page has ended."""


def team_mode() -> bool:
    """Return whether this is a team's server."""
    return os.environ.get(TEAM) == "1"


def encrypted() -> bool:
    """Return whether browsers reach the server by TLS: its own, or that of the proxy in front."""
    return behind_proxy() or bool(st.get_option("server.sslCertFile"))


def behind_proxy() -> bool:
    """Return whether a proxy stands in front, whose ``X-Forwarded-For`` tells the address of the browser."""
    return os.environ.get(BEHIND_PROXY) == "1"


def cookie_name() -> str:
    """Return the name of the cookie with the token; browsers take ``__Host-`` from nobody but this server, by TLS."""
    return "__Host-bam-session" if encrypted() else "bam-session"


def account_of(cookies: Mapping[str, str]) -> Account | None:
    """Return who is signed in by the token in a browser's cookies, or None; it may ask the database.

    Raises
    ------
    BamError
        The workspace cannot be opened, or its database does not answer.
    """
    token = cookies.get(cookie_name())
    if not isinstance(token, str) or not token:  # Streamlit's tests hand in a mock
        return None
    workspace = engine.workspace()
    key, moment = (workspace.id, digest_of(token)), time.monotonic()
    found = _known.get(key)
    if found is None or moment - found[0] > FRESH:
        found = moment, workspace.team.sessions.account_by_digest(key[1])
        with _lock:
            if len(_known) >= _MOST:
                _known.clear()
            _known[key] = found
    return found[1]


def remembered(cookies: Mapping[str, str]) -> tuple[bool, Account | None]:
    """Return whether :func:`account_of` need not ask the database, and what it then returns."""
    token = cookies.get(cookie_name())
    if not token:
        return True, None
    opened = engine.opened_workspace()
    found = None if opened is None else _known.get((opened.id, digest_of(token)))
    fresh = found is not None and time.monotonic() - found[0] <= FRESH
    return fresh, found[1] if found is not None and fresh else None


def forget() -> None:
    """Ask for every token again: accounts or sessions have changed."""
    with _lock:
        _known.clear()


def cookies() -> Mapping[str, str]:
    """Return the cookies with which the browser began this session of pages."""
    return st.context.cookies


@contextmanager
def asking(account: Account) -> Iterator[None]:
    """Name whoever sent the request that is answered inside."""
    token = _asking.set(account)
    try:
        yield
    finally:
        _asking.reset(token)


def person() -> Account | None:
    """Return who is signed in, in a request or a run of a page; None on a server for one person and in background work.

    Raises
    ------
    SignedOut
        The session of the page has ended, or another person has signed in to this browser.
    """
    if not team_mode():
        return None
    account, run = _asking.get(), get_script_run_ctx(suppress_warning=True)
    if account is not None or run is None:
        return account
    account = account_of(cookies())
    if account is None or st.session_state.setdefault(_OURS, account.id) != account.id:
        raise SignedOut("You are signed out. Load this page again to sign in.")
    draws(run.session_id, account)
    return account


def draws(session: str, account: Account) -> None:
    """Note for whom a session of pages is drawn; the first one counts."""
    with _lock:
        if len(_drawn) >= _MOST:
            _drawn.clear()
        _drawn.setdefault(session, account)


def drawn_for(session: str) -> Account | None:
    """Return for whom a session of pages is drawn, as they were then; None where it is not known."""
    return _drawn.get(session)


def may(role: Role) -> bool:
    """Return whether whoever looks has at least this role; on a server for one person, always."""
    if not team_mode():
        return True
    account = person()
    return account is not None and account.role >= role


def check(role: Role) -> None:
    """Raise :class:`TeamError` where :func:`may` does not hold."""
    if not may(role):
        account = person()
        who = f" and you are {with_article(account.role)}" if account is not None else ""
        raise TeamError(f"This is for {plural(role)},{who}. Ask an owner to do it.")


@contextmanager
def on_own_account() -> Iterator[None]:
    """Let somebody change what is their own, their password and their sessions, whatever their role."""
    token = _own.set(True)
    try:
        yield
    finally:
        _own.reset(token)


def _role() -> Role | None:
    account = person()
    return None if account is None or _own.get() else account.role


def _guard(workspace: Workspace) -> None:
    """Have a workspace ask, before each write and each job, who acts."""
    restrict(workspace.engine, _role)
    workspace.jobs.restrict(lambda least: check_role(least, _role()))
    acting(workspace.engine, lambda: None if (account := person()) is None else account.annotator_id)


engine.when_opened(_guard)
