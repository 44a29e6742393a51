"""The catalogue: one record per image, numbered densely from 0, and the problems with files.

In:  records of new images, problems. Out: records by row or URI, whole columns in row order. Reads and writes the
tables ``images`` and ``problems``, never the image files. Columns are read in one statement and lists of keys in
chunks, so it scales to millions of rows.
"""

import secrets
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bam_engine.collection import columns
from bam_engine.collection.buckets import Access, is_address
from bam_engine.collection.columns import NamesOfImage
from bam_engine.collection.digests import Digests
from bam_engine.collection.generated import check_kind, demo_of, why_apart
from bam_engine.collection.paths import Paths
from bam_engine.collection.records import MISSING, OK, REPLACED, Image, NewImage, Place, Problem, uri_of_replaced
from bam_engine.collection.removals import Removed, removed
from bam_engine.collection.sources import Source, buckets_of, note_bucket, note_source, sources_of
from bam_engine.collection.texts import printable, storable, why_not_storable
from bam_engine.database import captions as caption_table
from bam_engine.database import images as table
from bam_engine.database import lock, now, put_setting, read_setting, snapshot_of
from bam_engine.database import problems as problem_table
from bam_engine.errors import CollectionError, DiskFull, NotFound

_CHUNK = 500  # keys in one IN list
_MAX_ROWS = 2**31  # of the type of the column
_PAGE = 50_000  # rows read at a time
_STEP = 2**32  # less than this at once grows the number of the details

_DETAILS_VERSION = "descriptions"  # the setting that grows with changes of titles, projects and URIs
_DETAILS = ("title", "project_id", "mature_content", "license", "url")
_T = TypeVar("_T")
_COLUMNS = [table.c[name] for name in Image.__dataclass_fields__ if name != "buckets"]


