"""The parts of ``python -m benchmarks scale`` that run at full size: measured, not extrapolated.

Each part generates its rows on disk, runs what the app runs, and prints a line for each step: seconds by the wall and
of processors, and the most memory of the process's own (anonymous) pages during the step. Files that the step reads are
dropped from the disk cache first, so that they come from the disk. Mapped files belong to the system's cache and count
as no memory.
"""

import mmap
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from bam_engine import derived
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.ordering import order_rows
from bam_engine.gallery.query import Query
from bam_engine.learning import LinearModel
from bam_engine.training.models import scores_of, write_scores
from bam_engine.workspace import Workspace
from benchmarks import generated, rescoring, tiles
from benchmarks import round as rounds
from benchmarks.machine import OwnMemory

ROWS = 65_000_000
ROWS_OF_ROUNDS = 25_000_000
DIM_OF_SCORES, DIM_OF_ROUNDS = 128, 256
ATTRIBUTES = 20
LABELS = 5000
TILES = 20
_BLOCK = 2**18
DIM = 4  # of the vectors of a listing, which reads scores alone


@dataclass(frozen=True)
class Line:
    """What one step took: seconds, seconds of processors, the most own memory in bytes, and the load meanwhile."""

    step: str
    seconds: float
    processor: float
    memory: int
    load: float
    note: str = ""


class Lines:
    """Collects the lines of a part, and prints each when it is there."""

    def __init__(self) -> None:
        self.all: list[Line] = []

    @contextmanager
    def step(self, name: str, note: str = "") -> Iterator[None]:
        """Measure the block."""
        watch = OwnMemory()
        watch.start()
        wall, processor = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            taken = time.perf_counter() - wall, time.process_time() - processor
            peak = watch.stop()
        self.add(Line(name, *taken, peak, os.getloadavg()[0], note))

    def add(self, line: Line) -> None:
        """Keep a line and print it."""
        self.all.append(line)
        print(
            f"{line.step:<58}{line.seconds:>10,.2f}{line.processor:>12,.1f}{line.memory / 2**20:>10,.0f}"
            f"{line.load:>7.1f}  {line.note}",
            flush=True,
        )


HEAD = f"{'':<58}{'seconds':>10}{'processor s':>12}{'MiB':>10}{'load':>7}"


def forget(file: Path, *arrays: npt.NDArray[Any]) -> None:
    """Drop a file from the system's disk cache, so that the next read comes from the disk.

    ``arrays`` are mapped from it: what a process has looked at stays in the cache while it is mapped there.
    """
    for array in arrays:
        if isinstance(array.base, mmap.mmap):
            array.base.madvise(mmap.MADV_DONTNEED)
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def vectors_on_disk(file: Path, n: int, dim: int, seed: int = 0) -> None:
    """Write ``n`` unit vectors of normal numbers as float16, block by block."""
    rng, scale = np.random.default_rng(seed), np.float32(dim**-0.5)
    with file.open("wb") as out:
        about = {"descr": "<f2", "fortran_order": False, "shape": (n, dim)}
        np.lib.format.write_array_header_1_0(out, about)
        for start in range(0, n, _BLOCK):
            block = rng.standard_normal((min(_BLOCK, n - start), dim), np.float32)
            block *= scale
            out.write(block.astype(np.float16).data)


def models(dim: int, count: int) -> list[LinearModel]:
    """Return models in random directions."""
    rng = np.random.default_rng(1)
    return [LinearModel(rng.normal(size=dim).astype(np.float32), 0.0, 1.0, 1, 1, 0, 0.0) for _ in range(count)]


