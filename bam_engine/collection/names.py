"""Full-text search over titles, captions, projects and file names.

In:  a catalogue, a folder in the cache. Out: rows, best match first. The index is one file of folded text that every
search scans, with two lines per row: its names, and the stems of their words. It is the same with any database
(docs/decisions/0030). It follows the catalogue: new rows are appended, and a change of names rebuilds it. Its file is
named after the state of the names and the images it is of.
"""

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine import derived
from bam_engine.collection.catalogue import Catalogue
from bam_engine.collection.columns import NamesOfImage
from bam_engine.collection.words import SEPARATOR, Stemmer, Term, fold, search_terms
from bam_engine.progress import Report, silent

_log = logging.getLogger(__name__)

FOLDERS = 1
"""The number of parent folders that count as part of a file's name."""

_VERSION = "names 3"
_UNWRITABLE = "backslashreplace"  # how bytes that are no text are written
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
        self._opened: tuple[tuple[str, str], npt.NDArray[np.uint8], npt.NDArray[np.int64]] | None = None

    def find(self, text: str, count: int) -> npt.NDArray[np.int64]:
        """Return up to ``count`` rows whose names contain every word of ``text``, best match first.

        What its words are, :func:`~bam_engine.collection.words.search_terms` says. Whole words rank before other forms
        of them ("dogs" for "dog"), these before words that begin with them, and these before matches inside words; of
        equals, matches in titles rank first, then those in captions, projects and files; ties by row.
        """
        terms = search_terms(text)
        if not terms:
            return np.empty(0, np.int64)
        grades = self._grades(terms)
        rows = np.flatnonzero(grades >= 0)
        return rows[np.argsort(grades[rows], kind="stable")][:count]

    def refresh(self, *, report: Report = silent) -> int:
        """Bring the index up to date and return its number of rows."""
        return len(self._text(report)[1]) // 2

    def behind(self) -> int:
        """Return the number of rows that the next search must index first; 250,000 names take about a second."""
        with self._lock:
            return len(self._catalogue) - len(self._open()[1]) // 2

    def _grades(self, terms: list[Term]) -> npt.NDArray[np.int32]:
        from bam_engine.collection.names_kernels import grade

        text, ends = self._text(silent)
        terms = sorted(terms, key=lambda term: len(term.text), reverse=True)  # a long word excludes most rows
        common = np.bincount(text[:_SAMPLE], minlength=256)
        words = _joined([term.text.encode("utf-8", _UNWRITABLE) for term in terms], common)
        stems = _joined([term.stem.encode() for term in terms], common)
        grades = np.empty(len(ends) // 2, np.int32)

        def span(first: int) -> None:
            grade(text, ends, words, stems, grades, first, min(first + _SPAN, len(grades)))

        with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_WORKERS)) as workers:
            list(workers.map(span, range(0, len(grades), _SPAN)))
        return grades

    def _text(self, report: Report) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return the current folded text and the end of each line."""
        with self._lock:
            text, ends = self._open()
            if len(ends) // 2 < len(self._catalogue):
                text, ends = self._extended(text, len(ends) // 2, report)
                self._opened = (self._state(), text, ends)
            return text, ends

    def _open(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return what is stored of the names; the caller holds the lock."""
        state = self._state()
        if self._opened is None or self._opened[0] != state:
            self._opened = (state, *self._read())
        return self._opened[1:]

    def _state(self) -> tuple[str, str]:
        """Return the state of the names, and the images that they are of."""
        return self._catalogue.names_version, self._catalogue.digests().fingerprint()

    def _read(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return the longest stored text that is of the first images of the collection; empty where there is none."""
        version, digests = self._catalogue.names_version, self._catalogue.digests()
        files = {}
        for file in self._folder.glob(f"names-{version}-*.txt"):
            rows, _, images = file.stem.removeprefix(f"names-{version}-").partition("-")
            if rows.isdigit() and images == digests.fingerprint(int(rows)):
                files[int(rows)] = file
        for number in sorted(files, reverse=True):
            text = derived.read_mapped(files[number], _VERSION)
            if text is not None:
                return text, np.flatnonzero(text == ord("\n"))
        return np.empty(0, np.uint8), np.empty(0, np.int64)

    def _extended(
        self, text: npt.NDArray[np.uint8], first: int, report: Report
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return a text with the lines of the rows from ``first`` on appended, and store it if that is possible."""
        version, digests = self._catalogue.names_version, self._catalogue.digests()
        text = np.concatenate([text, *self._new_blocks(first, len(digests), report)])
        ends = np.flatnonzero(text == ord("\n"))
        rows = len(ends) // 2
        file = self._folder / f"names-{version}-{rows}-{digests.fingerprint(rows)}.txt"
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
        done, stemmer = first, Stemmer()
        for page in self._catalogue.names_from(first):
            known = page[: total - done]
            yield np.frombuffer(_lines(known, stemmer) if known else b"", np.uint8)
            done += len(known)
            report(done, total, "reading names")


def _lines(page: Sequence[NamesOfImage], stemmer: Stemmer) -> bytes:
    """Return the two lines of each row: its names, and their stems."""
    names = [
        SEPARATOR.join(
            (
                fold(title) if title else "",
                fold(captions) if captions else "",
                fold(project) if project else "",
                fold("/".join(uri.rsplit("/", FOLDERS + 1)[-FOLDERS - 1 :])),
            )
        )
        for title, captions, project, uri in page
    ]
    lines = "\n".join(line for both in zip(names, stemmer.lines(names), strict=True) for line in both)
    return (lines + "\n").encode("utf-8", _UNWRITABLE)


def _joined(words: Sequence[bytes], common: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], ...]:
    """Return the bytes of the words, the end of each, and the position of its rarest letter."""
    pivots = [min(range(len(word)), key=lambda i, word=word: common[word[i]], default=0) for word in words]  # type: ignore[misc]
    return np.frombuffer(b"".join(words), np.uint8), np.cumsum([len(word) for word in words]), np.array(pivots)
