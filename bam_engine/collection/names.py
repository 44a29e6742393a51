"""Full-text search over titles, projects and file names.

In:  a catalogue, a folder in the cache. Out: rows, best match first. The index is one file of folded text with a line
per row that every search scans: 0.1 s for 2.5 million names, with any database. It follows the catalogue: new rows are
appended, and a change of names rebuilds it.
"""

import os
import re
import shutil
import threading
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bam_engine.collection.catalogue import Catalogue
from bam_engine.errors import DiskFull
from bam_engine.files import replacing
from bam_engine.progress import Report, silent

FOLDERS = 1
"""The number of parent folders that count as part of a file's name."""

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
        self._opened: tuple[int, npt.NDArray[np.uint8], npt.NDArray[np.int64]] | None = None

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
        """Bring the index up to date and return its number of lines.

        Raises
        ------
        DiskFull
            The index cannot be written.
        """
        return len(self._text(report)[1])

    def behind(self) -> int:
        """Return the number of rows that the next search must index first; 250,000 names take about a second."""
        version, count = self._catalogue.details_version, len(self._catalogue)
        with self._lock:
            if self._opened is None or self._opened[0] != version:
                self._opened = (version, *self._read(version))
            return count - len(self._opened[2])

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
        version, count = self._catalogue.details_version, len(self._catalogue)
        with self._lock:
            if self._opened is None or self._opened[0] != version:
                self._opened = (version, *self._read(version))
            if len(self._opened[2]) < count:
                self._add(version, len(self._opened[2]), report)
                self._opened = (version, *self._read(version))
            return self._opened[1:]

    def _file(self, version: int) -> Path:
        return self._folder / f"names-{version}.txt"

    def _read(self, version: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        file = self._file(version)
        if not file.exists() or not file.stat().st_size:
            return np.empty(0, np.uint8), np.empty(0, np.int64)
        text = np.asarray(np.memmap(file, np.uint8, "r"))
        return text, np.flatnonzero(text == ord("\n"))

    def _add(self, version: int, first: int, report: Report) -> None:
        """Append the lines from row ``first`` on."""
        total, done = len(self._catalogue), first
        try:
            with replacing(self._file(version)) as temporary:
                if first:
                    shutil.copyfile(self._file(version), temporary)
                with temporary.open("ab") as file:
                    for page in self._catalogue.names_from(first):
                        file.write(_lines(page))
                        done += len(page)
                        report(done, total, "reading names")
        except OSError as error:
            raise DiskFull(
                f"Cannot write the name index to {self._folder}: {error.strerror}. Free some space."
            ) from error
        for old in self._folder.glob("names-*.txt"):
            if old != self._file(version):
                old.unlink(missing_ok=True)


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
