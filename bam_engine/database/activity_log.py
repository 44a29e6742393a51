"""The activity log of a team: who changed an attribute, a threshold or a role, and who exported what.

In:  an action and its subject. Out: a row of ``activity``, where the workspace has accounts; one person at one computer
has no log. Who acts is known to whoever serves people (:func:`acting`); on the command line it is nobody.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from bam_engine.database.opening import read_only
from bam_engine.database.schema import accounts, activity
from bam_engine.database.writing import now

_who: WeakKeyDictionary[sa.Engine, Callable[[], int | None]] = WeakKeyDictionary()
_kept: ContextVar[tuple[int | None] | None] = ContextVar("who acts in this thread", default=None)


def acting(engine: sa.Engine, who: Callable[[], int | None]) -> None:
    """Ask ``who`` for the id of the annotator who acts, or None, whenever something is logged."""
    _who[engine] = who


def keep_actor(engine: sa.Engine) -> AbstractContextManager[None]:
    """Return a context, for another thread, in which whoever acts now is the one who acts."""
    return _keep(_actor(engine))


def acting_itself() -> AbstractContextManager[None]:
    """Return a context in which the program acts by itself, whoever has asked for something: nobody is logged."""
    return _keep(None)


@contextmanager
def _keep(actor: int | None) -> Iterator[None]:
    token = _kept.set((actor,))
    try:
        yield
    finally:
        _kept.reset(token)


def _actor(engine: sa.Engine) -> int | None:
    kept = _kept.get()
    if kept is not None:
        return kept[0]
    who = _who.get(engine)
    return None if who is None else who()


def log_activity(connection: sa.Connection, action: str, subject: str, *, by: int | None = None) -> None:
    """Log an action inside the transaction that does it: both are stored, or neither.

    Parameters
    ----------
    action
        A verb in the past tense with what it was done to: "renamed attribute".
    subject
        Which one, and what became of it, for people: "content_dog to content_hound".
    by
        The id of the annotator who acts, where whoever serves people cannot know it yet.
    """
    if connection.execute(sa.select(accounts.c.id).limit(1)).first() is None:
        return
    actor = _actor(connection.engine) if by is None else by
    values = {"annotator_id": actor, "action": action, "subject": subject, "made_at": now()}
    connection.execute(sa.insert(activity).values(values))


def log_export(engine: sa.Engine, subject: str) -> None:
    """Log that something left the workspace, which changes nothing in it; not where the database is read-only."""
    if not read_only(engine):
        with engine.begin() as connection:
            log_activity(connection, "exported", subject)
