"""Three classifiers on the same labels: ours, a linear SVM (as in BAM and LSUN), a small neural network.

Average precision on unseen projects: half of the projects of the real pictures, a new half for each seed. Of the
labels, half are random images of the other projects, and half are the images most similar to three positive examples,
as rounds would select. All get the same standardised embeddings and balance the classes:

- ours: logistic regression, C chosen from four by the log-loss on grouped folds;
- SVM: scikit-learn's LinearSVC, C chosen from four by the average precision on the same folds;
- MLP: scikit-learn's, one hidden layer of 64, at most 200 epochs.

Means over seeds with 95% intervals (bootstrap over seeds), and processor seconds for training. The last table is the
mean difference to ours over attributes and seeds.
"""

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine import learning
from bam_engine.learning.classifier import assign_folds
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser
from benchmarks.pictures import ATTRIBUTES, ENCODERS, Pictures, available, load

EXAMPLES = 3
NAMES = ("ours", "SVM", "MLP")

Features = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
Scorer = Callable[[Features], npt.NDArray[np.float64]]

pictures = cache(load)


def labelled(data: Pictures, truth: Labels, own: npt.NDArray[np.int64], count: int, seed: int) -> npt.NDArray[np.int64]:
    """Return ``count`` rows of ``own``: half at random, half most like three positive examples."""
    rng = np.random.default_rng([seed, 5])
    examples = rng.choice(own[truth[own]], EXAMPLES, replace=False)
    some = rng.choice(own, size=count // 2, replace=False)
    rest = np.setdiff1d(own, some)
    like = learning.similar(data.vectors, data.vectors[examples], rest, count - len(some), contrast=0.0, rng=rng)
    return np.concatenate([some, like.rows])


def svm(features: Features, label: Labels, folds: npt.NDArray[np.intp] | None) -> Scorer:
    from sklearn.svm import LinearSVC

    def fit(strength: float, part: Labels) -> Scorer:
        model = LinearSVC(C=strength, class_weight="balanced", random_state=0)
        scores: Scorer = model.fit(features[part], label[part]).decision_function
        return scores

    def unseen(strength: float) -> float:
        scores = np.empty(len(label))
        for fold in np.unique(folds):
            scores[folds == fold] = fit(strength, folds != fold)(features[folds == fold])
        return learning.average_precision(scores, label)

    best = 1.0 if folds is None else max((0.01, 0.1, 1.0, 10.0), key=unseen)
    return fit(best, np.ones(len(label), bool))


def mlp(features: Features, label: Labels) -> Scorer:
    from sklearn.neural_network import MLPClassifier

    wide = np.sqrt(features.shape[1])  # to features of unit variance
    weight = np.where(label, 0.5 / label.mean(), 0.5 / (~label).mean())
    model = MLPClassifier((64,), random_state=0, max_iter=200).fit(features * wide, label, sample_weight=weight)
    return lambda more: model.predict_proba(more * wide)[:, 1]


def play(job: tuple[str, int, int], *, encoder: str) -> dict[str, Any]:
    """Return the average precision and the processor seconds of each classifier on one draw of labels."""
    attribute, count, seed = job
    warnings.simplefilter("ignore")  # that a fit has not converged
    data = pictures(encoder)
    truth, halves = data.truth[attribute], np.random.default_rng([seed, 3]).permutation(data.projects.max() + 1)
    aside = np.isin(data.projects, halves[::2])
    own = np.flatnonzero(~aside)
    rows = labelled(data, truth, own, count, seed)
    scaling, label = learning.feature_scaling(data.vectors[own]), truth[rows]
    result: dict[str, Any] = {"attribute": attribute, "labels": count, "seed": seed, "positive": int(label.sum())}

    def standard(which: npt.NDArray[np.intp]) -> Features:
        return (data.vectors[which].astype(np.float64) - scaling.mean) / scaling.scale

    features, test = standard(rows), standard(np.flatnonzero(aside))
    folds = assign_folds(label, data.projects[rows], np.random.default_rng(seed))

    def ours() -> Scorer:
        rng = np.random.default_rng(seed)
        model = learning.train(data.vectors[rows], label, groups=data.projects[rows], scaling=scaling, rng=rng)
        return lambda _: learning.score_all(data.vectors[aside], model).astype(np.float64)

    ways: dict[str, Callable[[], Scorer]] = {
        "ours": ours,
        "SVM": lambda: svm(features, label, folds),
        "MLP": lambda: mlp(features, label),
    }
    for name, fit in ways.items():
        begin = time.process_time()
        scores = fit()
        result[f"{name} seconds"] = time.process_time() - begin
        result[name] = learning.average_precision(scores(test), truth[aside])
    return result


def limits(values: Sequence[float], seeds: Sequence[int]) -> tuple[float, float, float]:
    """Return the mean with its 95% limits, seeds drawn whole."""
    array = np.array(values)
    interval = learning.cluster_bootstrap(lambda at: float(array[at].mean()), seeds, rng=np.random.default_rng(0))
    return float(array.mean()), interval.low, interval.high


def table(lines: list[dict[str, Any]], sizes: Sequence[int]) -> None:
    cells = "".join(f"{name:>22}" for name in NAMES)
    print(f"{'attribute':<12} {'labels':>6} {'positive':>8} {cells}   seconds: {' / '.join(NAMES)}")
    for attribute in ATTRIBUTES:
        for size in sizes:
            part = [line for line in lines if (line["attribute"], line["labels"]) == (attribute, size)]
            seeds = [line["seed"] for line in part]
            shown = [limits([line[name] for line in part], seeds) for name in NAMES]
            cells = "".join(f"{f'{value:.3f} ({low:.3f}-{high:.3f})':>22}" for value, low, high in shown)
            times = " / ".join(f"{np.median([line[f'{name} seconds'] for line in part]):.2f}" for name in NAMES)
            print(f"{attribute:<12} {size:>6} {np.mean([line['positive'] for line in part]):>8.0f} {cells}   {times}")
    print("\nmean difference to ours")
    for size in sizes:
        part = [line for line in lines if line["labels"] == size]
        seeds = [line["seed"] for line in part]
        for name in NAMES[1:]:
            value, low, high = limits([line[name] - line["ours"] for line in part], seeds)
            print(f"{size:>6} labels, {name}: {value:+.4f} ({low:+.4f} to {high:+.4f})")


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("classifiers", __doc__)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--sizes", type=int, nargs="+", default=[100, 400, 1600])
    options.add_argument("--encoders", nargs="+", choices=list(ENCODERS), default=list(ENCODERS))
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the workers: seconds that compare
    figures: dict[str, Any] = {"machine": machine()}
    for encoder in options.encoders:
        if not available(encoder):
            print(f"{encoder}: skipped, the real pictures or weights are not in ../shared")
            continue
        pictures(encoder)
        jobs = [
            (attribute, size, seed)
            for size in options.sizes
            for seed in range(options.seeds)
            for attribute in ATTRIBUTES
        ]
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as workers:
            lines = list(workers.map(partial(play, encoder=encoder), jobs))
        figures[encoder] = lines
        print(f"\n{encoder}, {options.seeds} seeds; {machine()}")
        table(lines, options.sizes)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
