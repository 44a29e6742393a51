"""Classifiers on the same labels: ours, scikit-learn's logistic regression, a linear SVM, a small neural network.

Average precision on unseen projects: half of the projects of the real pictures, a new half for each seed. Of the
labels, half are random images of the other projects, and half are the images most similar to three positive examples,
as rounds would select. All get the same standardised embeddings and balance the classes:

- ours: logistic regression, C chosen from four by the log-loss on grouped folds;
- CV: scikit-learn's LogisticRegressionCV over the same C and folds;
- SVM: scikit-learn's LinearSVC, C chosen from four by the average precision on the same folds (as in BAM and LSUN);
- MLP: scikit-learn's, one hidden layer of 64, at most 200 epochs;
- other: ours of another checkout, where ``--against`` names one.

Means over seeds with 95% intervals (bootstrap over seeds), and processor seconds for training, with one thread. The
last table is the mean difference to ours over attributes and seeds, and the ratio of processor seconds.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine import learning
from bam_engine.learning.classifier import assign_folds
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser, checkout_at
from benchmarks.pictures import ATTRIBUTES, ENCODERS, Pictures, available, load

EXAMPLES = 3
NAMES = ("ours", "CV", "SVM", "MLP")
OTHER = "other"
C_GRID = (0.1, 1.0, 10.0, 100.0)
IN_ANOTHER_CHECKOUT = """
import sys, time
import numpy as np
from bam_engine import learning
data = np.load(sys.argv[1])
scaling = learning.FeatureScaling(data["mean"], data["scale"])
given = dict(groups=data["groups"], scaling=scaling)
learning.train(np.eye(50, dtype=np.float16), np.arange(50) % 2, rng=np.random.default_rng(0))  # imports
begin = time.process_time()
model = learning.train(data["vectors"], data["label"], **given, rng=np.random.default_rng(int(data["seed"])))
np.savez(sys.argv[2], seconds=time.process_time() - begin, scores=learning.score_all(data["unseen"], model))
"""

Features = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
Scorer = Callable[[Features], npt.NDArray[np.float64]]

pictures = cache(load)


@cache
def warm() -> None:
    """Import what training needs, once in each process, before the clock starts."""
    learning.train(np.eye(50, dtype=np.float16), np.arange(50) % 2, rng=np.random.default_rng(0))


def labelled(data: Pictures, truth: Labels, own: npt.NDArray[np.int64], count: int, seed: int) -> npt.NDArray[np.int64]:
    """Return ``count`` rows of ``own``: half at random, half most like three positive examples."""
    rng = np.random.default_rng([seed, 5])
    examples = rng.choice(own[truth[own]], EXAMPLES, replace=False)
    some = rng.choice(own, size=count // 2, replace=False)
    rest = np.setdiff1d(own, some)
    like = learning.similar(data.vectors, data.vectors[examples], rest, count - len(some), contrast=0.0, rng=rng)
    return np.concatenate([some, like.rows])


def cross_validated(features: Features, label: Labels, folds: npt.NDArray[np.intp] | None) -> Scorer:
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV

    single = features.astype(np.float32)
    if folds is None:
        model: Any = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000).fit(single, label)
    else:
        splits = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)]
        model = LogisticRegressionCV(
            Cs=C_GRID,
            cv=splits,
            class_weight="balanced",
            scoring="neg_log_loss",
            max_iter=1000,
            l1_ratios=(0,),
            use_legacy_attributes=False,
        ).fit(single, label)
    scores: Scorer = model.decision_function
    return scores


def in_another(
    checkout: Path, vectors: npt.NDArray[np.float16], unseen: npt.NDArray[np.float16], **given: Any
) -> tuple[float, npt.NDArray[np.float64]]:
    """Return the processor seconds of training in another checkout, and the scores of ``unseen``."""
    with tempfile.TemporaryDirectory() as place:
        data, result = Path(place) / "data.npz", Path(place) / "result.npz"
        np.savez(data, vectors=vectors, unseen=unseen, **given)
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        command = [sys.executable, "-c", IN_ANOTHER_CHECKOUT, str(data), str(result)]
        subprocess.run(command, check=True, cwd=place, env=environment)
        with np.load(result) as found:
            return float(found["seconds"]), found["scores"].astype(np.float64)


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


def play(
    job: tuple[str, int, int], *, encoder: str, names: Sequence[str], held_out: float, against: Path | None
) -> dict[str, Any]:
    """Return the average precision and the processor seconds of each classifier on one draw of labels."""
    attribute, count, seed = job
    warnings.simplefilter("ignore")  # that a fit has not converged
    warm()
    data = pictures(encoder)
    truth, projects = data.truth[attribute], np.random.default_rng([seed, 3]).permutation(data.projects.max() + 1)
    aside = np.isin(data.projects, projects[: round(held_out * len(projects))])
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
        "CV": lambda: cross_validated(features, label, folds),
        "SVM": lambda: svm(features, label, folds),
        "MLP": lambda: mlp(features, label),
    }
    for name in names:
        begin = time.process_time()
        scores = ways[name]()
        result[f"{name} seconds"] = time.process_time() - begin
        result[name] = learning.average_precision(scores(test), truth[aside])
    if against is not None:
        given = {"groups": data.projects[rows], "mean": scaling.mean, "scale": scaling.scale, "seed": seed}
        seconds, other = in_another(against, data.vectors[rows], data.vectors[aside], label=label, **given)
        result |= {f"{OTHER} seconds": seconds, OTHER: learning.average_precision(other, truth[aside])}
    return result


def limits(values: Sequence[float], seeds: Sequence[int]) -> tuple[float, float, float]:
    """Return the mean with its 95% limits, seeds drawn whole."""
    array = np.array(values)
    interval = learning.cluster_bootstrap(lambda at: float(array[at].mean()), seeds, rng=np.random.default_rng(0))
    return float(array.mean()), interval.low, interval.high


def table(lines: list[dict[str, Any]], attributes: Sequence[str], sizes: Sequence[int], names: Sequence[str]) -> None:
    cells = "".join(f"{name:>22}" for name in names)
    print(f"{'attribute':<12} {'labels':>6} {'positive':>8} {cells}   seconds: {' / '.join(names)}")
    for attribute in attributes:
        for size in sizes:
            part = [line for line in lines if (line["attribute"], line["labels"]) == (attribute, size)]
            seeds = [line["seed"] for line in part]
            shown = [limits([line[name] for line in part], seeds) for name in names]
            cells = "".join(f"{f'{value:.3f} ({low:.3f}-{high:.3f})':>22}" for value, low, high in shown)
            times = " / ".join(f"{np.median([line[f'{name} seconds'] for line in part]):.2f}" for name in names)
            print(f"{attribute:<12} {size:>6} {np.mean([line['positive'] for line in part]):>8.0f} {cells}   {times}")
    print("\nmean difference to ours")
    for size in sizes:
        part = [line for line in lines if line["labels"] == size]
        seeds = [line["seed"] for line in part]
        spent = {name: sum(line[f"{name} seconds"] for line in part) for name in names}
        for name in names[1:]:
            differences = [line[name] - line["ours"] for line in part]
            value, low, high = limits(differences, seeds)
            print(
                f"{size:>6} labels, {name}: {value:+.4f} ({low:+.4f} to {high:+.4f}), at most {max(differences):+.4f}; "
                f"ours takes {spent['ours'] / spent[name]:.2f} of its seconds"
            )


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("classifiers", __doc__)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--sizes", type=int, nargs="+", default=[100, 400, 1600])
    options.add_argument("--attributes", nargs="+", choices=ATTRIBUTES, default=list(ATTRIBUTES))
    options.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES), help="classifiers beside ours")
    options.add_argument("--held-out", type=float, default=0.5, help="fraction of the projects that nothing trains on")
    options.add_argument("--against", type=Path, metavar="CHECKOUT", help="also train in this checkout")
    options.add_argument("--encoders", nargs="+", choices=list(ENCODERS), default=list(ENCODERS))
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    options.against = checkout_at(options.against)
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the workers: seconds that compare
    figures: dict[str, Any] = {"machine": machine()}
    names = ["ours", *(name for name in NAMES[1:] if name in options.only)]
    contest = partial(play, names=names, held_out=options.held_out, against=options.against)
    shown = [*names, *([OTHER] if options.against else [])]
    for encoder in options.encoders:
        if not available(encoder):
            print(f"{encoder}: skipped, the real pictures or weights are not in ../shared")
            continue
        pictures(encoder)
        jobs = [
            (attribute, size, seed)
            for size in options.sizes
            for seed in range(options.seeds)
            for attribute in options.attributes
        ]
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as workers:
            lines = list(workers.map(partial(contest, encoder=encoder), jobs))
        figures[encoder] = lines
        print(f"\n{encoder}, {options.seeds} seeds; {machine()}")
        table(lines, options.attributes, options.sizes, shown)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
