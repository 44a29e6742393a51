"""Saved views: a gallery's query under a name, stored in the database."""

from dataclasses import dataclass

import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.errors import BamError, NotFound
from bam_engine.gallery.query import Query, from_json, with_names
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.exclusive import exclusive

MAX_NAME_LENGTH = 80
MAX_VIEWS = 500
VERSION = 1
"""The newest form of a stored query that this program reads, and the one it writes."""

_table = db.saved_views


@dataclass(frozen=True)
class SavedView:
    """A query and its name; ``made_at`` in UTC as ISO 8601."""

    name: str
    query: Query
    made_at: str


def save(workspace: Workspace, name: str, query: Query, *, replace: bool = False) -> SavedView:
    """Save ``query`` under ``name``.

    Raises
    ------
    BamError
        The name is empty, too long, or in use (unless ``replace``); or there are too many views.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME_LENGTH:
        raise BamError(f"The name of a view must have 1 to {MAX_NAME_LENGTH} characters; this one has {len(name)}.")
    made_at = db.now()
    values = {"name": name, "query": query.json(), "version": VERSION, "made_at": made_at}
    with exclusive(workspace.engine, _table) as connection:
        names = set(connection.scalars(sa.select(_table.c.name)))
        if name in names and not replace:
            raise BamError(f"The view {name!r} already exists. Choose another name, or replace it.")
        if len(names) >= MAX_VIEWS and name not in names:
            raise BamError(f"There are {MAX_VIEWS} saved views, which is the limit. Remove one first.")
        connection.execute(sa.delete(_table).where(_table.c.name == name))
        connection.execute(sa.insert(_table).values(values))
    return SavedView(name, query, made_at)


def load_all(workspace: Workspace) -> tuple[SavedView, ...]:
    """Return all views, sorted by name, except those that this version of the program cannot read.

    They name attributes as these are called today.
    """
    query = sa.select(_table.c.name, _table.c.query, _table.c.made_at).where(_table.c.version <= VERSION)
    with workspace.engine.connect() as connection:
        stored = connection.execute(query).all()
    views = []
    for name, text, made_at in sorted(stored):  # by Python: databases differ in how they sort text
        try:
            views.append(SavedView(name, with_names(from_json(text), workspace.attributes.current_name), made_at))
        except BamError:
            continue
    return tuple(views)


def load(workspace: Workspace, name: str) -> SavedView:
    """Return the view of this name.

    Raises
    ------
    NotFound
        There is none of this name; the message lists the existing ones.
    """
    views = load_all(workspace)
    for view in views:
        if view.name == name:
            return view
    existing = ", ".join(view.name for view in views[:10]) or "none yet"
    raise NotFound(f"There is no saved view {name[:60]!r}. Saved views: {existing}.")


def remove(workspace: Workspace, name: str) -> SavedView:
    """Remove a view and return it; :func:`save` restores it.

    Raises
    ------
    NotFound
        There is none of this name.
    """
    view = load(workspace, name)
    with workspace.engine.begin() as connection:
        connection.execute(sa.delete(_table).where(_table.c.name == view.name))
    return view
