"""What the encoders in the box see, and what they cost: the figures to choose a default by.

Quality is measured on real pictures of seven contents and four media: people thinned to as many as buildings, and 200
each of the watercolours and photos that show none of the contents. Average precision is that of the app's classifier
with 200 random labels, on the half of the projects that nothing trains on; the mean of the contents and of the media
over splits. 10-NN is the accuracy of the 10 nearest pictures of other projects, among the seven contents and of all.

Speed is that of 320-pixel JPEG files to vectors: the run of the app; the bare model on pixels that are in memory, in
its best mode and in the same threads; and a naive loop (PIL, the library's model in float32, batches of 64, no
overlap). They take turns, and the fastest turn counts; processor seconds count beside the wall clock, because other
work on the machine does not slow them. A round is that of ``benchmarks.round`` on generated vectors of the same length.
"""

import argparse
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import average_precision_score

from bam_engine import learning
from bam_engine.collection import read_image
from bam_engine.collection.digests import of_files
from bam_engine.embedding import Encoder, VectorStore, embed, open_encoder
from benchmarks import round as rounds
from benchmarks.embedding_rate import SHARED, pictures_found, some_paths
from benchmarks.encoder_quality import right_answers
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

ENCODERS = ("builtin", "network", "combined")
CONTENTS = ("people", "building", "bird", "flower", "cat", "dog", "cars")
OTHERS, LABELS, BATCH, SIDE = 200, 200, 64, 320


@dataclass
class Line:
    """The figures of one encoder; rates in images a second, by the wall clock and of one processor."""

    encoder: str
    bytes: int
    content: float
    media: float
    nearest_content: float
    nearest_medium: float
    precisions: dict[str, float]
    rates: dict[str, tuple[float, float]] = field(default_factory=dict)
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


def small_files(folder: Path, count: int) -> list[Path]:
    """Write pictures whose longer side has SIDE pixels as JPEG files."""
    paths = []
    for number, path in enumerate(some_paths(count)):
        image = read_image(path)
        scale = SIDE / max(image.size)
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        paths.append(folder / f"{number}.jpg")
        image.resize(size, Image.Resampling.BICUBIC).save(paths[-1], quality=90)
    return paths


def run(encoder: Encoder, paths: list[Path]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        embed(paths, encoder, VectorStore(Path(folder) / "v", images=of_files(paths)), batch=BATCH)


def naive(paths: list[Path]) -> None:
    """Embed with the network as its library gives it: one picture after the other, then one batch."""
    import timm
    import torch
    from timm.data import create_transform

    model = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0).eval()
    transform = create_transform(224, mean=(0.5,) * 3, std=(0.5,) * 3, interpolation="bicubic", crop_pct=0.875)
    with torch.inference_mode():
        for start in range(0, len(paths), BATCH):
            part = [transform(Image.open(path).convert("RGB")) for path in paths[start : start + BATCH]]
            model(torch.stack(part)).numpy()


def bare(encoder: Encoder, inputs: list[np.ndarray]) -> None:
    for start in range(0, len(inputs), BATCH):
        encoder.encode(inputs[start : start + BATCH])


def speed(encoders: dict[str, Encoder], paths: list[Path], repeats: int) -> dict[str, dict[str, tuple[float, float]]]:
    """Return the rates by encoder and way; the ways take turns."""
    ways: dict[tuple[str, str], Callable[[], None]] = {}
    for spec, encoder in encoders.items():
        ways[spec, "run"] = lambda encoder=encoder: run(encoder, paths)
        if spec != "builtin":
            inputs = [encoder.preprocess(read_image(path, size=encoder.input_size)) for path in paths]
            encoder.encode(inputs[:BATCH])
            ways[spec, "bare"] = lambda encoder=encoder, inputs=inputs: bare(encoder, inputs)
    ways["network", "naive"] = lambda: naive(paths)
    best: dict[tuple[str, str], tuple[float, float]] = {}
    for _, (name, way) in itertools.product(range(repeats), ways.items()):
        wall, processor = time.perf_counter(), sum(os.times()[:4])
        way()
        took = time.perf_counter() - wall, sum(os.times()[:4]) - processor
        before = best.get(name, (0.0, 0.0))
        best[name] = max(before[0], len(paths) / took[0]), max(before[1], len(paths) / took[1])
    return {spec: {way: rate for (of, way), rate in best.items() if of == spec} for spec in encoders}


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
            rates = speed(encoders, small_files(Path(folder), options.images), options.repeats)
        print(f"\n{options.images:,} files of {SIDE} pixels: images a second, and a second of one processor")
        for line in lines:
            line.rates = rates[line.encoder]
            ways = (f"{way} {wall:.1f} / {processor:.1f}" for way, (wall, processor) in line.rates.items())
            print(f"{line.encoder:10} {', '.join(ways)}", flush=True)
    if options.round:
        for line in lines:
            line.round = round_seconds(line.bytes // 2, options.round)
            print(f"{line.encoder:10} a round on {options.round:,} images: {line.round:.2f} s", flush=True)
    if options.json:
        figures = {"machine": machine(), "images": len(labels), "encoders": [asdict(line) for line in lines]}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