def scores(folder: Path, n: int, lines: Lines) -> None:
    """Score 20 attributes from disk to disk, as ``bam score --all`` does, and the plain product beside it."""
    file, made = folder / "vectors.npy", models(DIM_OF_SCORES, ATTRIBUTES)
    with lines.step(f"vectors of {DIM_OF_SCORES} float16 written"):
        vectors_on_disk(file, n, DIM_OF_SCORES)
    vectors = np.load(file, mmap_mode="r")
    size = f"{vectors.nbytes / 1e9:.1f} GB"
    forget(file, vectors)
    with lines.step(f"{size} read from disk, nothing else"):
        read_through(vectors)
    files = [folder / f"{number}.npy" for number in range(ATTRIBUTES)]
    forget(file, vectors)
    with lines.step(f"{ATTRIBUTES} attributes scored and stored, in one pass"):
        write_scores(vectors, made, files, "full", np.empty(0, np.int64))
    stored = derived.read_array(files[-1], "full")
    forget(file, vectors)
    weights = np.stack([model.coefficients for model in made], axis=1)
    with lines.step("X @ W by blocks of 4,096, not stored"):
        differing = _plainly(vectors, weights, stored)
    lines.add(Line("largest difference between the two", differing, 0.0, 0, os.getloadavg()[0], "no seconds: a score"))


def _plainly(vectors: npt.NDArray[np.float16], weights: npt.NDArray[np.float32], stored: Any) -> float:
    """Multiply block by block, and return how far the last column is from what was stored."""
    worst = 0.0
    for start in range(0, len(vectors), rescoring.BLOCK):
        part = slice(start, start + rescoring.BLOCK)
        product = vectors[part].astype(np.float32) @ weights
        worst = max(worst, float(np.abs(product[:, -1] - stored[part]).max()))
    return worst


def read_through(vectors: npt.NDArray[np.float16]) -> int:
    """Read every byte of an array, block by block."""
    words = vectors.reshape(-1).view(np.uint64)
    step = _BLOCK * 16
    return sum(int(np.bitwise_xor.reduce(words[at : at + step])) for at in range(0, len(words), step))


def map_tiles(folder: Path, n: int, lines: Lines) -> None:
    """Open a map of all points, draw tiles of it, and give every image a cell of its own."""
    places = folder / "places.npy"
    with lines.step("points generated and written"):
        layout = np.lib.format.open_memmap(places, "w+", np.float32, (n, 2))
        for start in range(0, n, 2**22):
            part = slice(start, min(start + 2**22, n))
            layout[part] = 0.02 + 0.96 * clustered(part.stop - part.start, start)
        layout.flush()
        del layout
    layout = np.load(places, mmap_mode="r")
    codes = np.concatenate([tiles.codes_of(layout[at : at + 2**22], at) for at in range(0, n, 2**22)])
    forget(places, layout)
    with lines.step("read, sorted and planned"):
        view = tiles.view_of(layout, codes, lambda row: None)
    with lines.step("kernels compiled, or read from their cache"):
        view.warm()
    rng = np.random.default_rng(1)
    for kind in tiles.KINDS:
        for z in (0, 2, 4, 6, 8):
            addresses = tiles.tiles_at(layout, z, TILES, rng)
            with lines.step(f"first tile by {kind}, zoom {z}"):
                view.tile(kind, *addresses[0])
            taken = []
            for address in addresses:
                begin = time.perf_counter()
                view.tile(kind, *address)
                taken.append(1000 * (time.perf_counter() - begin))
            note = f"ms a tile: median {np.median(taken):.1f}, 95th percentile {np.quantile(taken, 0.95):.1f}"
            lines.add(
                Line(f"{len(taken)} tiles by {kind}, zoom {z}", sum(taken) / 1000, 0, 0, os.getloadavg()[0], note)
            )
    with lines.step("every image in a cell of its own", f"zoom {view.max_zoom}, the deepest is 16"):
        view.arrangement()


def clustered(count: int, seed: int) -> npt.NDArray[np.float64]:
    """Return points (n, 2) in the unit square, in 300 round clusters that do not depend on the seed."""
    shape, rng = np.random.default_rng(0), np.random.default_rng([1, seed])
    middles, widths = 0.1 + 0.8 * shape.random((300, 2)), shape.gamma(2, 0.012, 300)
    cluster = rng.integers(0, 300, count)
    return np.clip(middles[cluster] + rng.normal(size=(count, 2)) * widths[cluster, None], 0, 1)


