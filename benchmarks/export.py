"""The images of a large collection written as Parquet and as JSON Lines: seconds, processor seconds, memory and size.

Generated records and vectors; each attribute has scores and a threshold. The labels are decided for every image, as in
a real export, and every column is written. Memory is the most that the process holds, above what it held before.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from bam_engine.reporting.export import export
from bam_engine.reporting.image_contents import Content
from benchmarks.generated import collection, scored_attribute
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

TARGET = 60.0  # seconds for Parquet


def measure(home: Path, n: int, attributes: int) -> list[dict[str, Any]]:
    """Return a line of figures for each format; the collection is made first."""
    workspace = collection(home, n)
    for number in range(attributes):
        scored_attribute(workspace, f"attribute_{number}", seed=number)
    workspace.close()
    return [_in_a_process(home, form) for form in ("parquet", "jsonl")]


def _in_a_process(home: Path, form: str) -> dict[str, Any]:
    """Export in a process of its own, so that its peak of memory is that of the export."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(written, home, form).result()


def written(home: Path, form: str) -> dict[str, Any]:
    """Write the export of a collection and return its figures."""
    from bam_engine.workspace import Workspace

    workspace = Workspace(home / "workspace", home / "cache")
    before, begin, processor = _peak(), time.perf_counter(), time.process_time()
    path = export(workspace, home / f"dataset.{form}", form=form, content=Content())[0]
    seconds, busy, size = time.perf_counter() - begin, time.process_time() - processor, path.stat().st_size
    path.unlink()
    workspace.close()
    return {"form": form, "seconds": seconds, "processor": busy, "memory": _peak() - before, "bytes": size}


def _peak() -> int:
    """Return the most memory that this process has held, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("export", __doc__)
    options.add_argument("--images", type=int, default=2_500_000, help="default: %(default)s")
    options.add_argument("--attributes", type=int, default=20, help="default: %(default)s")
    return options


def main() -> None:
    options = parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="bam-export-") as home:
        lines = measure(Path(home), options.images, options.attributes)
    print(f"{options.images:,} images, {options.attributes} attributes; {machine()}")
    for line in lines:
        spent = f"{line['seconds']:6.1f} s, {line['processor']:6.1f} s of the processor"
        print(f"{line['form']:8s} {spent}, {line['memory'] / 2**20:6.0f} MiB, {line['bytes'] / 1e6:8.0f} MB")
    print(f"target: Parquet in {TARGET:.0f} s")
    if options.json:
        figures = {"images": options.images, "attributes": options.attributes, "machine": machine(), "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
