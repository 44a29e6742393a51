"""Saved views: a gallery's query under a name.

In:  a name, a query. Out: the views there are. Kept in the database, since a person made them.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.errors import BamError, NotFound
from bam_engine.gallery.query import Query, from_json
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.exclusive import exclusive

LONGEST_NAME = 80
MOST = 500

_table = db.saved_views


@dataclass(frozen=True)
class SavedView:
    """A query and its name; ``made_at`` in UTC as ISO 8601."""

    name: str
    query: Query
    made_at: str


def save(workspace: Workspace, name: str, query: Query, *, replace: bool = False) -> SavedView:
    """Keep ``query`` under ``name``.

    Raises
    ------
    BamError
        The name is empty, too long, or in use (unless ``replace``); or there are too many views.
    """
    wanted = " ".join(name.split())
    if not 0 < len(wanted) <= LONGEST_NAME:
        raise BamError(f"a view's name has 1 to {LONGEST_NAME} characters, this one has {len(wanted)}.")
    values = {"name": wanted, "query": query.json(), "made_at": db.now()}
    with exclusive(workspace.engine, _table) as connection:
        names = set(connection.scalars(sa.select(_table.c.name)))
        if wanted in names and not replace:
            raise BamError(f"there is a view {wanted!r} already: choose another name, or replace it.")
        if len(names) >= MOST and wanted not in names:
            raise BamError(f"there are {MOST} saved views: remove one first.")
        connection.execute(sa.delete(_table).where(_table.c.name == wanted))
        connection.execute(sa.insert(_table).values(values))
    return SavedView(wanted, query, values["made_at"])


def load_all(workspace: Workspace) -> tuple[SavedView, ...]:
    """Return every view, by name; one that this version of the program cannot read is left out."""
    query = sa.select(_table.c.name, _table.c.query, _table.c.made_at).order_by(_table.c.name)
    with workspace.engine.connect() as connection:
        stored = connection.execute(query).all()
    found = []
    for name, text, made_at in stored:
        try:
            found.append(SavedView(name, from_json(text), made_at))
        except BamError:
            continue
    return tuple(found)


def load(workspace: Workspace, name: str) -> SavedView:
    """Return the view of this name.

    Raises
    ------
    NotFound
        There is none; the message lists those there are.
    """
    found = load_all(workspace)
    for one in found:
        if one.name == name:
            return one
    there = ", ".join(one.name for one in found[:10]) or "none yet"
    raise NotFound(f"there is no saved view {name[:60]!r}: there are {there}.")


def remove(workspace: Workspace, name: str) -> SavedView:
    """Remove a view and return it; :func:`save` brings it back.

    Raises
    ------
    NotFound
        There is none of this name.
    """
    found = load(workspace, name)
    with workspace.engine.begin() as connection:
        connection.execute(sa.delete(_table).where(_table.c.name == found.name))
    return found