def orders(folder: Path, n: int, lines: Lines) -> None:
    """Put a whole collection in order by its scores from disk, as every new listing does."""
    file = folder / "scores.npy"
    with lines.step("scores written"), derived.writing_array(file, (n,), np.float32, "full") as append:
        rng = np.random.default_rng(4)
        for start in range(0, n, _BLOCK):
            append(rng.standard_normal(min(_BLOCK, n - start), np.float32))
    forget(file)
    with lines.step("scores read from disk and checked"):
        stored = derived.read_array(file, "full")
    known: Any = {"media_scale": SimpleNamespace(scores=stored, cut=0.0)}
    rows = np.arange(n)
    for sort in ("score", "closest", "shuffled", "newest"):
        query, workspace = Query(attribute="media_scale", sort=sort), cast("Workspace", None)  # only spread reads it
        with lines.step(f"order: {sort}"):
            found = order_rows(workspace, rows, query, known, None)
    lines.add(Line("a listing kept in memory", 0.0, 0.0, found.nbytes, os.getloadavg()[0], "its rows, int64"))


def listing(folder: Path, n: int, lines: Lines) -> None:
    """List a whole collection of records in SQLite by score, as a gallery does."""
    with lines.step("records in SQLite, and vectors (memory: another process)"):
        process = multiprocessing.get_context("spawn").Process(target=generated.collection, args=(folder, n, DIM))
        process.start()
        process.join()
    if process.exitcode:
        raise SystemExit("The records could not be written.")
    workspace = Workspace(folder / "workspace", folder / "cache")
    size = sum(file.stat().st_size for file in (folder / "workspace").glob("bam.sqlite*"))
    attribute = generated.scored_attribute(workspace, "media_scale")
    with lines.step("one attribute scored and stored", f"the database has {size / 1e9:.1f} GB"):
        scores_of(workspace, attribute)
    queries = {
        "first listing of a process, by score": Query(attribute="media_scale"),
        "another: shuffled": Query(attribute="media_scale", sort="shuffled"),
        "another: closest to the threshold": Query(attribute="media_scale", sort="closest"),
        "the first again, no longer in memory": Query(attribute="media_scale"),
        "the same again, in memory": Query(attribute="media_scale"),
    }
    for name, query in queries.items():
        with lines.step(name):
            found = list_images(workspace, query)
        if len(found) != n:
            raise SystemExit(f"The listing has {len(found):,} of {n:,} images.")
    with lines.step("records of its first window of 300"):
        workspace.catalogue.images(found.rows[:300].tolist())


def one_round(folder: Path, n: int, lines: Lines) -> None:
    """Run a round from disk: train on 5,000 labels, score all, choose 100; and the plain one beside it."""
    file = folder / "vectors.npy"
    with lines.step(f"vectors of {DIM_OF_ROUNDS} float16 written"):
        vectors_on_disk(file, n, DIM_OF_ROUNDS)
    vectors = np.load(file, mmap_mode="r")
    rng = np.random.default_rng(2)
    labelled = np.sort(rng.choice(n, min(LABELS, n // 10), replace=False))
    truth = np.zeros(n, bool)
    truth[labelled] = vectors[labelled].astype(np.float32) @ rng.normal(size=DIM_OF_ROUNDS) > 1.0
    ways: dict[str, Callable[..., None]] = {"ours": rounds.ours, "plain X @ w by blocks": rounds.plain_blocks}
    for name, way in ways.items():
        for state in ("from disk", "again"):
            if state == "from disk":
                forget(file, vectors)
            clock = rounds.Clock()
            with lines.step(f"a round, {name}, {state}"):
                way(vectors, truth, labelled, clock)
            for part in rounds.STEPS:
                taken = clock.seconds[part], clock.processor[part]
                lines.add(Line(f"  of it: {part}", *taken, 0, os.getloadavg()[0]))


PARTS: dict[str, tuple[Callable[[Path, int, Lines], None], int]] = {
    "scores": (scores, ROWS),
    "tiles": (map_tiles, ROWS),
    "orders": (orders, ROWS),
    "listing": (listing, ROWS),
    "rounds": (one_round, ROWS_OF_ROUNDS),
}
"""The parts, and the rows of each."""
