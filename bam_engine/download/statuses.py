"""The status of every URL of one list, in a SQLite file beside the pictures.

In:  the lines of lists, and what became of their URLs. Out: the URLs that wait, by host; counts, and the table to read
and to export. Of ten millions of URLs, none is held in memory. A URL is in one of four states: it waits, its picture is
stored, its picture is in the collection, or it has failed.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bam_engine.database import now
from bam_engine.download.hosts import rewritten
from bam_engine.download.lists import Line
from bam_engine.download.outcomes import Failure, Picture
from bam_engine.download.urls import parse_url

FILE = "urls.sqlite"
"""The name of the file in the folder of a list."""

WAITING, STORED, ADDED, FAILED = "waiting", "stored", "added", "failed"
COLUMNS = (
    *("line", "url", "title", "project", "license", "mature", "state", "code", "error", "reason"),
    *("digest", "width", "height", "bytes", "file", "tries", "finished"),
)
"""The columns of the table of statuses, as it is shown and exported."""

_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS urls (
    id INTEGER PRIMARY KEY, url TEXT NOT NULL, key INTEGER NOT NULL, host INTEGER NOT NULL, line INTEGER NOT NULL,
    title TEXT, project TEXT, license TEXT, mature INTEGER, state TEXT NOT NULL, code INTEGER, error TEXT, reason TEXT,
    digest TEXT, width INTEGER, height INTEGER, bytes INTEGER, file TEXT, etag TEXT, tries INTEGER NOT NULL DEFAULT 0,
    finished TEXT);
CREATE TABLE IF NOT EXISTS hosts (number INTEGER PRIMARY KEY, host INTEGER NOT NULL, urls INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS urls_waiting ON urls (host, id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS urls_stored ON urls (id) WHERE state = 'stored';
CREATE INDEX IF NOT EXISTS urls_failed ON urls (error, code) WHERE state = 'failed';
"""
_BATCH = 5_000  # lines in one transaction
_CACHE = 64_000  # kB of pages in memory


@dataclass(frozen=True)
class Waiting:
    """A URL that waits for its turn."""

    id: int
    url: str
    tries: int
    etag: str


@dataclass(frozen=True)
class Stored:
    """A picture that is stored and not yet in the collection."""

    id: int
    url: str
    file: str
    title: str | None
    project: str | None
    license: str | None
    mature: bool | None


@dataclass(frozen=True)
class Counts:
    """How many URLs of a list are in which state, and how many lines had no URL of their own."""

    urls: int
    waiting: int
    stored: int
    failed: int
    duplicates: int

    @property
    def added(self) -> int:
        """URLs whose pictures are in the collection."""
        return self.urls - self.waiting - self.stored - self.failed


