"""The demo: how fast it is drawn and written, and how hard its attributes are for the built-in encoder.

For each attribute: its share of positives, and the average precision of a logistic regression on the built-in encoder's
vectors, each image scored by a model that saw no work of its studio (5 folds). The interval is the 95% percentile
bootstrap over studios. No attribute should be hopeless (AP near the share) or trivial (AP near 1).
"""

import argparse
import csv
import json
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from bam_engine.demo.art import TRUTHS, write_collection
from bam_engine.embedding import open_encoder
from bam_engine.learning.intervals import cluster_bootstrap
from bam_engine.learning.threads import single_threaded_blas
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

SEED = 20


@dataclass(frozen=True)
class Line:
    """One attribute: the share of works that have it, and the average precision with its interval."""

    attribute: str
    share: float
    precision: float
    low: float
    high: float


def measure(vectors: np.ndarray, truth: np.ndarray, studios: np.ndarray, attribute: str) -> Line:
    model = LogisticRegression(C=10, class_weight="balanced", max_iter=500)
    folds = GroupKFold(5, shuffle=True, random_state=SEED)
    with single_threaded_blas():
        scores = cross_val_predict(model, vectors, truth, groups=studios, cv=folds, method="decision_function")

    def precision(rows: np.ndarray) -> float:
        return float(average_precision_score(truth[rows], scores[rows])) if truth[rows].any() else float("nan")

    interval = cluster_bootstrap(precision, studios, rng=np.random.default_rng(SEED), repeats=200)
    return Line(attribute, float(truth.mean()), precision(np.arange(len(truth))), interval.low, interval.high)


def describe(folder: Path, rows: list[dict[str, str]]) -> np.ndarray:
    encoder = open_encoder("builtin")
    with ThreadPoolExecutor(2) as pool:
        ready = list(pool.map(lambda row: encoder.preprocess(Image.open(folder / row["path"]).convert("RGB")), rows))
    vectors = encoder.encode(ready)
    return vectors / np.maximum(vectors.std(axis=0), 1e-6) / np.sqrt(vectors.shape[1]) * 4


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("demo", __doc__)
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--seed", type=int, default=0)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_collection(folder / "warm", count=20, seed=options.seed + 1)
        wall, busy = time.perf_counter(), sum(os.times()[:4])
        table = write_collection(folder / "demo", count=options.count, seed=options.seed)
        wall, busy = time.perf_counter() - wall, sum(os.times()[:4]) - busy  # with the processes that draw
        size = sum(path.stat().st_size for path in table.parent.rglob("*.jpg"))
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        vectors = describe(table.parent, rows)
    print(machine())
    rates = f"{len(rows) / wall:.1f} per second, {len(rows) / busy:.1f} per second and core"
    print(f"{len(rows):,} works in {wall:.1f} s: {rates}; {size / len(rows) / 1000:.0f} kB each")
    studios = np.unique([row["project"] for row in rows], return_inverse=True)[1]
    lines = []
    print(f"{'attribute':<22}{'share':>7}{'AP':>7}{'95%':>14}")
    for attribute in TRUTHS:
        truth = np.array([row[attribute] == "1" for row in rows])
        line = measure(vectors, truth, studios, attribute)
        lines.append(line)
        print(f"{attribute:<22}{line.share:7.3f}{line.precision:7.2f}{line.low:8.2f}–{line.high:.2f}", flush=True)
    if options.json:
        figures = {"machine": machine(), "rate": len(rows) / wall, "rate_per_core": len(rows) / busy}
        options.json.write_text(json.dumps(figures | {"attributes": [asdict(line) for line in lines]}, indent=1))


if __name__ == "__main__":
    main()
