"""Search by words in millions of generated names, against SQLite's full-text search over the same names.

Titles of five words, with frequencies as in a language (Zipf), projects, and file names of cameras. Every search is for
all images that match, best first, as the gallery needs them; the peer ranks by bm25. The first search of a process
also compiles; it is not counted.
"""

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.collection import Catalogue, Names
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

TARGET = 0.5  # seconds
RUNS = 5
VOCABULARY = 30_000
_BLOCK = 50_000


def vocabulary(seed: int = 0) -> list[str]:
    """Return distinct words of one to four syllables, the commonest first; every fourth is a plural."""
    rng = np.random.default_rng(seed)
    words = dict[str, None]()
    while len(words) < VOCABULARY:
        syllables = zip(rng.choice(list("bcdfgklmnprt"), 4), rng.choice(list("aeiou"), 4), strict=True)
        word = "".join(map("".join, syllables))[: 2 * int(rng.integers(2, 5))]
        words[word + "s" if len(words) % 4 == 3 else word] = None
    return list(words)


def records(n: int, words: Sequence[str], seed: int = 1) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of ``n`` images in blocks."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(10, len(words) + 10)
    for start in range(0, n, _BLOCK):
        chosen = rng.choice(len(words), (min(_BLOCK, n - start), 5), p=shares / shares.sum())
        yield [
            {
                "row": row,
                "uri": f"/generated/day {row // 500}/IMG_{row:07}.jpg",
                "title": " ".join(words[place] for place in places),
                "project_id": f"project {row // 20}",
                "width": 9,
                "height": 9,
                "digest": f"{row:064x}",
                "status": "ok",
                "made_at": "2020",
            }
            for row, places in enumerate(chosen, start)
        ]


def searches(words: Sequence[str]) -> dict[str, str]:
    """Return what is searched for, by name."""
    return {
        "a rare word": words[20_000],
        "a common word": words[0],
        "another form of a word": words[7].removesuffix("s"),
        "two words": f"{words[0]} {words[7]}",
        "four words": " ".join(words[:4]),
        "in every name": "jpg",
        "a beginning": words[0][:3],
        "in no name": "xylophone",
    }


def timed(find: Callable[[], object]) -> dict[str, float]:
    """Return the median times of a search: seconds, and seconds of processors, which other programs do not lengthen."""
    runs = []
    for _ in range(RUNS):
        begin, busy = time.perf_counter(), time.process_time()
        find()
        runs.append((time.perf_counter() - begin, time.process_time() - busy))
    return dict(zip(("s", "processor_s"), map(statistics.median, zip(*runs, strict=True)), strict=True))


def measure(n: int, *, peers: bool) -> dict[str, Any]:
    """Index the names and search them."""
    words = vocabulary()
    with tempfile.TemporaryDirectory() as home:
        engine = db.open_database(f"sqlite:///{home}/bam.sqlite")
        with engine.begin() as connection:
            for block in records(n, words):
                connection.execute(sa.insert(db.images), block)
        names = Names(Catalogue(engine), Path(home, "names"))
        begin = time.perf_counter()
        names.refresh()
        built = time.perf_counter() - begin
        size = sum(file.stat().st_size for file in Path(home, "names").iterdir())
        names.find("compiled", 1)
        lines = [
            {"what": what, "text": text, "found": len(names.find(text, n)), **timed(partial(names.find, text, n))}
            for what, text in searches(words).items()
        ]
        engine.dispose()
        figures = {"machine": machine(), "n": n, "target_s": TARGET, "build_s": built, "bytes": size, "searches": lines}
        return figures | ({"peer": peer(n, words, Path(home, "peer.sqlite"))} if peers else {})


def peer(n: int, words: Sequence[str], file: Path) -> dict[str, Any]:
    """Index and search the same names with FTS5."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("pragma synchronous = off")
        database.execute(
            "create virtual table names using fts5(title, project, file, content = '', tokenize = 'porter')"
        )
        begin = time.perf_counter()
        for block in records(n, words):
            lines = [(one["row"], one["title"], one["project_id"], one["uri"]) for one in block]
            database.executemany("insert into names (rowid, title, project, file) values (?, ?, ?, ?)", lines)
        database.execute("insert into names (names) values ('optimize')")
        database.commit()
        built = time.perf_counter() - begin
        query = "select rowid from names where names match ? order by bm25(names, 10, 3, 1)"
        times = {}
        for what, text in searches(words).items():
            wanted = f"{text}*" if what == "a beginning" else text
            begin = time.perf_counter()
            database.execute(query, (wanted,)).fetchall()
            times[what] = time.perf_counter() - begin
    return {"build_s": built, "bytes": file.stat().st_size, "s": times}


def show(figures: dict[str, Any]) -> None:
    """Print the figures."""
    other = figures.get("peer")
    print(figures["machine"])
    print(f"{figures['n']:,} names; all that match, best first; median of {RUNS} searches, one of the peer\n")
    print(f"{'search for':<26}{'images':>11}{'s':>8}{'processor s':>13}{'FTS5, s':>10}")
    for one in figures["searches"]:
        theirs = f"{other['s'][one['what']]:>10.3f}" if other else ""
        print(f"{one['what']:<26}{one['found']:>11,}{one['s']:>8.3f}{one['processor_s']:>13.3f}{theirs}")
    print(f"\nindex: {figures['build_s']:.0f} s, {figures['bytes'] / 1e6:,.0f} MB")
    if other:
        print(f"index of FTS5: {other['build_s']:.0f} s, {other['bytes'] / 1e6:,.0f} MB")
    slowest = max(one["s"] for one in figures["searches"])
    print(f"target: under {TARGET} s, {'met' if slowest < TARGET else 'missed'} ({slowest:.3f} s)")


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("words", __doc__)
    options.add_argument("--n", type=int, default=2_500_000, help="images")
    options.add_argument("--no-peers", action="store_true")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    figures = measure(options.n, peers=not options.no_peers)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
