"""The sources of a collection: the folders that were added, each with its images and when it was added last.

In:  the database. Out: one line for each folder. A folder inside another one that was added counts its own images too.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from bam_engine.collection.texts import printable
from bam_engine.database import images, now, put_setting, read_setting

_KEY = "sources"


@dataclass(frozen=True)
class Source:
    """A folder that was added, how many images of the collection are in it, and when it was added last (ISO 8601)."""

    folder: str
    images: int
    added: str


def note_source(engine: sa.Engine, folder: str) -> None:
    """Remember that a folder was added."""
    with engine.begin() as connection:
        put_setting(connection, _KEY, read_setting(engine, _KEY, {}) | {printable(folder): now()})


def sources_of(engine: sa.Engine) -> list[Source]:
    """Return the folders that were added, the last one first."""
    times: dict[str, str] = read_setting(engine, _KEY, {})
    newest = sorted(times, key=lambda folder: times[folder], reverse=True)
    with engine.connect() as connection:
        return [Source(folder, _images_in(connection, folder), times[folder]) for folder in newest]


def _images_in(connection: sa.Connection, folder: str) -> int:
    """Return how many images are below a folder, by the order of their paths: no scan of a large collection."""
    path = images.c.uri if connection.dialect.name == "sqlite" else images.c.uri.collate("C")
    inside = (path >= f"{folder.rstrip('/')}/") & (path < f"{folder.rstrip('/')}0")  # "0" follows "/"
    return int(connection.scalar(sa.select(sa.func.count()).where(inside)) or 0)
