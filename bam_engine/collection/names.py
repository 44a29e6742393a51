"""Finding images by words of their titles, projects and files.

In:  a catalogue, a folder under the cache. Out: rows, best first. Whatever the database, the names are kept as one file
of folded text, a line for each row, that a search reads through: 2.5 million names in a tenth of a second. It follows
the catalogue: new rows are added, and a change of titles makes it anew.
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
"""So many of the folders that a file lies in count as part of its name."""

_BETWEEN = "\x1f"  # title, project and file
_MARKS = re.compile("[\u0300-\u036f]")  # accents, apart from their letters; signs of other scripts stay
_WORDS = re.compile(r'"([^"]+)"|(\S+)')
_SPAN = 65536  # lines that a thread takes at a time
_MOST_WORKERS = 8
_SAMPLE = 1 << 20  # bytes that tell which letters are rare


class Names:
    """The names of one collection, ready to be looked through. Safe to use from several threads.

    Parameters
    ----------
    catalogue
        Where the names come from.
    folder
        Where the text is kept; made when it is needed.
    """

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self._catalogue = catalogue
        self._folder = folder
        self._lock = threading.Lock()
        self._opened: tuple[int, npt.NDArray[np.uint8], npt.NDArray[np.int64]] | None = None

    def find(self, text: str, count: int) -> npt.NDArray[np.int64]:
        """Return up to ``count`` rows whose names hold every word of ``text``.

        Case and accents do not matter. Words between double quotes are looked for together. Those where the words
        stand as whole words come first, then those with words that begin so, then the others; ties by row.
        """
        words = [fold(phrase or word).encode() for phrase, word in _WORDS.findall(text)]
        if not any(words):
            return np.empty(0, np.int64)
        grades = self._grades([word for word in words if word])
        rows = np.flatnonzero(grades >= 0)
        return rows[np.argsort(grades[rows], kind="stable")][:count]

    def refresh(self, *, report: Report = silent) -> int:
        """Bring the text up to the catalogue and return its number of lines.

        Raises
        ------
        DiskFull
            It cannot be kept.
        """
        return len(self._text(report)[1])

    def behind(self) -> int:
        """Return how many lines are missing: what a search would read first, about a second for 250,000 names."""
        version, count = self._catalogue.details_version, len(self._catalogue)
        with self._lock:
            if self._opened is None or self._opened[0] != version:
                self._opened = (version, *self._read(version))
            return count - len(self._opened[2])

    def _grades(self, words: list[bytes]) -> npt.NDArray[np.int16]:
        from bam_engine.collection.names_kernels import grade

        text, ends = self._text(silent)
        words = sorted(words, key=len, reverse=True)  # a long one rules out most lines
        common = np.bincount(text[:_SAMPLE], minlength=256)
        pivots = np.array([min(range(len(word)), key=lambda i, word=word: common[word[i]]) for word in words])  # type: ignore[misc]
        joined, word_ends = np.frombuffer(b"".join(words), np.uint8), np.cumsum([len(word) for word in words])
        found = np.empty(len(ends), np.int16)

        def span(first: int) -> None:
            grade(text, ends, joined, word_ends, pivots, found, first, min(first + _SPAN, len(ends)))

        with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_WORKERS)) as workers:
            list(workers.map(span, range(0, len(ends), _SPAN)))
        return found

    def _text(self, report: Report) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return the folded text and where each line of it ends, for the catalogue as it is."""
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
        """Write the lines from row ``first`` on behind those that are there."""
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
            raise DiskFull(f"the names cannot be kept in {self._folder}: {error.strerror}. Free some room.") from error
        for old in self._folder.glob("names-*.txt"):
            if old != self._file(version):
                old.unlink(missing_ok=True)


def fold(text: str) -> str:
    """Return ``text`` as it is compared: without case, accents and breaks of lines.

    Examples
    --------
    >>> fold("Éclair  STRASSE")
    'eclair  strasse'
    """
    plain = text.replace("\n", " ").replace(_BETWEEN, " ")
    if plain.isascii():
        return plain.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", plain).casefold()))


def _lines(page: Iterable[tuple[str | None, str | None, str]]) -> bytes:
    parts = [
        _BETWEEN.join((fold(title or ""), fold(project or ""), fold("/".join(uri.split("/")[-FOLDERS - 1 :]))))
        for title, project, uri in page
    ]
    return ("\n".join(parts) + "\n").encode("utf-8", "backslashreplace")
