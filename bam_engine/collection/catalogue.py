"""Which images there are: one record each, numbered densely from 0, and what could not be done with which file.

In:  records of new images, problems. Out: records by row or place, whole columns in row order. Knows the tables
``images`` and ``problems`` and no file's content. Columns are read by one statement, lists of keys in chunks, so that
it serves millions of rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bam_engine.collection.generated import check_kind
from bam_engine.database import images as table
from bam_engine.database import lock, now, read_setting, settings
from bam_engine.database import problems as problem_table
from bam_engine.errors import CollectionError, DiskFull, NotFound

_CHUNK = 500  # keys in one IN list
_PAGE = 50_000  # rows read at a time
_DESCRIBED = "descriptions"  # the setting that counts changes of titles and the like
_DETAILS = ("title", "project_id", "mature_content", "license")
_T = TypeVar("_T")


@dataclass(frozen=True)
class NewImage:
    """What is known of an image before it has a row; ``generated`` if this program drew it."""

    uri: str
    width: int
    height: int
    digest: str
    title: str | None = None
    project_id: str | None = None
    mature_content: bool | None = None
    license: str | None = None
    status: str = "ok"
    generated: bool = False


@dataclass(frozen=True)
class Image:
    """One image of the collection; ``row`` is its index into every array."""

    id: int
    row: int
    uri: str
    title: str | None
    project_id: str | None
    width: int
    height: int
    digest: str
    mature_content: bool | None
    license: str | None
    status: str

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.uri)


@dataclass(frozen=True)
class Problem:
    """A file that ``stage`` ("ingest", "embed:KEY") could not deal with, and why."""

    uri: str
    reason: str
    stage: str = field(default="ingest")


_COLUMNS = [table.c[name] for name in Image.__dataclass_fields__]


class Catalogue:
    """The images of one workspace's database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._projects: tuple[tuple[int, int], tuple[str, ...], npt.NDArray[np.int64]] | None = None

    def __len__(self) -> int:
        return _next_row(self._scalar)

    def image(self, row: int) -> Image:
        """Return the record of ``row``.

        Raises
        ------
        NotFound
            The collection has no such row.
        """
        return self.images([row])[0]

    def images(self, rows: Iterable[int]) -> list[Image]:
        """Return the records of ``rows``, in that order; a row given twice comes twice.

        Raises
        ------
        NotFound
            The collection has no such row.
        """
        asked = [int(row) for row in rows]
        found: dict[int, Image] = {}
        for chunk in _chunks(dict.fromkeys(asked)):
            for record in self._all(sa.select(*_COLUMNS).where(table.c.row.in_(chunk))):
                found[record.row] = Image(**record._mapping)
        try:
            return [found[row] for row in asked]
        except KeyError as missing:
            count = len(self)
            there = f"its rows are 0 to {count - 1}" if count else "it has no images yet: add some first"
            raise NotFound(f"the collection has no row {missing}: {there}.") from missing

    def uris(self) -> list[str]:
        """Return the place of every image, by row."""
        return self._column(table.c.uri)

    def titles(self) -> list[str | None]:
        """Return the title of every image, by row."""
        return self._column(table.c.title)

    def projects(self) -> npt.NDArray[np.int64]:
        """Return a group code for every row: equal project, equal code.

        Images without a project get a code of their own each. Codes are dense from 0, in order of first appearance.
        """
        names, codes = self.project_names()
        alone = np.flatnonzero(codes < 0)
        if not len(alone):
            return codes.copy()
        own = codes.copy()
        own[alone] = len(names) + np.arange(len(alone))
        _, first, place = np.unique(own, return_index=True, return_inverse=True)
        order = np.empty(len(first), np.int64)
        order[np.argsort(first)] = np.arange(len(first))
        return order[place]

    def project_names(self) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
        """Return the projects in order of first appearance, and for every row the number of its own, -1 for none.

        They are read once, and again when images came or descriptions changed.
        """
        seen = (len(self), self.details_version)
        kept = self._projects
        if kept is None or kept[0] != seen:
            known: dict[str | None, int] = {None: -1}
            codes = [
                np.array([known.setdefault(name, len(known) - 1) for name in page], np.int64)
                for page in self._pages(table.c.project_id)
            ]
            names = tuple(name for name in known if name is not None)
            kept = self._projects = (seen, names, np.concatenate([np.empty(0, np.int64), *codes]))
            kept[2].setflags(write=False)
        return kept[1], kept[2]

    def row_of(self, uri: str) -> int | None:
        """Return the row of the image at ``uri``, or None."""
        return self.rows_of([uri]).get(uri)

    def rows_of(self, uris: Iterable[str]) -> dict[str, int]:
        """Return uri → row for those of ``uris`` that are in the collection."""
        return self._lookup(table.c.uri, table.c.row, uris)

    def uris_by_digest(self, digests: Iterable[str]) -> dict[str, str]:
        """Return digest → uri of the image with exactly these bytes, where there is one."""
        return self._lookup(table.c.digest, table.c.uri, digests)

    def names_from(self, first: int) -> Iterator[list[tuple[str | None, str | None, str]]]:
        """Yield (title, project, uri) of row ``first`` and all after it, in pages by row."""
        columns = (table.c.title, table.c.project_id, table.c.uri)
        while page := self._all(sa.select(*columns).where(table.c.row >= first).order_by(table.c.row).limit(_PAGE)):
            yield [(title, project, uri) for title, project, uri in page]
            first += len(page)

    @property
    def details_version(self) -> int:
        """How often a title, a project or a place has changed: names read before that are out of date."""
        return int(read_setting(self._engine, _DESCRIBED, 0))

    def add(self, records: Iterable[NewImage]) -> int:
        """Add images, giving each the next row, in one transaction; return how many were new.

        A record whose uri or digest is there already, or was added just before it, is passed over. Two writers at once
        take turns, so that rows stay dense and unbroken.

        Raises
        ------
        CollectionError
            A uri holds undecodable bytes, which a database cannot store, or generated and real images would mix; none
            of ``records`` was added.
        DiskFull
            There is no room; none of ``records`` was added.
        """
        wanted = list(records)
        for record in wanted:
            if not storable(record.uri):
                raise CollectionError(f"{printable(record.uri)}: the name holds undecodable bytes. Rename the file.")
        with self._write(table) as connection:
            generated = [record.uri for record in wanted if record.generated]
            check_kind(connection, generated, [record.uri for record in wanted if not record.generated])
            uris = _keys_there(connection, table.c.uri, [record.uri for record in wanted])
            digests = _keys_there(connection, table.c.digest, [record.digest for record in wanted])
            new = []
            for record in wanted:
                if record.uri not in uris and record.digest not in digests:
                    uris.add(record.uri)
                    digests.add(record.digest)
                    new.append(record)
            first, made_at = _next_row(connection.scalar), now()
            if new:
                values = [{**asdict(record), "row": first + i, "made_at": made_at} for i, record in enumerate(new)]
                for value in values:
                    del value["generated"]  # the workspace is marked as a whole
                connection.execute(sa.insert(table), values)
        return len(new)

    def update_details(self, details: Mapping[str, Mapping[str, Any]]) -> int:
        """Set title, project_id, mature_content or license of images that are there; return how many changed.

        Parameters
        ----------
        details
            uri → the fields to set. Fields that are None or absent stay as they are.
        """
        changes: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for chunk in _chunks(details):
            for record in self._all(sa.select(*_COLUMNS).where(table.c.uri.in_(chunk))):
                wanted = details[record.uri]
                differing = [n for n in _DETAILS if wanted.get(n) is not None and wanted[n] != getattr(record, n)]
                if differing:
                    values = {"_row": record.row, **{name: wanted[name] for name in differing}}
                    changes.setdefault(tuple(differing), []).append(values)
        if changes:
            with self._write(table) as connection:
                for names, rows in changes.items():
                    values = {name: sa.bindparam(name) for name in names}
                    connection.execute(sa.update(table).where(table.c.row == sa.bindparam("_row")).values(values), rows)
                self._note_described(connection)
        return sum(map(len, changes.values()))

    def move(self, places: Mapping[str, str]) -> None:
        """Give images a new uri, in one transaction; rows, and all that is known of them, stay.

        What could not be done with the file at its old place is forgotten: it is tried again where it is now.

        Parameters
        ----------
        places
            Old uri → new uri, which no other image may have. An old one that is not there changes nothing.
        """
        if not places:
            return
        moves = [{"_old": old, "_new": new} for old, new in places.items()]
        with self._write(table) as connection:
            by_old = sa.update(table).where(table.c.uri == sa.bindparam("_old"))
            connection.execute(by_old.values(uri=sa.bindparam("_new")), moves)
            tried = sa.delete(problem_table).where(problem_table.c.uri == sa.bindparam("_old"))
            connection.execute(tried, [{"_old": printable(old)} for old in places])
            self._note_described(connection)

    def problems(self, stage: str | None = None) -> list[Problem]:
        """Return what could not be done, of one stage or of all, oldest first."""
        columns = (problem_table.c.uri, problem_table.c.reason, problem_table.c.stage)
        statement = sa.select(*columns).order_by(problem_table.c.id)
        if stage is not None:
            statement = statement.where(problem_table.c.stage == stage)
        return [Problem(**record._mapping) for record in self._all(statement)]

    def note_problem(self, stage: str, uri: str, reason: str) -> None:
        """Note that ``stage`` cannot deal with ``uri``, replacing an earlier reason."""
        self.note_problems([Problem(uri, reason, stage)])

    def note_problems(self, problems: Iterable[Problem]) -> None:
        """Note several problems in one transaction, replacing earlier reasons."""
        values = {(p.stage, printable(p.uri)): printable(p.reason) for p in problems}
        if not values:
            return
        with self._write(problem_table) as connection:
            _delete_problems(connection, values)
            made_at = now()
            rows = [{"stage": s, "uri": u, "reason": r, "made_at": made_at} for (s, u), r in values.items()]
            connection.execute(sa.insert(problem_table), rows)

    def clear_problem(self, stage: str, uri: str) -> None:
        """Forget that ``stage`` could not deal with ``uri``; nothing happens when it was not noted."""
        self.clear_problems(stage, [uri])

    def clear_problems(self, stage: str, uris: Iterable[str]) -> None:
        """Forget several problems of a stage in one transaction."""
        keys = [(stage, printable(uri)) for uri in uris]
        if keys:
            with self._write(problem_table) as connection:
                _delete_problems(connection, keys)

    def _note_described(self, connection: sa.Connection) -> None:
        """Count one more change of what is known of the images."""
        told = self.details_version + 1
        connection.execute(sa.delete(settings).where(settings.c.key == _DESCRIBED))
        connection.execute(sa.insert(settings).values(key=_DESCRIBED, value=str(told)))

    @contextmanager
    def _write(self, locked: sa.Table) -> Iterator[sa.Connection]:
        """Open a transaction that no other writer of ``locked`` overlaps; readers go on."""
        try:
            with self._engine.begin() as connection:
                lock(connection, locked)
                yield connection
        except sa.exc.OperationalError as error:
            if any(words in str(error.orig) for words in ("disk is full", "No space left")):
                raise DiskFull("the disk that holds the database has no room left. Free some space.") from error
            raise

    def _all(self, statement: sa.Select[*tuple[Any, ...]]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
        with self._engine.connect() as connection:
            return connection.execute(statement).all()

    def _scalar(self, statement: sa.Select[Any]) -> Any:
        with self._engine.connect() as connection:
            return connection.scalar(statement)

    def _column(self, column: sa.Column[Any]) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.scalars(sa.select(column).order_by(table.c.row)))

    def _pages(self, column: sa.Column[Any]) -> Iterator[list[Any]]:
        """Yield a column of texts by row, straight from the driver: a third of the time for millions."""
        statement = sa.select(column).order_by(table.c.row)
        with self._engine.connect() as connection:
            cursor = connection.connection.cursor()
            try:
                cursor.execute(str(statement.compile(connection)))
                while page := cursor.fetchmany(_PAGE):
                    yield [record[0] for record in page]
            finally:
                cursor.close()

    def _lookup(self, key: sa.Column[Any], value: sa.Column[Any], wanted: Iterable[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for chunk in _chunks(filter(storable, wanted)):
            found.update({record[0]: record[1] for record in self._all(sa.select(key, value).where(key.in_(chunk)))})
        return found


def printable(text: str) -> str:
    """Return ``text`` with what is no valid Unicode (undecodable bytes of a file's name) written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def storable(uri: str) -> bool:
    """Tell whether the database can hold ``uri`` as it is."""
    return printable(uri) == uri


def _next_row(scalar: Any) -> int:
    return int(scalar(sa.select(sa.func.coalesce(sa.func.max(table.c.row) + 1, 0))))


def _keys_there(connection: sa.Connection, column: sa.Column[str], wanted: Iterable[str]) -> set[str]:
    there: set[str] = set()
    for chunk in _chunks(wanted):
        there.update(connection.scalars(sa.select(column).where(column.in_(chunk))))
    return there


def _delete_problems(connection: sa.Connection, keys: Iterable[tuple[str, str]]) -> None:
    by_key = sa.and_(problem_table.c.stage == sa.bindparam("s"), problem_table.c.uri == sa.bindparam("u"))
    connection.execute(sa.delete(problem_table).where(by_key), [{"s": stage, "u": uri} for stage, uri in keys])


def _chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
