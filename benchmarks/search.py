"""Search by text or image: the exact 1,000 nearest of millions of vectors, against peers in the same run.

Generated float16 vectors in a thousand clusters; the queries resemble some of them. Ours and the exact peers must find
the same. An index is listed with its recall, the time to build it and its memory; clusters flatter an index, since
neighbours are in one of its lists. No search can be faster than one pass over the memory, the floor.

After that, near-duplicates: slightly changed copies are planted among generated vectors, and the fraction found is
counted.
"""

import argparse
import gc
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine import learning
from bam_engine.learning.duplicate_filter import TOLERANCE
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

Vectors = npt.NDArray[np.float16]
Rows = npt.NDArray[np.int64]
Search = Callable[[npt.NDArray[np.float32]], npt.ArrayLike]

QUERIES = 9
TARGET = 150.0  # ms
HEAPS = 1000
_BLOCK = 50_000


def generated(count: int, dim: int, seed: int = 0) -> Vectors:
    """Unit vectors around ``HEAPS`` middles."""
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((HEAPS, dim), np.float32)
    vectors = np.empty((count, dim), np.float16)
    for start in range(0, count, _BLOCK):
        block = rng.standard_normal((min(_BLOCK, count - start), dim), np.float32)
        block += middles[rng.integers(HEAPS, size=len(block))]
        vectors[start : start + len(block)] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return vectors


def queries(vectors: Vectors, seed: int = 1) -> npt.NDArray[np.float32]:
    """Unit vectors near some of the vectors."""
    rng = np.random.default_rng(seed)
    picked = vectors[rng.integers(len(vectors), size=QUERIES)].astype(np.float32)
    picked += 0.5 * rng.standard_normal(picked.shape, np.float32) / np.sqrt(picked.shape[1])
    unit: npt.NDArray[np.float32] = picked / np.linalg.norm(picked, axis=1, keepdims=True)
    return unit


