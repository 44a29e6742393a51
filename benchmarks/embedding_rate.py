"""What a whole embedding run costs beside the model alone, in images per second.

Both are measured in one process, in turns, with the same number of torch threads. The fastest of three turns counts,
since other load can only slow a turn down. The built-in encoder has no model beside its descriptors: its bare rate is
that of describing decoded pictures in as many threads as the run uses. An OpenCLIP model gets random weights, which
cost as much as trained ones.
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

from bam_engine.collection import read_image
from bam_engine.collection.digests import of_files
from bam_engine.embedding import Encoder, VectorStore, embed, open_encoder
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

SHARED = Path(__file__).resolve().parents[2] / "shared"
WEIGHTS = SHARED / "weights" / "mobilenetv2_100_same.safetensors"
MOBILENET = "timm:mobilenetv2_100?pad_type=same&mean=0.5&std=0.5"
BATCH = 64
REPEATS = 3


@dataclass(frozen=True)
class Rates:
    """Images a second of one encoder."""

    encoder: str
    images: int
    run: float
    bare: float

    @property
    def ratio(self) -> float:
        return self.run / self.bare


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


def bare_rate(encoder: Encoder, paths: list[Path]) -> float:
    """Return the model's rate on inputs that are in memory."""
    images = [read_image(path, size=encoder.input_size) for path in paths]
    if encoder.spec == "builtin":
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            begin = time.perf_counter()
            encoder.encode(list(pool.map(encoder.preprocess, images)))
        return len(paths) / (time.perf_counter() - begin)
    prepared = [encoder.preprocess(image) for image in images]
    begin = time.perf_counter()
    for start in range(0, len(prepared), BATCH):
        encoder.encode(prepared[start : start + BATCH])
    return len(paths) / (time.perf_counter() - begin)


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


def measure(spec: str, checkpoint: Path | None, paths: list[Path]) -> Rates:
    encoder = open_encoder(spec, checkpoint=checkpoint)
    warm = [encoder.preprocess(read_image(path, size=encoder.input_size)) for path in paths[:BATCH]]
    encoder.encode(warm)
    runs, bares, images = [], [], of_files(paths)
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(embed(paths, encoder, VectorStore(Path(folder) / "v", images=images), batch=BATCH).rate)
        bares.append(bare_rate(encoder, paths))
    return Rates(spec, len(paths), max(runs), max(bares))


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("embedding_rate", __doc__)
    options.add_argument("--images", type=int, default=384)
    options.add_argument("--openclip", metavar="MODEL", help="also time this model of open_clip, with random weights")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if not pictures_found():
        return
    paths = some_paths(options.images)
    print(f"{machine()}, {device()}; {len(paths):,} images")
    print(f"{'encoder':56s} {'run/s':>8s} {'bare/s':>8s} {'ratio':>6s}")
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        encoders: list[tuple[str, Path | None]] = [("builtin", None), (MOBILENET, WEIGHTS)]
        if options.openclip:
            encoders.append((f"openclip:{options.openclip}", random_weights(options.openclip, Path(folder))))
        for spec, checkpoint in encoders:
            if checkpoint is not None and not checkpoint.exists():
                print(f"{spec}: skipped, no {checkpoint}")
                continue
            line = measure(spec, checkpoint, paths)
            lines.append(line)
            print(f"{line.encoder:56s} {line.run:8.1f} {line.bare:8.1f} {line.ratio:6.2f}", flush=True)
    if options.json:
        figures = {
            "machine": f"{machine()}, {device()}",
            "rates": [asdict(line) | {"ratio": line.ratio} for line in lines],
        }
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
