"""Failures of a database in our words: it is locked by another program, its server does not answer, it is damaged.

In:  an engine. From then on, its errors of the first two kinds, which may pass, are :class:`.StoreUnavailable`, and one
of damage is a :class:`.BamError`; all others stay what they are.
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
        if _kind_of(error) == sqlite3.SQLITE_CORRUPT:
            return BamError(
                f"The database {place} is damaged ({_first_line(error)}). Restore a backup or a daily copy with `bam "
                "restore FILE`; what can be read of the damaged one is kept."
            )
        return None

    sa.event.listen(engine, "handle_error", explain)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")


def _is_locked(error: BaseException) -> bool:
    return _kind_of(error) in _LOCKED or getattr(error, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def _kind_of(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF  # the kind is in its lowest byte


def _may_pass(engine: sa.Engine, error: BaseException) -> bool:
    """Return whether a server failed, in a way that its administrator or time can mend."""
    kind = engine.dialect.loaded_dbapi.OperationalError
    return isinstance(error, kind) and getattr(error, "sqlstate", None) != _DISK_FULL
