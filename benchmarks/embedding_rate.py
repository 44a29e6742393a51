"""What an embedding run costs beside the network alone, and beside the sum of what it has to compute.

JPEG files of 320 pixels, drawn from the real pictures, go through each encoder in several ways, which take turns:

naive   PIL, then timm's model in float32, in batches and in torch's own threads, nothing at the same time
bare    the network alone in its best mode, on pixels that are in memory: the limit if the rest cost nothing
sum     decoding, preparing (resizing, descriptors), the network and storing, one after the other, each on all cores:
        the limit of a run that loses nothing
run     the run of the app, from the files to the stored vectors

A rate is that of the fastest turn, by the wall clock and of one processor; other work on the machine slows the former
above all. At last a new process opens each encoder and embeds the files once: its time, and the most memory it held.
An OpenCLIP model gets random weights, which cost as much as trained ones.
"""

import argparse
import csv
import json
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.collection import read_image
from bam_engine.collection.digests import of_files
from bam_engine.embedding import Encoder, VectorStore, embed, open_encoder
from bam_engine.formatting import file_size
from bam_engine.processes import threads
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

SHARED = Path(__file__).resolve().parents[2] / "shared"
WEIGHTS = SHARED / "weights" / "mobilenetv2_100_same.safetensors"
MOBILENET = "timm:mobilenetv2_100?pad_type=same&mean=0.5&std=0.5"
IN_THE_BOX = ("builtin", "network", "combined")
BATCH, SIDE = 64, 320
FEW = 256
"""Files of the naive way and of the bare network: more would take minutes, and gigabytes of pixels."""

Digests = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Cost:
    """Seconds of an image, by the wall clock and of processors."""

    wall: float = 0.0
    processor: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall + other.wall, self.processor + other.processor)

    def least(self, other: "Cost") -> "Cost":
        """Return the lower of each."""
        return Cost(min(self.wall, other.wall), min(self.processor, other.processor))


@dataclass(frozen=True)
class FirstRun:
    """What a new process takes from its start to the last vector: seconds, those of processors, and bytes of memory."""

    wall: float
    processor: float
    peak: int


@dataclass
class Line:
    """The figures of one encoder: what an image costs in each way, and each part of the sum."""

    encoder: str
    images: int
    ways: dict[str, Cost] = field(default_factory=dict)
    parts: dict[str, Cost] = field(default_factory=dict)
    first: FirstRun | None = None

    def ratios(self, way: str) -> tuple[float, float]:
        """Return the rate of the run over that of another way, by the wall clock and of processors."""
        limit, run = self.ways[way], self.ways["run"]
        return limit.wall / run.wall, limit.processor / run.processor


def pictures_found() -> bool:
    """Return whether the real pictures are beside the project; where they are not, print so."""
    if (SHARED / "images" / "labels.csv").exists():
        return True
    print(f"Skipped: the real pictures are not in {SHARED / 'images'}.")
    return False


def some_paths(count: int) -> list[Path]:
    """Return ``count`` pictures spread over the collection, repeated if there are fewer."""
    with (SHARED / "images" / "labels.csv").open(newline="", encoding="utf-8") as file:
        paths = [SHARED / "images" / row["path"] for row in csv.DictReader(file)]
    return [paths[place] for place in np.linspace(0, len(paths) - 1, count).astype(int)]


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


