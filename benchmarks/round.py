"""What a round costs: train on 5,000 labels, score the whole collection from disk, select the next 100.

Generated vectors of 512 float16 in a temporary file, read once before the clock starts, so that it is in the disk cache
for every contender. Each contender has a process of its own, the same labels and the same pool. The quickest of three
turns after a first one counts. Memory is the peak of its own (anonymous) pages; the mapped file belongs to the system's
cache.

- ours: C chosen from four by four folds, one pass over the file, a mixture of strategies;
- plain: one fit of scikit-learn's logistic regression (C = 1), the product by blocks or of the whole file widened at
  once, the 100 least certain by argpartition;
- plain, C chosen: the same with scikit-learn's search over our folds and values of C;
- modAL and scikit-activeml: their uncertainty sampling with the same logistic regression on the pool as float32, where
  that fits into MEMORY.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.learning import feature_scaling, mixture, score_all, train
from benchmarks.machine import OwnMemory, machine
from benchmarks.options import benchmark_parser

DIM, BATCH, REPEATS = 512, 100, 3
STEPS = ("train", "score", "pick")
REFERENCE = "plain"
MEMORY = 12 * 2**30
BLOCK = 4096

Half = npt.NDArray[np.float16]
Labels = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


def generate(n: int, rng: np.random.Generator, vectors: Half | None = None) -> tuple[Half, Labels]:
    """Return unit vectors (n, d) of 50 gaussian neighbourhoods, the first five positive; d is DIM by default."""
    vectors = np.empty((n, DIM), dtype=np.float16) if vectors is None else vectors
    dim = vectors.shape[1]
    centres = rng.normal(size=(50, dim)).astype(np.float32)
    cluster = rng.integers(0, 50, size=n)
    for start in range(0, n, 16_384):
        part = slice(start, start + 16_384)
        wide = centres[cluster[part]] + 2 * rng.standard_normal((len(cluster[part]), dim), dtype=np.float32)
        vectors[part] = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return vectors, cluster < 5


class Clock:
    """Seconds of each step, by the wall and of the processor."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor: dict[str, float] = {}
        self._last = time.perf_counter(), time.process_time()

    def lap(self, name: str) -> None:
        now = time.perf_counter(), time.process_time()
        self.seconds[name], self.processor[name] = (
            after - before for after, before in zip(now, self._last, strict=True)
        )
        self._last = time.perf_counter(), time.process_time()


def pool_without(n: int, labelled: Rows) -> Rows:
    return np.delete(np.arange(n), labelled)


def ours(vectors: Half, truth: Labels, labelled: Rows, clock: Clock) -> None:
    rng = np.random.default_rng(0)
    scaling = feature_scaling(vectors[:4096])
    model = train(vectors[labelled], truth[labelled], scaling=scaling, rng=rng)
    clock.lap("train")
    scores = score_all(vectors, model)
    clock.lap("score")
    mixture(vectors, scores, pool_without(len(vectors), labelled), BATCH, rng=rng)
    clock.lap("pick")


def _plain(vectors: Half, truth: Labels, labelled: Rows, clock: Clock, *, whole: bool, search: bool) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    model: Any = LogisticRegression(max_iter=1000)
    if search:
        model = GridSearchCV(model, {"C": [0.1, 1.0, 10.0, 100.0]}, cv=4, scoring="neg_log_loss")
    model.fit(vectors[labelled].astype(np.float32), truth[labelled])
    fitted = model.best_estimator_ if search else model
    weights, intercept = fitted.coef_[0].astype(np.float32), np.float32(fitted.intercept_[0])
    clock.lap("train")
    block = len(vectors) if whole else BLOCK
    parts = [vectors[at : at + block].astype(np.float32) @ weights for at in range(0, len(vectors), block)]
    scores = np.concatenate(parts) + intercept
    clock.lap("score")
    pool = pool_without(len(vectors), labelled)
    pool[np.argpartition(np.abs(scores[pool]), BATCH)[:BATCH]]
    clock.lap("pick")


def plain_blocks(*data: Any) -> None:
    _plain(*data, whole=False, search=False)


def plain_whole(*data: Any) -> None:
    _plain(*data, whole=True, search=False)


def plain_search(*data: Any) -> None:
    _plain(*data, whole=False, search=True)


def modal(vectors: Half, truth: Labels, labelled: Rows, clock: Clock) -> None:
    from modAL.models import ActiveLearner
    from modAL.uncertainty import uncertainty_sampling
    from sklearn.linear_model import LogisticRegression

    learner = ActiveLearner(
        LogisticRegression(max_iter=1000),
        query_strategy=uncertainty_sampling,
        X_training=vectors[labelled].astype(np.float32),
        y_training=truth[labelled],
    )
    clock.lap("train")
    pool = vectors[pool_without(len(vectors), labelled)].astype(np.float32)
    learner.query(pool, n_instances=BATCH)
    clock.lap("score")
    clock.lap("pick")