class Catalogue:
    """The images in a workspace's database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def __len__(self) -> int:
        return self.newest[0]

    @property
    def newest(self) -> tuple[int, str]:
        """The number of images, and when the newest was added; an empty text if there is none."""
        return self._read("newest image", columns.newest)

    def image(self, row: int) -> Image:
        """Return the record of ``row``.

        Raises
        ------
        NotFound
            The row does not exist.
        """
        return self.images([row])[0]

    def images(self, rows: Iterable[int]) -> list[Image]:
        """Return the records of ``rows``, in that order; repeated rows give repeated records.

        Raises
        ------
        NotFound
            The row does not exist.
        """
        order = [int(row) for row in rows]
        by_row: dict[int, Image] = {}
        for chunk in _chunks(row for row in dict.fromkeys(order) if 0 <= row < _MAX_ROWS):
            for image in self._images(table.c.row.in_(chunk)):
                by_row[image.row] = image
        try:
            return [by_row[row] for row in order]
        except KeyError as missing:
            count = len(self)
            hint = f"Its rows are 0 to {count - 1}." if count else "It is empty: add images first."
            raise NotFound(f"The collection has no row {missing}. {hint}") from missing

    def uris(self) -> list[str]:
        """Return the URI of every image, by row."""
        return self._column(table.c.uri)

    def paths(self) -> Paths:
        """Return the path of every image that there is now, by row, read as they are asked for."""
        return Paths(self._engine, len(self))

    def titles(self) -> list[str | None]:
        """Return the title of every image, by row."""
        return self._column(table.c.title)

    def rows_from(self, urls: Collection[str]) -> dict[str, int]:
        """Return URL → row for those of ``urls`` that images were downloaded from; of several images, the first."""
        found: dict[str, int] = {}
        for rows, addresses in self.fields(("row", "url"), np.ones(len(self), bool)):
            for row, url in zip(rows, addresses, strict=True):
                if url in urls:
                    found.setdefault(url, row)
        return found

    def digests(self) -> Digests:
        """Return the digest of every image, by row, read once: a row keeps its digest."""
        return snapshot_of(self._engine).read("digests", [table], columns.read_digests)

    def projects(self) -> npt.NDArray[np.int64]:
        """Return the group code of every row, int64 (n,): images of the same project share a code.

        Every image without a project gets its own code. Codes are dense from 0, in order of first appearance.
        """
        return self._projects().codes

    def project_names(self) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
        """Return the projects in order of first appearance, and the project index of every row, -1 for none."""
        projects = self._projects()
        return projects.names, projects.named

    def _projects(self) -> columns.Projects:
        version = self.details_version
        return snapshot_of(self._engine).read(
            "projects", [table], lambda connection, known: columns.read_projects(connection, known, version)
        )

    def row_of(self, uri: str) -> int | None:
        """Return the row of the image at ``uri``, or None."""
        return self.rows_of([uri]).get(uri)

    def rows_of(self, uris: Iterable[str]) -> dict[str, int]:
        """Return URI → row for those of ``uris`` that are in the collection."""
        return self._lookup(table.c.uri, table.c.row, uris)

    def stamps_at(self, uris: Iterable[str]) -> dict[str, tuple[int, str | None, str]]:
        """Return URI → (row, stamp, status) for those of ``uris`` that are in the collection."""
        fields = (table.c.uri, table.c.row, table.c.stamp, table.c.status)
        return {
            uri: (row, stamp, status)
            for chunk in _chunks(filter(storable, uris))
            for uri, row, stamp, status in self._all(sa.select(*fields).where(table.c.uri.in_(chunk)))
        }

    def images_with(self, digests: Iterable[str]) -> dict[str, Image]:
        """Return digest → image for those of ``digests`` that are in the collection."""
        return {image.digest: image for chunk in _chunks(digests) for image in self._images(table.c.digest.in_(chunk))}

    def _images(self, condition: sa.ColumnElement[bool]) -> list[Image]:
        records = self._all(sa.select(*_COLUMNS).where(condition))
        buckets = self.buckets() if any(is_address(record.uri) for record in records) else {}
        return [Image(**record._mapping, buckets=buckets) for record in records]

    def removed(self) -> Removed:
        """Return the images that were removed from the collection."""
        return removed(self._engine)

    def present(self) -> npt.NDArray[np.bool_]:
        """Return which images have their file, as far as is known, bool (n,), read-only."""
        return self._files().present

    @property
    def missing_version(self) -> int:
        """A number that identifies which images have no file, as far as is known."""
        return self._files().version

    def _files(self) -> columns.Files:
        n = len(self)
        return self._read("images with a file", lambda connection: columns.read_files(connection, n))

    def places_below(self, folder: str) -> Iterator[list[tuple[int, str]]]:
        """Yield (row, URI) of the images in a folder and its subfolders, but for missing ones, in pages, by row."""
        start, first = folder.rstrip("/") + "/", 0
        inside = sa.and_(_starts_with(start), table.c.status == OK)
        statement = sa.select(table.c.row, table.c.uri).where(inside).order_by(table.c.row).limit(_PAGE)
        while page := self._all(statement.where(table.c.row >= first)):
            yield [(row, uri) for row, uri in page if uri.startswith(start)]  # SQLite compares without case
            first = page[-1][0] + 1

    def rows_below(self, folder: str) -> list[int]:
        """Return the rows of all images in a folder and its subfolders, ascending, missing ones included."""
        start = folder.rstrip("/") + "/"
        if not storable(start):
            return []
        below = self._all(sa.select(table.c.row, table.c.uri).where(_starts_with(start)).order_by(table.c.row))
        return [row for row, uri in below if uri.startswith(start)]  # SQLite compares without case

    def names_from(self, first: int) -> Iterator[list[NamesOfImage]]:
        """Yield the names of the images from row ``first`` on, in pages, by row."""
        with self._engine.connect() as connection:
            yield from columns.read_names(connection, first)

    def fields(self, names: Sequence[str], inside: npt.NDArray[np.bool_]) -> Iterator[list[tuple[Any, ...]]]:
        """Yield columns of the images that are ``inside``, bool (n,), in pages by row: a tuple for each name."""
        with self._engine.connect() as connection:
            yield from columns.read_fields(connection, names, inside)

    def kinds_of_names(self) -> tuple[str, ...]:
        """Return which kinds of names the images have, in words: some of titles, captions, project and file names."""
        return snapshot_of(self._engine).read(
            "kinds of names", [table, caption_table], lambda connection, _: columns.kinds_of_names(connection)
        )

    @property
    def details_version(self) -> int:
        """A number that grows with every change of titles, projects and URIs, and identifies the state of all names.

        It grows by a random step, so that a restored backup that changes otherwise never gets a number used before.
        """
        return int(read_setting(self._engine, _DETAILS_VERSION, 0))

    @property
    def names_version(self) -> str:
        """Identifies the state of all names (:meth:`names_from`) of the images that there are."""
        of, counted = caption_table.c, sa.func.count
        state = sa.select(sa.func.max(of.id), sa.func.max(of.made_at), counted(of.hidden_at), sa.func.max(of.hidden_at))
        last, *others = snapshot_of(self._engine).read(
            "state of captions", [caption_table], lambda connection, _: connection.execute(state).one()
        )
        captions = "" if last is None else f".{zlib.crc32(repr([last, *others]).encode()):x}"
        return f"{self.details_version}{captions}"

    def sources(self) -> list[Source]:
        """Return the folders and buckets that were added, the last one first."""
        return sources_of(self._engine)

    def buckets(self) -> dict[str, Access]:
        """Return how those buckets are reached that need more than their address."""
        return buckets_of(self._engine)

    def note_bucket(self, address: str, access: Access) -> None:
        """Remember how a bucket is reached."""
        note_bucket(self._engine, address, access)

    def note_source(self, folder: str) -> None:
        """Remember that a folder, or the address of a bucket, was added."""
        note_source(self._engine, folder)

    def why_apart(self, *, generated: bool) -> str | None:
        """Return why generated or real images are not added here, see :func:`why_apart`, or None."""
        return why_apart(demo_of(self._engine), generated=generated)

    def add(self, records: Iterable[NewImage]) -> int:
        """Add images in one transaction, each in the next row; return the number of new ones.

        Skips a record whose URI or digest is in the collection or occurs earlier in ``records``. Concurrent writers
        wait for each other, so that rows stay dense.

        Raises
        ------
        CollectionError
            A URI cannot be stored, see :func:`storable`, or generated and real images would mix. Nothing was added.
        DiskFull
            The disk is full. Nothing was added.
        """
        batch = list(records)
        for record in batch:
            if not storable(record.uri):
                raise CollectionError(f"{printable(record.uri)}: {why_not_storable(record.uri)}")
        with self._write(table) as connection:
            generated = [record.uri for record in batch if record.generated]
            check_kind(connection, generated, [record.uri for record in batch if not record.generated])
            uris = _existing_keys(connection, table.c.uri, [record.uri for record in batch])
            digests = _existing_keys(connection, table.c.digest, [record.digest for record in batch])
            new = []
            for record in batch:
                if record.uri not in uris and record.digest not in digests:
                    uris.add(record.uri)
                    digests.add(record.digest)
                    new.append(record)
            first, made_at = columns.next_row(connection), now()
            if new:
                names = [each.name for each in fields(NewImage) if each.name != "generated"]  # that marks the workspace
                values = [
                    {**{name: getattr(record, name) for name in names}, "row": first + i, "made_at": made_at}
                    for i, record in enumerate(new)
                ]
                connection.execute(sa.insert(table), values)
        return len(new)

    def update_details(self, details: Mapping[str, Mapping[str, Any]]) -> int:
        """Set title, project_id, mature_content, license or url of existing images; return how many have changed.

        Parameters
        ----------
        details
            URI → the fields to set. Fields that are None or absent stay unchanged.
        """
        changes: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for chunk in _chunks(details):
            for record in self._all(sa.select(*_COLUMNS).where(table.c.uri.in_(chunk))):
                new = details[record.uri]
                changed = [name for name in _DETAILS if new.get(name) not in (None, getattr(record, name))]
                if changed:
                    values = {"_row": record.row, **{name: new[name] for name in changed}}
                    changes.setdefault(tuple(changed), []).append(values)
        if changes:
            with self._write(table) as connection:
                for names, rows in changes.items():
                    values = {name: sa.bindparam(name) for name in names}
                    connection.execute(sa.update(table).where(table.c.row == sa.bindparam("_row")).values(values), rows)
                self._count_change(connection)
        return sum(map(len, changes.values()))

    def move(self, places: Mapping[int, Place]) -> list[int]:
        """Give images the places where their bytes were found, in one transaction; return the rows that moved.

        Rows, labels and all other data stay. A place that another image has is not given. Clears the problems of the
        old URIs, so that the files are tried again at their new place.
        """
        if not places:
            return []
        with self._write(table) as connection:
            taken = _existing_keys(connection, table.c.uri, [place.uri for place in places.values()])
            free = {row: place for row, place in places.items() if place.uri not in taken}
            self._set_places(connection, {row: (place.uri, OK, place.stamp) for row, place in free.items()})
        return list(free)

    def displace(self, images: Iterable[Image]) -> None:
        """Mark images as replaced, in one transaction: their files hold other bytes by now.

        Their paths become free for other images. Images that have moved meanwhile stay as they are.
        """
        images = list(images)
        if not images:
            return
        with self._write(table) as connection:
            stored = sa.select(table.c.row, table.c.uri)
            places = {
                (row, uri)
                for chunk in _chunks(image.row for image in images)
                for row, uri in connection.execute(stored.where(table.c.row.in_(chunk)))
            }
            changes = {i.row: (uri_of_replaced(i), REPLACED, None) for i in images if (i.row, i.uri) in places}
            self._set_places(connection, changes)

    def confirm(self, places: Mapping[int, Place]) -> None:
        """Record that images have been found in their files, with new stamps, in one transaction."""
        self._update_at(places, status=OK, stamp=sa.bindparam("_stamp"))

    def mark_missing(self, places: Mapping[int, Place]) -> None:
        """Record that the files of images have not been found, in one transaction."""
        self._update_at(places, status=MISSING)

    def _update_at(self, places: Mapping[int, Place], **values: Any) -> None:
        """Change images that have not moved meanwhile."""
        if not places:
            return
        lines = [{"_row": row, "_uri": place.uri, "_stamp": place.stamp} for row, place in places.items()]
        there = sa.and_(table.c.row == sa.bindparam("_row"), table.c.uri == sa.bindparam("_uri"))
        with self._write(table) as connection:
            connection.execute(sa.update(table).where(there).values(values), lines)

    def _set_places(self, connection: sa.Connection, places: Mapping[int, tuple[str, str, str | None]]) -> None:
        """Set URI, status and stamp of images, and clear the problems of their old URIs."""
        if not places:
            return
        old: set[str] = set()
        for chunk in _chunks(places):
            old.update(connection.scalars(sa.select(table.c.uri).where(table.c.row.in_(chunk))))
        lines = [{"_row": row, "_uri": u, "_status": s, "_stamp": t} for row, (u, s, t) in places.items()]
        values: dict[str, Any] = {name: sa.bindparam(f"_{name}") for name in ("uri", "status", "stamp")}
        connection.execute(sa.update(table).where(table.c.row == sa.bindparam("_row")).values(values), lines)
        outdated = sa.delete(problem_table).where(problem_table.c.uri == sa.bindparam("_old"))
        connection.execute(outdated, [{"_old": printable(uri)} for uri in old])
        self._count_change(connection)

    def problems(self, stage: str | None = None) -> list[Problem]:
        """Return the problems of one stage or of all, oldest first."""
        problems = snapshot_of(self._engine).rows(problem_table)
        return [Problem(one.uri, one.reason, one.stage) for one in problems if stage in (None, one.stage)]

    def record_problems(self, problems: Iterable[Problem]) -> None:
        """Record problems in one transaction, replacing earlier reasons."""
        values = {(p.stage, printable(p.uri)): printable(p.reason) for p in problems}
        if not values:
            return
        with self._write(problem_table) as connection:
            _delete_problems(connection, values)
            made_at = now()
            rows = [{"stage": s, "uri": u, "reason": r, "made_at": made_at} for (s, u), r in values.items()]
            connection.execute(sa.insert(problem_table), rows)

    def clear_problems(self, stage: str, uris: Iterable[str]) -> None:
        """Delete problems of a stage in one transaction."""
        keys = [(stage, printable(uri)) for uri in uris]
        if keys:
            with self._write(problem_table) as connection:
                _delete_problems(connection, keys)

    def _count_change(self, connection: sa.Connection) -> None:
        """Increase ``details_version``."""
        put_setting(connection, _DETAILS_VERSION, self.details_version + 1 + secrets.randbelow(_STEP))

    @contextmanager
    def _write(self, locked: sa.Table) -> Iterator[sa.Connection]:
        """Open a transaction that blocks other writers of ``locked`` but no readers."""
        try:
            with self._engine.begin() as connection:
                lock(connection, locked)
                yield connection
        except sa.exc.OperationalError as error:
            if any(words in str(error.orig) for words in ("disk is full", "No space left")):
                raise DiskFull("The disk that holds the database is full. Free some space.") from error
            raise

    def _read(self, name: str, load: Callable[[sa.Connection], _T]) -> _T:
        """Return what ``load`` reads of the images; it is called again only after one of them has changed."""
        return snapshot_of(self._engine).read(name, [table], lambda connection, _: load(connection))

    def _all(self, statement: sa.Select[*tuple[Any, ...]]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
        with self._engine.connect() as connection:
            return connection.execute(statement).all()

    def _column(self, column: sa.Column[Any]) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.scalars(sa.select(column).order_by(table.c.row)))

    def _lookup(self, key: sa.Column[Any], value: sa.Column[Any], keys: Iterable[str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for chunk in _chunks(filter(storable, keys)):
            values.update({record[0]: record[1] for record in self._all(sa.select(key, value).where(key.in_(chunk)))})
        return values


def _starts_with(start: str) -> sa.ColumnElement[bool]:
    """Return the condition that a URI starts with a text, perhaps in another case."""
    return table.c.uri.startswith(start, autoescape=True)


def _existing_keys(connection: sa.Connection, column: sa.Column[str], keys: Iterable[str]) -> set[str]:
    existing: set[str] = set()
    for chunk in _chunks(keys):
        existing.update(connection.scalars(sa.select(column).where(column.in_(chunk))))
    return existing


def _delete_problems(connection: sa.Connection, keys: Iterable[tuple[str, str]]) -> None:
    by_key = sa.and_(problem_table.c.stage == sa.bindparam("s"), problem_table.c.uri == sa.bindparam("u"))
    connection.execute(sa.delete(problem_table).where(by_key), [{"s": stage, "u": uri} for stage, uri in keys])


def _chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