class Statuses:
    """The table of one list; use it in one thread.

    Parameters
    ----------
    folder
        The folder of the list; it exists.
    """

    def __init__(self, folder: Path) -> None:
        # one thread after the other: whoever opens it may wait for a run in another thread
        self._database = sqlite3.connect(folder / FILE, isolation_level=None, timeout=60, check_same_thread=False)
        try:
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"cache_size=-{_CACHE}"):
                self._database.execute(f"PRAGMA {pragma}")
            self._database.executescript(_TABLES)
        except sqlite3.Error:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # What is known of the list ----------------------------------------------------------------------------------------

    def read(self, name: str) -> str | None:
        """Return what is noted of the list under a name."""
        found = self._database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def write(self, name: str, value: str) -> None:
        """Note something of the list under a name."""
        self._database.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    # Reading lists --------------------------------------------------------------------------------------------------

    def add(self, lines: Iterable[Line]) -> Iterator[int]:
        """Add the URLs of lines that are not there yet; yield now and then how many lines were read.

        Of equal URLs, the first counts. If it is interrupted, what was added is taken out before the next time.
        """
        known, urls = self.forget_unread()
        self._database.execute("DROP INDEX IF EXISTS urls_key")
        last, done, source = known, 0, iter(lines)
        while batch := list(islice(source, _BATCH)):
            rows = [self._row(last + place, line) for place, line in enumerate(batch, 1)]
            with _transaction(self._database):
                self._database.executemany(
                    "INSERT INTO urls (id, url, key, host, line, title, project, license, mature, state, error, "
                    "reason, finished) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    rows,
                )
            last += len(batch)
            done += len(batch)
            yield done
        self._database.execute("CREATE INDEX IF NOT EXISTS urls_key ON urls (key, id)")
        with _transaction(self._database):
            twice = self._database.execute(
                "DELETE FROM urls WHERE id > ? AND EXISTS (SELECT 1 FROM urls AS first WHERE first.key = urls.key AND "
                "first.id < urls.id AND first.url = urls.url)",
                (known,),
            ).rowcount
            self.write("known", json.dumps([last, urls + done - twice]))
            self.write("duplicates", str(int(self.read("duplicates") or 0) + (twice if known == 0 else 0)))

    def forget_unread(self) -> tuple[int, int]:
        """Take out what was added by a reading that was interrupted; return the last id and the number of URLs."""
        known, urls = json.loads(self.read("known") or "[0, 0]")
        self._database.execute("DELETE FROM urls WHERE id > ?", (known,))
        return known, urls

    @staticmethod
    def _row(number: int, line: Line) -> tuple[Any, ...]:
        details = (line.number, line.title, line.project, line.license, line.mature)
        try:
            if line.problem:
                raise Failure("bad url", line.problem)
            url = parse_url(line.url)
        except Failure as failure:
            written = line.url or f"line {line.number}"
            failed = (FAILED, failure.kind, failure.reason, now())
            return (number, written, _key(written), 0, *details, *failed)
        return (number, url.text, _key(url.text), _key(url.host), *details, WAITING, None, None, None)

    # Turns ----------------------------------------------------------------------------------------------------------

    def list_hosts(self, asked: Mapping[str, str] = MappingProxyType({})) -> None:
        """Note the hosts of the URLs that wait, those with most first: they take longest.

        A URL of a host for which another is ``asked`` is noted under that one, and counts among its requests.
        """
        self._put_to_hosts(dict(asked))
        with _transaction(self._database):
            self._database.execute("DELETE FROM hosts")
            self._database.execute(
                "INSERT INTO hosts (host, urls) SELECT host, count(*) AS number FROM urls WHERE state = 'waiting' "
                "GROUP BY host ORDER BY number DESC, host"
            )

    def _put_to_hosts(self, asked: dict[str, str]) -> None:
        """Put the URLs to the hosts that are asked for them: all if the rules have changed, or else the new ones."""
        with _transaction(self._database):
            if json.loads(self.read("hosts") or "{}") == asked:
                move = "UPDATE urls SET host = ? WHERE host = ? AND state = 'waiting'"
                self._database.executemany(move, [(_key(new), _key(old)) for old, new in asked.items()])
                return

            def host_of(url: str, host: int) -> int:
                try:
                    return _key(rewritten(parse_url(url), asked).host)
                except Failure:  # too long since its letters were encoded: it fails, alone, when it is requested
                    return host

            self._database.create_function("host_of", 2, host_of, deterministic=True)
            self._database.execute("UPDATE urls SET host = host_of(url, host) WHERE error IS NOT 'bad url'")
            self.write("hosts", json.dumps(asked))

    def hosts(self, after: int, count: int) -> list[tuple[int, int, int]]:
        """Return number, host and number of URLs of the next ones of :meth:`list_hosts`."""
        query = "SELECT number, host, urls FROM hosts WHERE number > ? ORDER BY number LIMIT ?"
        return self._database.execute(query, (after, count)).fetchall()

    def waiting(self, host: int, after: int, count: int) -> list[Waiting]:
        """Return the next URLs of a host that wait, by their place in the list."""
        query = (
            "SELECT id, url, tries, coalesce(etag, '') FROM urls WHERE state = 'waiting' AND host = ? AND id > ? "
            "ORDER BY id LIMIT ?"
        )
        return [Waiting(*row) for row in self._database.execute(query, (host, after, count))]

    def stored(self, count: int) -> list[Stored]:
        """Return pictures that are stored and not yet in the collection, in the order of the list."""
        query = (
            "SELECT id, url, file, title, project, license, mature FROM urls WHERE state = 'stored' ORDER BY id LIMIT ?"
        )
        rows = self._database.execute(query, (count,))
        return [
            Stored(number, url, file, title, project, licence, None if mature is None else bool(mature))
            for number, url, file, title, project, licence, mature in rows
        ]

    # What became of URLs ----------------------------------------------------------------------------------------------

    def record(self, outcomes: Sequence[tuple[Waiting, Picture | Failure | None]]) -> None:
        """Note what became of URLs, in one transaction; None stands for a picture that is as it was."""
        time = now()
        with _transaction(self._database):
            for item, outcome in outcomes:
                if isinstance(outcome, Failure):
                    changes: dict[str, Any] = {"state": FAILED, "code": outcome.code, "error": outcome.kind}
                    changes |= {"reason": outcome.reason}
                elif outcome is None:
                    changes = {"state": STORED, "code": 304}
                else:
                    changes = {"state": STORED, "code": 200, "error": None, "reason": None, "digest": outcome.digest}
                    changes |= {"width": outcome.width, "height": outcome.height, "bytes": outcome.size}
                    changes |= {"file": outcome.file, "etag": outcome.etag}
                self._change(item.id, changes | {"tries": item.tries, "finished": time})

    def added(self, ids: Iterable[int], failures: Iterable[tuple[int, Failure]]) -> None:
        """Note which stored pictures are in the collection, and which cannot be."""
        with _transaction(self._database):
            self._database.executemany("UPDATE urls SET state = 'added' WHERE id = ?", [(one,) for one in ids])
            for one, failure in failures:
                self._change(one, {"state": FAILED, "error": failure.kind, "reason": failure.reason, "file": None})

    def give_up(self, host: int, failure: Failure) -> int:
        """Note of all URLs of a host that wait that they have failed; return how many."""
        cursor = self._database.execute(
            "UPDATE urls SET state = 'failed', error = ?, reason = ?, code = ?, finished = ? "
            "WHERE state = 'waiting' AND host = ?",
            (failure.kind, failure.reason, failure.code, now(), host),
        )
        return cursor.rowcount

    def try_again(self, errors: Iterable[str] | None = None) -> int:
        """Let failed URLs wait again, those of some kinds of failures or of all; return how many.

        What is no URL stays as it is.
        """
        kinds = None if errors is None else list(errors)
        chosen = "" if kinds is None else f" AND error IN ({', '.join('?' * len(kinds))})"
        cursor = self._database.execute(
            "UPDATE urls SET state = 'waiting', error = NULL, reason = NULL, code = NULL, tries = 0 WHERE "
            f"state = 'failed' AND error != 'bad url'{chosen}",
            kinds or (),
        )
        return cursor.rowcount

    def ask_again(self) -> int:
        """Let the URLs of pictures that are in the collection wait again; return how many."""
        return self._database.execute("UPDATE urls SET state = 'waiting', tries = 0 WHERE state = 'added'").rowcount

    def _change(self, number: int, changes: dict[str, Any]) -> None:
        names = ", ".join(f"{name} = ?" for name in changes)
        self._database.execute(f"UPDATE urls SET {names} WHERE id = ?", (*changes.values(), number))

    # The table --------------------------------------------------------------------------------------------------------

    def counts(self) -> Counts:
        """Count the URLs by state."""
        _, urls = json.loads(self.read("known") or "[0, 0]")
        states = {
            state: self._database.execute(f"SELECT count(*) FROM urls WHERE state = '{state}'").fetchone()[0]
            for state in (WAITING, STORED, FAILED)
        }
        return Counts(urls, states[WAITING], states[STORED], states[FAILED], int(self.read("duplicates") or 0))

    def errors(self) -> list[tuple[str, int | None, int]]:
        """Return kind, HTTP status and number of the failures, the most frequent first."""
        query = (
            "SELECT error, code, count(*) AS n FROM urls WHERE state = 'failed' GROUP BY error, code ORDER BY n DESC"
        )
        return self._database.execute(query).fetchall()

    def table(self, *, error: str | None = None, count: int | None = None) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of :data:`COLUMNS` in the order of the list: all, or those of one kind of failure."""
        only = "" if error is None else "WHERE state = 'failed' AND error = ? "
        query = f"SELECT {', '.join(COLUMNS)} FROM urls {only}ORDER BY id LIMIT ?"
        yield from self._database.execute(query, (*([] if error is None else [error]), -1 if count is None else count))


class _transaction:  # noqa: N801 - reads like a function
    """A transaction that is rolled back by an exception."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._database.execute("COMMIT" if kind is None else "ROLLBACK")


def _key(text: str) -> int:
    """Return 64 bits of the digest of a text, as SQLite stores them."""
    content = text.encode("utf-8", "backslashreplace")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big", signed=True)
