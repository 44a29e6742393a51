"""What the encoders in the box see, and what they cost: the figures to choose a default by.

Quality is measured on real pictures of seven contents and four media: people thinned to as many as buildings, and 200
each of the watercolours and photos that show none of the contents. Average precision is that of the app's classifier
with 200 random labels, on the half of the projects that nothing trains on; the mean of the contents and of the media
over splits. 10-NN is the accuracy of the 10 nearest pictures of other projects, among the seven contents and of all.

Speed is that of the app's run over 320-pixel JPEG files, and of the bare network, as ``benchmarks.embedding_rate``
measures them, which also says what each part costs. A round is that of ``benchmarks.round`` on generated vectors of the
same length.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from bam_engine import learning
from bam_engine.collection.digests import of_files
from bam_engine.embedding import Encoder, VectorStore, embed, open_encoder
from benchmarks import round as rounds
from benchmarks.embedding_rate import SHARED, SIDE, Cost, measure, pictures_found, small_files
from benchmarks.encoder_quality import right_answers
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

ENCODERS = ("builtin", "network", "combined")
CONTENTS = ("people", "building", "bird", "flower", "cat", "dog", "cars")
OTHERS, LABELS = 200, 200


@dataclass
class Line:
    """The figures of one encoder: quality, what an image costs in each way, and the seconds of a round."""

    encoder: str
    bytes: int
    content: float
    media: float
    nearest_content: float
    nearest_medium: float
    precisions: dict[str, float]
    ways: dict[str, Cost] = field(default_factory=dict)
    round: float = float("nan")


def chosen_pictures() -> pd.DataFrame:
    """Return the labels of the pictures that quality is measured on."""
    labels = pd.read_csv(SHARED / "images" / "labels.csv")
    rng = np.random.default_rng(0)
    rows = [np.flatnonzero(labels["content"] == content) for content in CONTENTS]
    rows[0] = rng.choice(rows[0], len(rows[1]), replace=False)
    for medium in ("watercolor", "photo"):
        without = np.flatnonzero((labels["medium"] == medium) & ~labels["content"].isin(CONTENTS))
        rows.append(rng.choice(without, OTHERS, replace=False))
    return labels.iloc[np.sort(np.concatenate(rows))].reset_index(drop=True)


def quality(spec: str, encoder: Encoder, labels: pd.DataFrame, splits: int) -> Line:
    paths = [SHARED / "images" / path for path in labels["path"]]
    with tempfile.TemporaryDirectory() as folder:
        store = VectorStore(Path(folder) / "v", images=of_files(paths))
        embed(paths, encoder, store)
        vectors = np.array(store.array())
    projects = pd.factorize(labels["project"])[0]
    media = sorted(labels["medium"].unique())
    truth = {name: (labels["content"] == name).to_numpy() for name in CONTENTS}
    truth |= {name: (labels["medium"] == name).to_numpy() for name in media}
    found = pd.DataFrame([precisions(vectors, truth, projects, seed) for seed in range(splits)]).mean()
    seen = labels["content"].isin(CONTENTS).to_numpy()
    whole = vectors.astype(np.float32)
    near = right_answers(whole[seen], pd.factorize(labels["content"][seen])[0], projects[seen])
    alike = right_answers(whole, pd.factorize(labels["medium"])[0], projects)
    content, medium = float(found[list(CONTENTS)].mean()), float(found[media].mean())
    return Line(spec, 2 * encoder.dim, content, medium, float(near.mean()), float(alike.mean()), dict(found))


def precisions(vectors: np.ndarray, truth: dict[str, np.ndarray], projects: np.ndarray, seed: int) -> dict[str, float]:
    """Return the average precision of each attribute on half of the projects, with labels of the other half."""
    rng = np.random.default_rng(seed)
    held_out = np.isin(projects, rng.permutation(projects.max() + 1)[::2])
    pool = np.flatnonzero(~held_out)
    labelled = np.sort(rng.choice(pool, LABELS, replace=False))
    scaling, found = learning.feature_scaling(vectors[pool]), {}
    for name, true in truth.items():
        groups = projects[labelled]
        model = learning.train(vectors[labelled], true[labelled], groups=groups, scaling=scaling, rng=rng)
        found[name] = float(average_precision_score(true[held_out], learning.score_all(vectors[held_out], model)))
    return found


def round_seconds(dim: int, images: int) -> float:
    """Return the seconds of a round, as ``benchmarks.round`` measures it, on vectors of length ``dim``."""
    with tempfile.TemporaryDirectory() as place:
        folder, rng = Path(place), np.random.default_rng(0)
        file = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float16, (images, dim))
        _, truth = rounds.generate(images, rng, file)
        file.flush()
        np.save(folder / "truth.npy", truth)
        np.save(folder / "labelled.npy", np.sort(rng.choice(images, 5000, replace=False)))
        return float(rounds.compete("ours", folder, 2)["round"])


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("encoders", __doc__)
    options.add_argument("--encoders", nargs="+", choices=ENCODERS, default=list(ENCODERS))
    options.add_argument("--splits", type=int, default=5, help="halves of the projects (default: 5)")
    options.add_argument("--images", type=int, default=2000, help="files that speed is measured on (default: 2,000)")
    options.add_argument("--repeats", type=int, default=3, help="turns of each way (default: 3)")
    options.add_argument("--round", type=int, default=1_000_000, help="images of a round; 0: none (default: 1,000,000)")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if not pictures_found():
        return
    labels = chosen_pictures()
    encoders = {spec: open_encoder(spec) for spec in options.encoders}
    print(f"{machine()}; {len(labels):,} real pictures, {LABELS} labels, {options.splits} splits")
    print(f"{'encoder':10} {'bytes':>6} {'AP content':>11} {'AP media':>9} {'10-NN content':>14} {'10-NN medium':>13}")
    lines = []
    for spec, encoder in encoders.items():
        line = quality(spec, encoder, labels, options.splits)
        lines.append(line)
        shown = f"{line.content:11.3f} {line.media:9.3f} {line.nearest_content:14.3f} {line.nearest_medium:13.3f}"
        print(f"{spec:10} {line.bytes:6,} {shown}", flush=True)
        print("  " + ", ".join(f"{name} {value:.2f}" for name, value in line.precisions.items()), flush=True)
    if options.images:
        with tempfile.TemporaryDirectory() as folder:
            paths = small_files(Path(folder), options.images)
            print(f"\n{options.images:,} files of {SIDE} pixels: images a second, and a second of one processor")
            for line in lines:
                line.ways = measure(encoders[line.encoder], paths, options.repeats).ways
                rates = (f"{way} {1 / cost.wall:.1f} / {1 / cost.processor:.1f}" for way, cost in line.ways.items())
                print(f"{line.encoder:10} {', '.join(rates)}", flush=True)
    if options.round:
        for line in lines:
            line.round = round_seconds(line.bytes // 2, options.round)
            print(f"{line.encoder:10} a round on {options.round:,} images: {line.round:.2f} s", flush=True)
    if options.json:
        figures = {"machine": machine(), "images": len(labels), "encoders": [asdict(line) for line in lines]}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
