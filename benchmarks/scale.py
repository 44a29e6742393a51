"""What a collection of any size takes on machines like this one: hours, machines, memory and disk of each step.

Each step is run here on a small sample, several times, by the code of the app, and extrapolated: in proportion to the
number of images, or to n log n where something is sorted. The range is that of the repeats, from the fastest to the
slowest; the column "seen" has the exponent between half of the sample and all of it, 1 where time grows in proportion.
Memory is what the step's process held in anonymous pages; what its arrays and objects take more on all of the sample
than on half of it is continued as a line, as far as it grows: steps that go from batch to batch hold one. The machine
is measured as it is, with whatever else runs on it: see the load.

--full PART runs a part at full size on generated rows from disk, and extrapolates nothing.
"""

import argparse
import json
import math
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bam_engine.formatting import file_size
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser
from benchmarks.scale_full import HEAD, PARTS, Lines
from benchmarks.scale_samples import STEPS, Measured, Step, copied_pictures, measured

LINK = 1e9  # bits a second, of the line about the network: a unit, not a measure
DAY = 24.0  # hours
MOST_PICTURES, LEAST = 256, 64


@dataclass(frozen=True)
class Estimate:
    """What a step takes for all images: hours from the fastest and the slowest repeat, bytes of memory and disk."""

    hours: tuple[float, float]
    exponent: float
    memory: float
    disk: float
    machines: int | None


def grown(step: Step, images: int, sample: int) -> float:
    """Return how many times as long the step takes for ``images`` as for the sample.

    Examples
    --------
    >>> grown(Step("", "", 1000, lambda n, folder: None), 65_000_000, 1000)
    65000.0
    """
    reached = min(images, step.at_most or images)
    return reached / sample * (math.log(reached) / math.log(sample) if step.sorts else 1.0)


def estimate(step: Step, found: Measured, images: int, hours: float) -> Estimate:
    """Extrapolate what was measured; ``machines`` are those that finish within ``hours``, None where one must do."""
    times = grown(step, images, found.n)
    taken = min(found.seconds) * times / 3600, max(found.seconds) * times / 3600
    exponent = math.log(min(found.seconds) / min(found.seconds_of_half)) / math.log(found.n / found.half)
    slope = max(step.arrays, (found.arrays - found.arrays_of_half) / (found.n - found.half))
    reached = min(images, step.at_most or images, step.at_once or images)
    memory = found.memory + slope * max(0, reached - found.n)
    machines = math.ceil(taken[1] / hours) if step.spreads else None
    return Estimate(taken, exponent, memory, found.disk * images, machines)


def calculate(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the steps, print a line for each, and return the figures."""
    images, hours, names = options.images, options.hours, options.steps
    print(f"{images:,} images on machines like this one: {machine()}\n")
    print(f"{'':<44}{'hours':>16}{'machines':>10}{'memory':>10}{'disk':>10}{'sample':>9}{'grows':>9}{'seen':>6}")
    lines, total, disk = [], [0.0, 0.0], 0.0
    with tempfile.TemporaryDirectory(prefix="bam-scale-") as temporary:
        folder = Path(temporary)
        copied_pictures(folder, MOST_PICTURES, options.pictures)
        for step in (step for step in STEPS if step.name in names):
            found = in_a_process(step, folder, max(LEAST, int(step.sample * options.sample)), options.repeats)
            told = estimate(step, found, images, hours)
            show(step, found, told)
            lines.append({"step": step.name, **asdict(found), **asdict(told)})
            total = [whole + part for whole, part in zip(total, told.hours, strict=True)]
            disk += told.disk
    print(f"{'all, one after the other':<44}{_range(*total):>16}{'':>10}{'':>10}{file_size(int(disk)):>10}")
    _notes(lines, images, hours)
    return {"machine": machine(), "images": images, "steps": lines}


def show(step: Step, found: Measured, told: Estimate) -> None:
    """Print the line of a step."""
    machines = "one" if told.machines is None else f"{told.machines:,}"
    grows = "n log n" if step.sorts else "n"
    disk = file_size(int(told.disk)) if told.disk else "–"
    print(
        f"{step.name:<44}{_range(*told.hours):>16}{machines:>10}{file_size(int(told.memory)):>10}{disk:>10}"
        f"{found.n:>9,}{grows:>9}{told.exponent:>6.2f}",
        flush=True,
    )


def _range(low: float, high: float) -> str:
    def number(value: float) -> str:
        return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"

    return f"{number(low)}–{number(high)}"


def _notes(lines: list[dict[str, Any]], images: int, hours: float) -> None:
    print(f"\nmachines: as many as finish within {hours:g} hours; one: the step runs on one machine, see docs/scale.md")
    print("seen: the exponent of time between half of the sample and all of it, 1 where it grows in proportion")
    for step in STEPS:
        if step.name in {line["step"] for line in lines}:
            print(f"- {step.name}: {step.about}")
    bytes_of_pictures = next((line["disk"] for line in lines if line["step"] == "download"), 0.0)
    if bytes_of_pictures:
        link = bytes_of_pictures * 8 / LINK / 3600
        print(
            f"A network of 1 Gbit/s moves these {file_size(int(bytes_of_pictures))} of pictures in {link:,.1f} hours."
        )
    print(f"Measured beside whatever else ran here: {machine()}")


def in_a_process(step: Step, folder: Path, n: int, repeats: int) -> Measured:
    """Measure a step in a process of its own, so that memory is that of the step."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        half = pool.submit(measured, step.name, folder, n // 2, repeats).result()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        whole = pool.submit(measured, step.name, folder, n, repeats).result()
    seconds, memory, arrays, disk = whole
    return Measured(n, n // 2, seconds, half[0], memory, arrays, half[2], disk)


def full(part: str, rows: int | None, folder: Path | None) -> dict[str, Any]:
    """Run a part at full size, and remove its files."""
    run, usual = PARTS[part]
    n = usual if rows is None else rows
    print(f"{part}, {n:,} generated rows on disk, measured; {machine()}\n{HEAD}", flush=True)
    lines = Lines()
    with tempfile.TemporaryDirectory(prefix="bam-scale-", dir=folder) as temporary:
        run(Path(temporary), n, lines)
    return {"machine": machine(), "data": "generated", "part": part, "rows": n, "lines": list(map(asdict, lines.all))}


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("scale", __doc__)
    options.add_argument("--images", type=_count, default=65_000_000, help="images (default: 65,000,000)")
    options.add_argument("--hours", type=float, default=DAY, help="in which a step has to end (default: 24)")
    options.add_argument("--repeats", type=_count, default=3, help="runs of each sample (default: 3)")
    options.add_argument("--sample", type=float, default=1.0, help="size of all samples, relative to the usual ones")
    names = [step.name for step in STEPS]
    options.add_argument("--steps", nargs="+", choices=names, default=names, metavar="STEP", help=f"of {names}")
    options.add_argument("--pictures", type=Path, help="folder of pictures to measure on (default: the demo's)")
    options.add_argument("--full", choices=list(PARTS), metavar="PART", help=f"one of {', '.join(PARTS)}: at full size")
    options.add_argument("--rows", type=_count, help="rows of --full (default: 65,000,000; rounds: 25,000,000)")
    options.add_argument("--folder", type=Path, help="where --full writes its rows: up to 25 GB, removed after")
    return options


def _count(text: str) -> int:
    number = int(text.replace(",", "").replace("_", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("Give a number above 0.")
    return number


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    figures = full(options.full, options.rows, options.folder) if options.full else calculate(options)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1, default=float) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
