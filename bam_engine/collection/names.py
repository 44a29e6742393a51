"""Full-text search over titles, projects and file names.

In:  a catalogue, a folder in the cache. Out: rows, best match first. The index is one file of folded text with a line
per row that every search scans: 0.1 s for 2.5 million names, with any database. It follows the catalogue: new rows are
appended, and a change of names rebuilds it. Its file is named after the state of the names and the images it is of.
"""

import logging
import os
import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bam_engine import derived
from bam_engine.collection.catalogue import Catalogue
from bam_engine.progress import Report, silent

_log = logging.getLogger(__name__)

FOLDERS = 1
"""The number of parent folders that count as part of a file's name."""

_VERSION = "names 2"
_SEPARATOR = "\x1f"  # between title, project and file
_MARKS = re.compile("[\u0300-\u036f]")  # combining accents; marks of other scripts are kept
_WORDS = re.compile(r'"([^"]+)"|(\S+)')
_SPAN = 65536  # lines per task of a thread
_MAX_WORKERS = 8
_SAMPLE = 1 << 20  # bytes from which letter frequencies are estimated


class Names:
    """Searchable names of one collection. Thread-safe.

    Parameters
    ----------
    catalogue
        The source of the names.
    folder
        Where the index is stored; created when needed.
    """

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self._catalogue = catalogue
        self._folder = folder
        self._lock = threading.Lock()
        self._opened: tuple[tuple[int, str], npt.NDArray[np.uint8], npt.NDArray[np.int64]] | None = None

    def find(self, text: str, count: int) -> npt.NDArray[np.int64]:
        """Return up to ``count`` rows whose names contain every word of ``text``, best match first.

        Ignores case and accents. Text in double quotes is matched as one phrase. Whole words rank before word prefixes,
        and these before matches inside words; ties by row.
        """
        words = [fold(phrase or word).encode() for phrase, word in _WORDS.findall(text)]
        if not any(words):
            return np.empty(0, np.int64)
        grades = self._grades([word for word in words if word])
        rows = np.flatnonzero(grades >= 0)
        return rows[np.argsort(grades[rows], kind="stable")][:count]

    def refresh(self, *, report: Report = silent) -> int:
        """Bring the index up to date and return its number of lines."""
        return len(self._text(report)[1])

    def behind(self) -> int:
        """Return the number of rows that the next search must index first; 250,000 names take about a second."""
        with self._lock:
            return len(self._catalogue) - len(self._open()[1])

    def _grades(self, words: list[bytes]) -> npt.NDArray[np.int16]:
        from bam_engine.collection.names_kernels import grade

        text, ends = self._text(silent)
        words = sorted(words, key=len, reverse=True)  # a long word excludes most lines
        common = np.bincount(text[:_SAMPLE], minlength=256)
        pivots = np.array([min(range(len(word)), key=lambda i, word=word: common[word[i]]) for word in words])  # type: ignore[misc]
        joined, word_ends = np.frombuffer(b"".join(words), np.uint8), np.cumsum([len(word) for word in words])
        grades = np.empty(len(ends), np.int16)

        def span(first: int) -> None:
            grade(text, ends, joined, word_ends, pivots, grades, first, min(first + _SPAN, len(ends)))

        with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_WORKERS)) as workers:
            list(workers.map(span, range(0, len(ends), _SPAN)))
        return grades

    def _text(self, report: Report) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return the current folded text and the end of each line."""
        with self._lock:
            text, ends = self._open()
            if len(ends) < len(self._catalogue):
                text, ends = self._extended(text, len(ends), report)
                self._opened = (self._state(), text, ends)
            return text, ends

    def _open(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return what is stored of the names; the caller holds the lock."""
        state = self._state()
        if self._opened is None or self._opened[0] != state:
            self._opened = (state, *self._read())
        return self._opened[1:]

    def _state(self) -> tuple[int, str]:
        """Return the state of the names, and the images that they are of."""
        return self._catalogue.details_version, self._catalogue.digests().fingerprint()

    def _read(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return the longest stored text that is of the first images of the collection; empty where there is none."""
        version, digests = self._catalogue.details_version, self._catalogue.digests()
        files = {}
        for file in self._folder.glob(f"names-{version}-*.txt"):
            lines, _, images = file.stem.removeprefix(f"names-{version}-").partition("-")
            if lines.isdigit() and images == digests.fingerprint(int(lines)):
                files[int(lines)] = file
        for number in sorted(files, reverse=True):
            text = derived.read_mapped(files[number], _VERSION)
            if text is not None:
                return text, np.flatnonzero(text == ord("\n"))
        return np.empty(0, np.uint8), np.empty(0, np.int64)

    def _extended(
        self, text: npt.NDArray[np.uint8], first: int, report: Report
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return a text with the lines from row ``first`` on appended, and store it if that is possible."""
        version, digests = self._catalogue.details_version, self._catalogue.digests()
        text = np.concatenate([text, *self._new_blocks(first, len(digests), report)])
        ends = np.flatnonzero(text == ord("\n"))
        file = self._folder / f"names-{version}-{len(ends)}-{digests.fingerprint(len(ends))}.txt"
        try:
            derived.write(file, text.data, _VERSION, flush=True)
        except OSError as error:
            _log.warning("The index of names cannot be cached in %s: %s.", self._folder, error.strerror or error)
            return text, ends
        for old in self._folder.glob("names-*.txt"):
            if old != file:
                old.unlink(missing_ok=True)
        return self._read()

    def _new_blocks(self, first: int, total: int, report: Report) -> Iterator[npt.NDArray[np.uint8]]:
        done = first
        for page in self._catalogue.names_from(first):
            lines = page[: total - done]
            yield np.frombuffer(_lines(lines) if lines else b"", np.uint8)
            done += len(lines)
            report(done, total, "reading names")


def fold(text: str) -> str:
    """Return ``text`` in the form used for matching: without case, accents and line breaks.

    Examples
    --------
    >>> fold("Éclair  STRASSE")
    'eclair  strasse'
    """
    plain = text.replace("\n", " ").replace(_SEPARATOR, " ")
    if plain.isascii():
        return plain.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", plain).casefold()))


def _lines(page: Iterable[tuple[str | None, str | None, str]]) -> bytes:
    parts = [
        _SEPARATOR.join((fold(title or ""), fold(project or ""), fold("/".join(uri.split("/")[-FOLDERS - 1 :]))))
        for title, project, uri in page
    ]
    return ("\n".join(parts) + "\n").encode("utf-8", "backslashreplace")
