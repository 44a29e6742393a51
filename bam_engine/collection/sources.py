"""The sources of a collection: the folders and buckets that were added, with their images and when.

In:  the database. Out: one line for each folder, and how buckets are reached: an endpoint, or anonymously; no secret. A
folder inside another one that was added counts its own images too.
"""

from dataclasses import asdict, dataclass

import sqlalchemy as sa

from bam_engine.collection.buckets import Access, bucket_of
from bam_engine.collection.texts import printable
from bam_engine.database import images, now, put_setting, read_setting, write_setting

_KEY, _BUCKETS = "sources", "buckets"


@dataclass(frozen=True)
class Source:
    """A folder or bucket that was added, how many images of the collection are in it, and when last (ISO 8601)."""

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


def note_bucket(engine: sa.Engine, address: str, access: Access) -> None:
    """Remember how the bucket of an address is reached."""
    known = buckets_of(engine)
    if known.get(bucket_of(address), Access()) != access:
        stored = {bucket: asdict(one) for bucket, one in (known | {bucket_of(address): access}).items()}
        write_setting(engine, _BUCKETS, stored)


def buckets_of(engine: sa.Engine) -> dict[str, Access]:
    """Return bucket → how it is reached, for those that need more than their address."""
    return {bucket: Access(**one) for bucket, one in read_setting(engine, _BUCKETS, {}).items()}


def _images_in(connection: sa.Connection, folder: str) -> int:
    """Return how many images are below a folder, by the order of their paths: no scan of a large collection."""
    path = images.c.uri if connection.dialect.name == "sqlite" else images.c.uri.collate("C")
    inside = (path >= f"{folder.rstrip('/')}/") & (path < f"{folder.rstrip('/')}0")  # "0" follows "/"
    return int(connection.scalar(sa.select(sa.func.count()).where(inside)) or 0)