def activeml(vectors: Half, truth: Labels, labelled: Rows, clock: Clock) -> None:
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import UncertaintySampling
    from sklearn.linear_model import LogisticRegression

    classifier = SklearnClassifier(LogisticRegression(max_iter=1000), classes=[0, 1])
    classifier.fit(vectors[labelled].astype(np.float32), truth[labelled].astype(float))
    clock.lap("train")
    pool = vectors[pool_without(len(vectors), labelled)].astype(np.float32)
    query = UncertaintySampling(random_state=0)
    unknown = np.full(len(labelled), np.nan)
    query.query(vectors[labelled].astype(np.float32), unknown, classifier, False, candidates=pool, batch_size=BATCH)
    clock.lap("score")
    clock.lap("pick")


CONTENDERS: dict[str, tuple[str, Callable[..., None]]] = {
    "ours": ("ours", ours),
    "plain": ("plain, by blocks", plain_blocks),
    "whole": ("plain, widened whole", plain_whole),
    "search": ("plain, C chosen", plain_search),
    "modal": ("modAL 0.4.2", modal),
    "activeml": ("scikit-activeml 1.0.0", activeml),
}


def compete(name: str, folder: Path, repeats: int) -> dict[str, Any]:
    """Run one contender in this process; return its steps, the processor's part of them, and its memory."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    truth, labelled = np.load(folder / "truth.npy"), np.load(folder / "labelled.npy")
    for start in range(0, len(vectors), BLOCK):
        vectors[start : start + BLOCK].view(np.uint16).max()
    watch, clocks = OwnMemory(), []
    watch.start()
    try:
        for _ in range(repeats + 1):
            clocks.append(Clock())
            CONTENDERS[name][1](vectors, truth, labelled, clocks[-1])
    except MemoryError:
        return {"problem": f"more than {MEMORY / 2**30:.0f} GiB of memory"}
    except ImportError as error:
        return {"problem": f"not installed: {error.name}"}
    quickest = min(clocks[1:], key=lambda clock: sum(clock.seconds.values()))
    steps = {**quickest.seconds, "round": sum(quickest.seconds.values())}
    return {**steps, "processor": sum(quickest.processor.values()), "memory": watch.stop()}


def in_order(names: Sequence[str]) -> list[str]:
    """Return the contenders once each, the reference first: every ratio needs its time."""
    return sorted(dict.fromkeys(names), key=lambda name: name != REFERENCE)


def measure(n: int, labels: int, names: list[str]) -> dict[str, Any]:
    """Generate a collection of ``n``, let every contender run on it, and remove it."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        folder, rng = Path(place), np.random.default_rng(0)
        file = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float16, (n, DIM))
        _, truth = generate(n, rng, file)
        file.flush()
        del file
        np.save(folder / "truth.npy", truth)
        np.save(folder / "labelled.npy", np.sort(rng.choice(n, size=labels, replace=False)))
        for name in names:
            repeats = REPEATS if name not in ("modal", "activeml") else 1
            command = [sys.executable, "-m", "benchmarks.round", "--contender", name, "--folder", place]
            ran = subprocess.run([*command, "--repeats", str(repeats)], capture_output=True, text=True, check=False)
            lines = ran.stdout.splitlines()
            results[name] = json.loads(lines[-1]) if ran.returncode == 0 else {"problem": _last(ran.stderr)}
            print(line(name, results[name], results.get(REFERENCE)), flush=True)
    return results


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "ended without a message, probably out of memory"


def line(name: str, figures: dict[str, Any], reference: dict[str, Any] | None) -> str:
    """Return a contender's line of the table, with its ratio to the reference where that was measured."""
    title = CONTENDERS[name][0]
    if "problem" in figures:
        return f"{title:<24} {figures['problem']}"
    steps = " ".join(f"{figures[step]:8.3f}" for step in (*STEPS, "round"))
    ratio = f"{figures['round'] / reference['round']:7.2f}" if reference and "round" in reference else f"{'–':>7}"
    return f"{title:<24} {steps} {ratio} {figures['processor']:10.2f} {figures['memory'] / 2**20:11,.0f}"


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("round", __doc__)
    options.add_argument("--n", type=int, nargs="+", default=[1_000_000, 2_500_000], help="images of the collections")
    options.add_argument("--labels", type=int, default=5000)
    options.add_argument(
        "--only",
        nargs="+",
        choices=list(CONTENDERS),
        default=list(CONTENDERS),
        help=f"contenders to run; ratios are to {REFERENCE!r}, which runs first (default: all)",
    )
    options.add_argument("--contender", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--repeats", type=int, default=REPEATS, help=argparse.SUPPRESS)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if options.contender:
        print(json.dumps(compete(options.contender, options.folder, options.repeats)))
        return
    print(f"{machine()}; generated vectors of {DIM} float16, file in the disk cache, {options.labels} labels")
    figures: dict[str, Any] = {"data": "generated", "dim": DIM, "labels": options.labels, "machine": machine()}
    for n in options.n:
        print(f"\none round on {n:,} images: seconds; ratio to plain, by blocks; CPU seconds; memory in MiB")
        heads = " ".join(f"{step:>8}" for step in (*STEPS, "round"))
        print(f"{'':<24} {heads} {'ratio':>7} {'CPU':>10} {'memory':>11}")
        figures[str(n)] = measure(n, options.labels, in_order(options.only))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
