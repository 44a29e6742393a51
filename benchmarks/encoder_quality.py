"""How well each encoder separates medium and content: 10-nearest-neighbour accuracy, and speed.

An image is classified by the 10 nearest images (cosine) of other projects, so the same emoji in another style neither
helps nor hinders. Three questions: the medium (4 kinds), 3-D against flat emoji, and which fruit (folders of 20 and
more). Earlier designs of the built-in encoder stay here as contestants. The interval is the 95% percentile bootstrap
over projects. Speed is from file to vector on one thread.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from bam_engine.collection import read_image
from bam_engine.embedding import open_encoder
from benchmarks.embedding_rate import MOBILENET, SHARED, WEIGHTS, pictures_found
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

NEIGHBOURS = 10
SEED = 20


@dataclass(frozen=True)
class Task:
    """One question: the rows it is asked of, their classes and projects."""

    name: str
    rows: np.ndarray
    classes: np.ndarray
    projects: np.ndarray


@dataclass(frozen=True)
class Accuracy:
    """Share of right answers, its interval, and the mean over classes."""

    value: float
    low: float
    high: float
    balanced: float


@dataclass(frozen=True)
class Line:
    """One encoder's line of the table."""

    encoder: str
    dims: int
    rate: float
    accuracies: dict[str, Accuracy]


def load(everything: bool) -> pd.DataFrame:
    """Return the labels of all images, or of a fixed part: projects drawn with a fixed seed."""
    labels = pd.read_csv(SHARED / "images" / "labels.csv")
    folders = labels["path"].str.split("/")
    labels["collection"], labels["style"] = folders.str[0], folders.str[1]
    if everything:
        return labels
    rng = np.random.default_rng(SEED)
    parts = []
    for collection, share in (
        ("fluent_emoji", 0.4),
        ("game_icons", 0.4),
        ("noto_emoji", 0.4),
        ("photos", 0.8),
        ("usda_pomological", 1.0),
    ):
        part = labels[labels["collection"] == collection]
        projects = np.sort(part["project"].unique())
        chosen = rng.choice(projects, round(share * len(projects)), replace=False)
        parts.append(part[part["project"].isin(set(chosen))])
    return pd.concat(parts, ignore_index=True)


def tasks(labels: pd.DataFrame) -> list[Task]:
    emoji = (labels["collection"] == "fluent_emoji") & labels["style"].isin(["3d", "flat"])
    fruit = labels["collection"] == "usda_pomological"
    sizes = labels.loc[fruit, "style"].value_counts()
    fruit &= labels["style"].isin(sizes.index[sizes >= 20])
    return [
        _task("medium", labels, pd.Series(True, index=labels.index), "medium"),
        _task("3-D / flat", labels, emoji, "style"),
        _task("fruit", labels, fruit, "style"),
    ]


def _task(name: str, labels: pd.DataFrame, chosen: pd.Series, column: str) -> Task:
    part = labels[chosen]
    return Task(name, np.flatnonzero(chosen), pd.factorize(part[column])[0], pd.factorize(part["project"])[0])


