"""The parts of BAM's file, each read into arrays: its images, scores, automatic labels, and what the crowd said.

In:  an open connection. Out: arrays over the images, and facts for people, as JSON. What cannot be used (a number that
is there twice, a score that is no number) is left out, counted, and told with its first example. Knows no store.
"""

import math
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection import bam_file
from bam_engine.collection.texts import printable
from bam_engine.download import places_of
from bam_engine.errors import CollectionError
from bam_engine.formatting import count
from bam_engine.progress import Report

POSITIVE, NEGATIVE, UNSURE, NO_LABEL = 1, 0, -1, -2
"""The codes of labels."""

_PAGE = 50_000  # lines read at a time
MAX_ATTRIBUTES = 1000
_LABELS = {"positive": POSITIVE, "negative": NEGATIVE, "unsure": UNSURE, 1: POSITIVE, 0: NEGATIVE, None: UNSURE}
_ANSWERS = {1: 0, 0: 1, None: 2}  # columns of counts: yes, no, unsure

Arrays = dict[str, NDArray[Any]]


@dataclass
class Part:
    """The arrays of one part, and what people want to know of it."""

    arrays: Arrays = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def leave_out(self, number: int, thing: str, why: str, first: object = None, *, plural: str | None = None) -> None:
        """Note what is not used, if there is any."""
        if number:
            example = "" if first is None else f"; the first: {printable(repr(first)[:60])}"
            self.left_out.append(f"{count(number, thing, plural)} left out: {why}{example}")


def read_modules(connection: sqlite3.Connection, file: Path, report: Report) -> Part:
    """Read the numbers of the images, ascending: ``mids`` int64 (n,). Those that are there twice are left out."""
    bam_file.check_table(connection, file, "modules", ("mid", *bam_file.MODULES))
    part = Part()
    total = _size(connection, "modules")
    report(0, total, "images")
    numbers, others = [np.empty(0, np.int64)], Counter[str]()
    for page in _pages(connection, "SELECT mid FROM modules"):
        numbers.append(np.array([mid for (mid,) in page if isinstance(mid, int)], np.int64))
        others.update(printable(repr(mid)[:60]) for (mid,) in page if not isinstance(mid, int))
        report(sum(map(len, numbers)), total, "images")
    mids, times = np.unique(np.concatenate(numbers), return_counts=True)
    twice = mids[times > 1]
    part.arrays["mids"] = mids[times == 1]
    part.leave_out(others.total(), "image", "its number in modules is none", next(iter(others), None))
    part.leave_out(
        int(times[times > 1].sum()), "line", "its number is in modules twice", next(iter(twice.tolist()), None)
    )
    is_mature = "CAST(coalesce(mature_content, 0) AS INTEGER) <> 0"
    sums = f"sum(coalesce(src, '') = ''), count(DISTINCT project_id), sum({is_mature})"
    without_url, projects, mature = connection.execute(f"SELECT {sums} FROM modules").fetchone()
    part.facts = {
        "images": len(part.arrays["mids"]),
        "without_url": without_url or 0,
        "projects": projects,
        "mature": mature or 0,
    }
    return part


def read_scores(connection: sqlite3.Connection, file: Path, mids: NDArray[np.int64], report: Report) -> Part:
    """Read ``places`` float32 (n, k), by columns: see :func:`places_of`; and the range of each attribute's scores."""
    part, names = Part(), _columns(connection, file, "scores")
    total = _size(connection, "scores") if names else 0
    scores, keys, done = np.full((total, len(names)), np.nan, np.float32, order="F"), np.full(total, -1, np.int64), 0
    no_number: Counter[str] = Counter()
    for page in _pages(connection, f"SELECT mid, {_quoted(names)} FROM scores") if names else ():
        whole = [line for line in page if isinstance(line[0], int)]
        part_of = slice(done, done + len(whole))
        keys[part_of] = [line[0] for line in whole]
        scores[part_of] = _numbers([line[1:] for line in whole], no_number)
        done += len(whole)
        report(done, total, "scores")
    unknown = total - done
    unique, first = np.unique(keys[:done], return_index=True)
    at, known = positions_of(mids, unique)
    places = np.full((len(mids), len(names)), np.nan, np.float32, order="F")
    scored = {}
    for column, name in enumerate(names):
        values = scores[first, column][known]  # places are among the images of the file, for with and without alike
        places[at[known], column] = places_of(values[:, None])[:, 0]
        there = values[~np.isnan(values)]
        limits = {"low": float(there.min()), "high": float(there.max())} if len(there) else {}
        scored[name] = {"scored": int((~np.isnan(places[:, column])).sum()), **limits}
    part.arrays["places"] = places
    part.facts["scored"] = scored
    lines = {"thing": "line of scores", "plural": "lines of scores"}
    part.leave_out(unknown, why="its mid is no number", **lines)
    part.leave_out(done - len(unique), why="another one has its mid", **lines)
    part.leave_out(int((~known).sum()), why="its image is not in modules", first=_first(unique[~known]), **lines)
    part.leave_out(no_number.total(), "score", "it is no number", next(iter(no_number), None))
    return part