def floor(vectors: Vectors) -> float:
    """Milliseconds in which all vectors can be read: the sum of their bits, in threads, the best of three passes."""
    words = vectors.reshape(-1).view(np.uint64)
    step = -(-len(words) // 64)

    def read() -> None:
        with ThreadPoolExecutor() as workers:
            list(
                workers.map(
                    lambda start: np.bitwise_xor.reduce(words[start : start + step]), range(0, len(words), step)
                )
            )

    return min(timed(read) for _ in range(3))


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one run."""
    begin = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begin)


def by_blocks(vectors: Vectors, count: int) -> Search:
    """Exact, with numpy alone: widened block by block, multiplied by BLAS."""

    def search(wanted: npt.NDArray[np.float32]) -> Rows:
        likeness = np.empty(len(vectors), np.float32)
        for start in range(0, len(vectors), 16384):
            likeness[start : start + 16384] = vectors[start : start + 16384].astype(np.float32) @ wanted
        best = np.argpartition(-likeness, count)[:count]
        return best[np.argsort(-likeness[best], kind="stable")]

    return search


def faiss_index(vectors: Vectors, count: int, factory: str, probes: int = 0) -> tuple[Search, float]:
    """An index of faiss's, and the seconds that it took to build."""
    import faiss

    begin = time.perf_counter()
    index = faiss.index_factory(vectors.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
    if not index.is_trained:
        index.train(vectors[:: max(1, len(vectors) // 60_000)].astype(np.float32))
    for start in range(0, len(vectors), _BLOCK):
        index.add(vectors[start : start + _BLOCK].astype(np.float32))
    built = time.perf_counter() - begin
    if probes:
        index.nprobe = probes
    return (lambda wanted: index.search(wanted[None], count)[1][0]), built


def line(name: str, search: Search, queries: npt.NDArray[np.float32], truth: list[set[int]] | None) -> dict[str, Any]:
    """Time one search on every query; with ``truth``, also the recall."""
    search(queries[0])
    results: list[set[int]] = []
    times = [timed(lambda one=one: results.append(set(np.asarray(search(one)).tolist()))) for one in queries]
    pairs = [] if truth is None else list(zip(results, truth, strict=True))
    recall = float(np.mean([len(a & b) / len(b) for a, b in pairs])) if pairs else 1.0
    return {
        "what": name,
        "ms": float(np.median(times)),
        "slowest_ms": max(times),
        "recall": recall,
        "found": results,
    }


def searches(vectors: Vectors, count: int, *, peers: bool) -> list[dict[str, Any]]:
    """Return a line for ours and for each peer, all on the same queries."""
    wanted = queries(vectors)

    def ours(one: npt.NDArray[np.float32]) -> npt.ArrayLike:
        return learning.most_similar(vectors, one, count).rows[0]

    lines = [line("ours, exact", ours, wanted, None) | {"build_s": 0.0, "bytes": 0}]
    truth = lines[0]["found"]
    if not peers:
        return lines
    size = vectors.shape[1]
    lines.append(
        line("numpy by blocks, exact", by_blocks(vectors, count), wanted, truth) | {"build_s": 0.0, "bytes": 0}
    )
    lists = int(np.clip(2 ** round(np.log2(4 * np.sqrt(len(vectors)) / 6)), 16, 1024))
    for name, factory, probes, bytes_each in (
        ("faiss Flat, float32, exact", "Flat", 0, 4 * size),
        ("faiss Flat, float16, exact", "SQfp16", 0, 2 * size),
        (f"faiss IVF{lists}, float16, 16 probes", f"IVF{lists},SQfp16", 16, 2 * size + 8),
        (f"faiss IVF{lists}, float16, 64 probes", f"IVF{lists},SQfp16", 64, 2 * size + 8),
    ):
        search, built = faiss_index(vectors, count, factory, probes)
        figures = line(name, search, wanted, truth)
        lines.append(figures | {"build_s": built, "bytes": bytes_each * len(vectors)})
        del search
        gc.collect()
    return lines


def near_duplicates(count: int, dim: int) -> dict[str, Any]:
    """Plant copies a little off, and count the pairs of a copy and its original that are found."""
    vectors = generated(count, dim, seed=2)
    rng = np.random.default_rng(3)
    order = rng.permutation(count)
    originals, copies = order[: count // 20], order[count // 20 : 2 * (count // 20)]
    limit = np.sqrt(TOLERANCE)
    for start in range(0, len(copies), _BLOCK):
        of, to = originals[start : start + _BLOCK], copies[start : start + _BLOCK]
        off = rng.standard_normal((len(of), dim), np.float32)
        off *= rng.uniform(0, 0.9 * limit, (len(of), 1)) / np.linalg.norm(off, axis=1, keepdims=True)
        vectors[to] = vectors[of].astype(np.float32) + off.astype(np.float32)
    begin = time.perf_counter()
    search = learning.NearDuplicateSearch(vectors)
    pairs = learning.unique_pairs(np.concatenate([search.find_pairs(number) for number in range(learning.TABLES)]))
    seconds = time.perf_counter() - begin
    pairs_found = set(map(tuple, pairs.tolist()))
    planted = np.sort(np.column_stack([originals, copies]), axis=1)
    hit = sum((int(a), int(b)) in pairs_found or search.first[a] == search.first[b] for a, b in planted)
    return {"vectors": count, "planted": len(planted), "found": hit / len(planted), "seconds": seconds}


def measure(n: int, dim: int, count: int, copies: int, *, peers: bool) -> dict[str, Any]:
    vectors = generated(n, dim)
    read = floor(vectors)
    lines = searches(vectors, count, peers=peers)
    for figures in lines:
        del figures["found"]
    figures = {"machine": machine(), "data": "generated", "n": n, "dim": dim, "count": count, "floor_ms": read}
    figures |= {"aim_ms": TARGET, "searches": lines}
    del vectors
    gc.collect()
    return figures | ({"near": near_duplicates(copies, dim)} if copies else {})


def show(figures: dict[str, Any]) -> None:
    lines = figures["searches"]
    ours = lines[0]["ms"]
    print(figures["machine"])
    print(
        f"{figures['n']:,} generated vectors of {figures['dim']} float16; the {figures['count']:,} nearest; "
        f"median of {QUERIES} queries"
    )
    print(f"floor: one pass over all vectors takes {figures['floor_ms']:.0f} ms\n")
    print(f"{'search':<38}{'ms':>8}{'slowest':>9}{'ratio':>7}{'recall':>8}{'build, s':>10}{'extra GB':>9}")
    for one in lines:
        print(
            f"{one['what']:<38}{one['ms']:>8.0f}{one['slowest_ms']:>9.0f}{one['ms'] / ours:>6.1f}x{one['recall']:>8.3f}"
            f"{one['build_s']:>10.0f}{one['bytes'] / 1e9:>9.1f}"
        )
    print(f"\ntarget: under {TARGET:.0f} ms, {'met' if ours < TARGET else 'missed'} ({ours:.0f} ms)")
    if "near" in figures:
        near = figures["near"]
        print(
            f"near-duplicates: {near['found']:.1%} of {near['planted']:,} planted among {near['vectors']:,} vectors "
            f"found in {near['seconds']:.1f} s"
        )


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("search", __doc__)
    options.add_argument("--n", type=int, default=2_500_000, help="vectors")
    options.add_argument("--dim", type=int, default=512)
    options.add_argument("--count", type=int, default=1000, help="number of neighbours to find")
    options.add_argument("--no-peers", action="store_true")
    options.add_argument("--copies", type=int, default=250_000, help="vectors for near-duplicates; 0 skips them")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    figures = measure(options.n, options.dim, options.count, options.copies, peers=not options.no_peers)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
