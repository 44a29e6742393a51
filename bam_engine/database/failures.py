"""Failures of a database that may pass, in our words: it is locked by another program, or its server does not answer.

In:  an engine. From then on, its errors of these kinds are :class:`.StoreUnavailable`; all others stay what they are.
"""

import sqlite3

import sqlalchemy as sa

from bam_engine.errors import BamError, StoreUnavailable

LOCK_TIMEOUT = 5
"""Seconds that a writer waits for other writers before it gives up."""

_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_LOCK_NOT_AVAILABLE = "55P03"  # of PostgreSQL
_DISK_FULL = "53100"


def explain_failures(engine: sa.Engine) -> None:
    """Raise :class:`.StoreUnavailable` where the database cannot answer for the time being."""

    def explain(context: sa.ExceptionContext) -> BamError | None:
        error = context.original_exception
        place = engine.url.database if engine.dialect.name == "sqlite" else engine.url.render_as_string()
        if _is_locked(error):
            return StoreUnavailable(
                f"Nothing was saved: another program has been writing to the database {place} for more than "
                f"{LOCK_TIMEOUT} seconds. Wait until it has finished, or end it, and try again."
            )
        if engine.dialect.name == "postgresql" and _may_pass(engine, error):
            return StoreUnavailable(
                f"The database {place} does not answer: {_first_line(error)}. Start its server, and try again."
            )
        return None

    sa.event.listen(engine, "handle_error", explain)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")


def _is_locked(error: BaseException) -> bool:
    code = getattr(error, "sqlite_errorcode", None)  # the kind is in its lowest byte
    return (code is not None and code & 0xFF in _LOCKED) or getattr(error, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def _may_pass(engine: sa.Engine, error: BaseException) -> bool:
    """Return whether a server failed, in a way that its administrator or time can mend."""
    kind = engine.dialect.loaded_dbapi.OperationalError
    return isinstance(error, kind) and getattr(error, "sqlstate", None) != _DISK_FULL