def read_automatic(connection: sqlite3.Connection, file: Path, mids: NDArray[np.int64], report: Report) -> Part:
    """Read ``automatic`` int8 (n, a), by columns: BAM's automatic labels, of a table or a view."""
    part, names = Part(), _columns(connection, file, "automatic_labels")
    automatic = np.full((len(mids), len(names)), NO_LABEL, np.int8, order="F")
    coded = ", ".join(
        f"CASE {name} WHEN 'positive' THEN {POSITIVE} WHEN 'negative' THEN {NEGATIVE} WHEN 'unsure' THEN {UNSURE} "
        f"ELSE CASE WHEN {name} IS NULL THEN {NO_LABEL} ELSE {NO_LABEL - 1} END END"
        for name in map(_quote, names)
    )
    unknown, odd, again, done, seen = 0, 0, 0, 0, np.zeros(len(mids), bool)
    total = _size(connection, "modules")
    for page in _pages(connection, f"SELECT mid, {coded} FROM automatic_labels") if names else ():
        whole = [line for line in page if isinstance(line[0], int)]
        lines = np.array(whole, np.int64).reshape(len(whole), 1 + len(names))
        at, known = positions_of(mids, lines[:, 0])
        labels = lines[:, 1:].astype(np.int8)
        odd += int((labels < NO_LABEL).sum())
        first = np.flatnonzero(known)[np.unique(at[known], return_index=True)[1]]
        first = first[~seen[at[first]]]
        seen[at[first]] = True
        again += int(known.sum()) - len(first)
        automatic[at[first]] = np.maximum(labels, NO_LABEL)[first]
        unknown += len(page) - int(known.sum())
        done += len(page)
        report(done, total, "automatic labels")
    part.arrays["automatic"] = automatic
    words = {"positive": POSITIVE, "unsure": UNSURE, "negative": NEGATIVE}
    part.facts["automatic"] = {
        name: {word: int((automatic[:, column] == code).sum()) for word, code in words.items()}
        for column, name in enumerate(names)
    }
    of = "lines of automatic labels"
    part.leave_out(unknown, "line of automatic labels", "its image is not in modules", plural=of)
    part.leave_out(again, "line of automatic labels", "another one has its mid", plural=of)
    part.leave_out(odd, "automatic label", "it is none of positive, unsure and negative")
    return part