def processor_seconds() -> float:
    """Return what this process and its ended children have used."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


@contextmanager
def timed(costs: dict[str, Cost], name: str, images: int) -> Iterator[None]:
    """Add what the block takes, spread over ``images``."""
    wall, processor = time.perf_counter(), processor_seconds()
    yield
    cost = Cost((time.perf_counter() - wall) / images, (processor_seconds() - processor) / images)
    costs[name] = costs.get(name, Cost()) + cost


def run(encoder: Encoder, paths: list[Path], digests: Digests) -> None:
    with tempfile.TemporaryDirectory() as folder:
        embed(paths, encoder, VectorStore(Path(folder) / "v", images=digests), batch=BATCH)


def bare(encoder: Encoder, inputs: list[np.ndarray]) -> None:
    for start in range(0, len(inputs), BATCH):
        encoder.encode(inputs[start : start + BATCH])


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


def one_after_the_other(encoder: Encoder, paths: list[Path], digests: Digests) -> dict[str, Cost]:
    """Return what each part of a run costs by itself, in as many threads as there are cores."""
    costs: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory() as folder, threads(os.cpu_count() or 1) as pool:
        store = VectorStore(Path(folder) / "v", images=digests)
        store.claim(spec=encoder.spec, key=encoder.key, dim=encoder.dim)
        for start in range(0, len(paths), BATCH):
            files = [(paths[row], store.image(row)) for row in range(start, min(start + BATCH, len(paths)))]
            with timed(costs, "decoding", len(paths)):
                images = list(pool.map(partial(decode, encoder.input_size), files, ahead=BATCH))
            with timed(costs, "preparing", len(paths)):
                inputs = list(pool.map(encoder.preprocess, images, ahead=BATCH))
            with timed(costs, "network", len(paths)):
                vectors = encoder.encode(inputs)
            with timed(costs, "storing", len(paths)):
                store.append(vectors)
    return costs


def decode(size: int, file: tuple[Path, str]) -> Image.Image:
    return read_image(file[0], size=size, digest=file[1])


def measure(encoder: Encoder, paths: list[Path], repeats: int) -> Line:
    """Return what an image costs in each way; the ways take turns."""
    line, digests, few = Line(encoder.spec, len(paths)), of_files(paths), paths[:FEW]
    inputs = [encoder.preprocess(read_image(path, size=encoder.input_size)) for path in few]
    bare(encoder, inputs[:BATCH])  # what is compiled or imported at first use
    ways: dict[str, tuple[Callable[[], None], int]] = {"run": (lambda: run(encoder, paths, digests), len(paths))}
    if encoder.spec != "builtin":
        ways["bare"] = lambda: bare(encoder, inputs), len(few)
    if encoder.spec == "network":
        ways["naive"] = lambda: naive(few), len(few)
    for turn in range(repeats):
        found: dict[str, Cost] = {}
        for name, (way, images) in ways.items():
            with timed(found, name, images):
                way()
        parts = one_after_the_other(encoder, paths, digests)
        found["sum"] = sum(parts.values(), Cost())
        line.ways = {name: cost.least(line.ways[name]) if turn else cost for name, cost in found.items()}
        line.parts = {name: cost.least(line.parts[name]) if turn else cost for name, cost in parts.items()}
    return line


def first_run(spec: str, checkpoint: Path | None, paths: list[Path]) -> FirstRun:
    """Return what a new process takes to embed the files."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        started = time.perf_counter()
        processor, peak = pool.submit(open_and_run, spec, checkpoint, paths).result()
        return FirstRun(time.perf_counter() - started, processor, peak)


def open_and_run(spec: str, checkpoint: Path | None, paths: list[Path]) -> tuple[float, int]:
    """Return the processor seconds of this process, with its ended children, and the most memory it held, in bytes."""
    run(open_encoder(spec, checkpoint=checkpoint), paths, of_files(paths))
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())  # getrusage counts the parent's too
    return processor_seconds(), 1024 * int(peak[1]) if peak else 0


def random_weights(model: str, folder: Path) -> Path:
    """Write a checkpoint of an OpenCLIP model that was never trained."""
    import open_clip
    import torch

    file = folder / f"{model}.pt"
    torch.save(open_clip.create_model(model, pretrained=None).state_dict(), file)
    return file


def device() -> str:
    """Name what the networks run on."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no accelerator"


def print_line(line: Line) -> None:
    """Print the table of one encoder, and how near its run comes to its limits."""
    print(f"\n{line.encoder:26} {'images/s':>9} {'of one processor':>17} {'processor ms':>13}")
    for name, cost in ({f"  {name}": cost for name, cost in line.parts.items()} | line.ways).items():
        print(f"{name:26} {1 / cost.wall:9.1f} {1 / cost.processor:17.1f} {1000 * cost.processor:13.2f}")
    for limit in ("sum", "bare"):
        if limit in line.ways:
            wall, processor = line.ratios(limit)
            print(f"the run reaches {processor:.2f} of {limit}, by the wall clock {wall:.2f}")
    if line.first is not None:
        first = line.first
        took = f"{first.wall:.1f} s, {first.processor:.1f} processor seconds, at most {file_size(first.peak)}"
        print(f"a new process embeds {line.images:,} files in {took}", flush=True)


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("embedding_rate", __doc__)
    options.add_argument("--encoders", nargs="+", choices=IN_THE_BOX, default=list(IN_THE_BOX))
    options.add_argument("--images", type=int, default=2000, help="files (default: 2,000)")
    options.add_argument("--repeats", type=int, default=3, help="turns of each way (default: 3)")
    options.add_argument("--openclip", metavar="MODEL", help="also time this model of open_clip, with random weights")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if not pictures_found():
        return
    print(f"{machine()}, {device()}; {options.images:,} files of {SIDE} pixels, the fastest of {options.repeats} turns")
    lines = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        paths = small_files(folder, options.images)
        encoders: list[tuple[str, Path | None]] = [(spec, None) for spec in options.encoders]
        if options.encoders == list(IN_THE_BOX) and WEIGHTS.exists():
            encoders.append((MOBILENET, WEIGHTS))
        if options.openclip:
            encoders.append((f"openclip:{options.openclip}", random_weights(options.openclip, folder)))
        for spec, checkpoint in encoders:
            line = measure(open_encoder(spec, checkpoint=checkpoint), paths, options.repeats)
            line.first = first_run(spec, checkpoint, paths)
            lines.append(line)
            print_line(line)
    if options.json:
        figures = {"machine": f"{machine()}, {device()}", "encoders": [asdict(line) for line in lines]}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