def right_answers(vectors: np.ndarray, classes: np.ndarray, projects: np.ndarray) -> np.ndarray:
    """Return for each image whether its nearest neighbours of other projects name its class (ties: the nearer ones)."""
    count = classes.max() + 1
    right = np.empty(len(classes), bool)
    for start in range(0, len(classes), 1024):
        block = slice(start, start + 1024)
        likeness = vectors[block] @ vectors.T
        likeness[projects[block, None] == projects] = -np.inf
        nearest = np.argpartition(-likeness, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        weight = 1 + 1e-3 * np.take_along_axis(likeness, nearest, axis=1)
        votes = np.zeros((len(nearest), count))
        np.add.at(votes, (np.arange(len(nearest))[:, None], classes[nearest]), weight)
        right[block] = votes.argmax(axis=1) == classes[block]
    return right


def accuracy(vectors: np.ndarray, task: Task) -> Accuracy:
    right = right_answers(vectors[task.rows], task.classes, task.projects)
    balanced = float(np.mean([right[task.classes == each].mean() for each in np.unique(task.classes)]))
    hits = np.bincount(task.projects, right)
    sizes = np.bincount(task.projects)
    draws = np.random.default_rng(SEED).integers(0, len(sizes), (1000, len(sizes)))
    low, high = np.percentile(hits[draws].sum(axis=1) / sizes[draws].sum(axis=1), [2.5, 97.5])
    return Accuracy(float(right.mean()), float(low), float(high), balanced)


Describe = Callable[[Image.Image], np.ndarray]


def pixels(image: Image.Image) -> np.ndarray:
    """16 × 16 pixels: the floor."""
    return np.asarray(image.resize((16, 16), Image.Resampling.BOX), np.float32).ravel() / 255


def _unit(block: np.ndarray) -> np.ndarray:
    flat = np.asarray(block, np.float32).ravel()
    return flat / max(float(np.linalg.norm(flat)), 1e-9)


def _square(image: Image.Image, side: int) -> tuple[np.ndarray, np.ndarray]:
    rgb = cv2.resize(np.asarray(image), (side, side), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return lab, np.clip(lab[..., 0] * 2.55, 0, 255).astype(np.uint8)


def textbook(image: Image.Image) -> np.ndarray:
    """Design A: colour histogram, histogram of oriented gradients, local binary patterns of two radii."""
    from skimage.feature import hog, local_binary_pattern

    lab, grey = _square(image, 128)
    colour = cv2.calcHist([lab], [0, 1, 2], None, [4, 6, 6], [0, 100.01, -90, 90, -90, 90])
    shape = hog(grey, orientations=9, pixels_per_cell=(32, 32), cells_per_block=(2, 2))
    patterns = [
        np.bincount(local_binary_pattern(grey, 8, radius, "uniform").astype(int).ravel(), minlength=10)
        for radius in (1, 3)
    ]
    blocks = [np.sqrt(colour), shape, *map(np.sqrt, patterns)]
    return np.concatenate([_unit(block) for block in blocks])


def filters(image: Image.Image) -> np.ndarray:
    """Design B: Gabor energies (3 scales × 6 directions, their mean on 3 × 3 cells) and colour moments on the same."""
    lab, grey = _square(image, 128)
    energies = []
    for scale in range(3):
        for step in range(6):
            kernel = cv2.getGaborKernel((13, 13), 2.5, step * np.pi / 6, 5.0, 0.6, 0).astype(np.float32)
            answer = np.abs(cv2.filter2D(grey.astype(np.float32), cv2.CV_32F, kernel - kernel.mean()))
            energies.append(np.log1p(cv2.resize(answer, (3, 3), interpolation=cv2.INTER_AREA)))
        if scale < 2:
            grey = cv2.pyrDown(grey)
    mean = cv2.resize(lab, (3, 3), interpolation=cv2.INTER_AREA)
    spread = np.sqrt(np.maximum(cv2.resize(lab * lab, (3, 3), interpolation=cv2.INTER_AREA) - mean**2, 0))
    return np.concatenate([_unit(np.stack(energies) - 4), _unit(mean / (100, 40, 40)), _unit(spread)])


def patch_words(image: Image.Image) -> np.ndarray:
    """Design C: signs of eight cosine filters make a word of 256; their histogram at two scales, and colours."""
    lab, grey = _square(image, 192)
    basis = cv2.dct(np.eye(8, dtype=np.float32), flags=cv2.DCT_ROWS).T
    words = []
    for _ in range(2):
        word = np.zeros(grey.shape, np.uint8)
        for bit, (down, across) in enumerate([(0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2)]):
            answer = cv2.filter2D(grey.astype(np.float32), cv2.CV_32F, np.outer(basis[down], basis[across]))
            word |= (answer > 0.5).astype(np.uint8) << bit
        words.append(np.bincount(word.ravel(), minlength=256))
        grey = cv2.pyrDown(grey)
    colour = cv2.calcHist([lab], [0, 1, 2], None, [4, 6, 6], [0, 100.01, -90, 90, -90, 90])
    return np.concatenate([_unit(np.sqrt(block)) for block in (*words, colour)])


def measure(
    name: str, vectors_of: Callable[[list[Path]], np.ndarray], paths: list[Path], questions: list[Task]
) -> Line:
    begin = time.perf_counter()
    vectors = vectors_of(paths)
    seconds = time.perf_counter() - begin
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return Line(
        name, vectors.shape[1], len(paths) / seconds, {task.name: accuracy(vectors, task) for task in questions}
    )


def by_hand(describe: Describe) -> Callable[[list[Path]], np.ndarray]:
    return lambda paths: np.stack([describe(read_image(path, size=192)) for path in paths])


def by_encoder(spec: str, checkpoint: Path | None = None) -> Callable[[list[Path]], np.ndarray]:
    encoder = open_encoder(spec, checkpoint=checkpoint)

    def vectors_of(paths: list[Path]) -> np.ndarray:
        blocks = []
        for start in range(0, len(paths), 64):
            part = paths[start : start + 64]
            blocks.append(
                encoder.encode([encoder.preprocess(read_image(path, size=encoder.input_size)) for path in part])
            )
        return np.concatenate(blocks).astype(np.float16).astype(np.float32)

    return vectors_of


def show(line: Line) -> str:
    cells = [f"{a.value:.3f} [{a.low:.3f}, {a.high:.3f}]" for a in line.accuracies.values()]
    balanced = line.accuracies["medium"].balanced
    return f"{line.encoder:26s} {line.dims:5d} {line.rate:9.0f}  {cells[0]}  {balanced:8.3f}  {cells[1]}  {cells[2]}"


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("encoder_quality", __doc__)
    options.add_argument("--all", action="store_true", help="all images instead of a fixed subset")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if not pictures_found():
        return
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    labels = load(options.all)
    paths = [SHARED / "images" / path for path in labels["path"]]
    questions = tasks(labels)
    print(f"{machine()}; one thread; {len(paths)} images, " + ", ".join(f"{t.name} {len(t.rows)}" for t in questions))
    cell = "{:20s}"
    heads = [cell.format(task.name) for task in questions]
    print(f"{'encoder':26s} {'dims':>5s} {'images/s':>9s}  {heads[0]}  balanced  {heads[1]}  {heads[2]}")
    contestants = {
        "16 x 16 pixels": by_hand(pixels),
        "A colour, HOG, LBP": by_hand(textbook),
        "B Gabor, colour moments": by_hand(filters),
        "C patch words, colour": by_hand(patch_words),
        "builtin": by_encoder("builtin"),
    }
    if WEIGHTS.exists():
        contestants["MobileNetV2"] = by_encoder(MOBILENET, WEIGHTS)
    lines = []
    for name, vectors_of in contestants.items():
        lines.append(measure(name, vectors_of, paths, questions))
        print(show(lines[-1]), flush=True)
    if options.json:
        figures = {"machine": machine(), "images": len(paths), "encoders": [asdict(line) for line in lines]}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