def read_crowd(connection: sqlite3.Connection, file: Path, mids: NDArray[np.int64], report: Report) -> Part:
    """Read what the crowd said, a line for each attribute and image that it was asked about.

    ``asked`` int16 (m,) is the number of the attribute in the facts, ``positions`` int64 (m,) that of the image,
    ``labels`` int8 (m,) the crowd label, and ``counts`` int32 (m, 3) the choices yes, no and unsure. Lines are in the
    order of attributes, then of images.
    """
    part = Part()
    names: dict[str, int] = {}
    report(0, None, "crowd labels")
    asked, labels = _crowd_labels(connection, file, mids, names, part)
    report(0, None, "choices")
    chosen, answers = _choices(connection, file, mids, names, part)
    keys, where = np.unique(np.concatenate([asked, chosen]), return_inverse=True)
    label = np.full(len(keys), NO_LABEL, np.int8)
    label[where[: len(asked)]] = labels
    counts = np.zeros((len(keys), 3), np.int32)
    np.add.at(counts, (where[len(asked) :], answers), 1)
    n = max(1, len(mids))
    part.arrays = {
        "asked": (keys // n).astype(np.int16),
        "positions": keys % n,
        "labels": label,
        "counts": counts,
    }
    part.facts["crowd"] = {
        name: {
            "crowd_positive": int((label[part.arrays["asked"] == number] == POSITIVE).sum()),
            "crowd_negative": int((label[part.arrays["asked"] == number] == NEGATIVE).sum()),
            "choices": int(counts[part.arrays["asked"] == number].sum()),
        }
        for name, number in names.items()
    }
    has_hits = bam_file.has_table(connection, "crowd_raw_hits")
    workers = connection.execute("SELECT count(DISTINCT worker_id) FROM crowd_raw_hits").fetchone() if has_hits else [0]
    part.facts |= {
        "labels": _size(connection, "crowd_labels"),
        "choices": _size(connection, "crowd_raw_choices"),
        "assignments": _size(connection, "crowd_raw_hits"),
        "captions": _size(connection, "crowd_raw_captions"),
        "workers": workers[0],
    }
    return part


def _crowd_labels(
    connection: sqlite3.Connection, file: Path, mids: NDArray[np.int64], names: dict[str, int], part: Part
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return the keys and the labels of ``crowd_labels``."""
    why = "it is none of positive, unsure and negative"
    lines = _crowd_lines(connection, file, "crowd_labels")
    keys, codes = _coded(lines, mids, names, part, thing="crowd label", codes=_LABELS, why=why)
    labels = codes.astype(np.int8)
    pairs = np.unique(4 * keys + labels - NO_LABEL)
    unlike = np.unique(pairs // 4)[np.unique(pairs // 4, return_counts=True)[1] > 1]
    one = ~np.isin(keys, unlike)
    part.leave_out(int((~one).sum()), "crowd label", "another one of its image and attribute says otherwise")
    return keys[one], labels[one]


def _choices(
    connection: sqlite3.Connection, file: Path, mids: NDArray[np.int64], names: dict[str, int], part: Part
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the keys of ``crowd_raw_choices``, and the column of each answer."""
    lines = _crowd_lines(connection, file, "crowd_raw_choices")
    return _coded(lines, mids, names, part, thing="choice", codes=_ANSWERS, why="it is not 0, 1 or empty")


def _coded(
    lines: Sequence[tuple[Any, Any, Any]],
    mids: NDArray[np.int64],
    names: dict[str, int],
    part: Part,
    *,
    thing: str,
    codes: Mapping[Any, int],
    why: str,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the keys and the codes of lines; what has no code, or no image, is left out: ``why``."""
    odd = [line for line in lines if line[2] not in codes]
    lines = [line for line in lines if line[2] in codes]
    part.leave_out(len(odd), thing, why, odd[0][2] if odd else None)
    keys, known = _keys(lines, mids, names)
    part.leave_out(int((~known).sum()), thing, "its image is not in modules")
    return keys[known], np.array([codes[label] for _, _, label in lines], np.int64)[known]


def _crowd_lines(connection: sqlite3.Connection, file: Path, table: str) -> list[tuple[Any, Any, Any]]:
    if not bam_file.has_table(connection, table):
        return []
    bam_file.check_table(connection, file, table, ("mid", "attribute", "label"))
    query = f"SELECT mid, attribute, label FROM {table} WHERE attribute IS NOT NULL"
    return connection.execute(query).fetchall()


def _keys(
    lines: Sequence[tuple[Any, ...]], mids: NDArray[np.int64], names: dict[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return a number for the attribute and the image of each line, and whether its image is there."""
    numbers = np.array([mid if isinstance(mid, int) else np.iinfo(np.int64).min for mid, *_ in lines], np.int64)
    asked = np.array([names.setdefault(str(name), len(names)) for _, name, *_ in lines], np.int64)
    if len(names) > MAX_ATTRIBUTES:
        raise CollectionError(f"The crowd was asked about more than {MAX_ATTRIBUTES:,} attributes, which is too many.")
    at, known = positions_of(mids, numbers)
    return asked * max(1, len(mids)) + at, known


def positions_of(mids: NDArray[np.int64], numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the position of each number among the ascending ``mids``, and whether it is one of them."""
    if not len(mids):
        return np.zeros(len(numbers), np.int64), np.zeros(len(numbers), bool)
    at = np.minimum(np.searchsorted(mids, numbers), len(mids) - 1).astype(np.int64)
    return at, mids[at] == numbers


def _numbers(lines: Sequence[tuple[Any, ...]], no_number: Counter[str]) -> NDArray[np.float32]:
    """Return lines of scores, nan for what is none; texts and infinite values are counted."""
    if {type(value) for line in lines for value in line} <= {float, int, type(None)}:
        values = np.array(lines, np.float64)
    else:
        values = np.array([[_number(value, no_number) for value in line] for line in lines], np.float64)
    with np.errstate(over="ignore"):
        scores = values.astype(np.float32)
    endless = np.isinf(scores)
    if endless.any():
        no_number["inf"] += int(endless.sum())
        scores[endless] = np.nan
    return scores


def _number(value: object, no_number: Counter[str]) -> float:
    if isinstance(value, float | int):
        return value
    if value is not None:
        no_number[printable(str(value)[:60])] += 1
    return math.nan


def _columns(connection: sqlite3.Connection, file: Path, table: str) -> list[str]:
    """Return the attributes that are columns of a table; none where it is absent."""
    if not bam_file.has_table(connection, table):
        return []
    bam_file.check_table(connection, file, table, ("mid",))
    return [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})") if name != "mid"]


def _pages(connection: sqlite3.Connection, query: str) -> Iterator[list[tuple[Any, ...]]]:
    with closing(connection.execute(query)) as cursor:
        while page := cursor.fetchmany(_PAGE):
            yield page


def _size(connection: sqlite3.Connection, table: str) -> int:
    if not bam_file.has_table(connection, table):
        return 0
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(_quote, names))


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first(numbers: NDArray[np.int64]) -> int | None:
    return int(numbers[0]) if len(numbers) else None
