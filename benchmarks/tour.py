"""What the README's tour costs, by encoder: what the program does in each step, without the browser and its reader.

For each encoder in a new process, after the kernels are compiled: the demo is drawn, added and embedded, laid out as a
map, labelled by simulated annotators through four rounds, threshold and audit, and exported. The encoder is opened as
part of the embedding. Other work on the machine slows the wall clock; processor seconds stay nearly the same.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from bam_engine.demo import demo_workspace, simulated_annotators
from bam_engine.maps import layout_builder
from bam_engine.progress import Report
from bam_engine.reporting.export import export
from bam_engine.workspace import Workspace
from benchmarks.embedding_rate import Cost, processor_seconds, timed
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

ENCODERS = ("builtin", "combined")
ATTRIBUTE = "media_watercolor"
WARM = 70  # images of a first tour, which compiles what is not compiled yet


def take(spec: str, count: int) -> dict[str, Cost]:
    """Take the tour with ``count`` images and return what each step costs."""
    costs: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        workspace = Workspace(folder / "workspace", folder / "cache")
        with timed(costs, "embedding", 1):
            workspace.choose_encoder(spec)
        demo_workspace.make_demo(workspace, count=count, report=by_part(costs))
        with timed(costs, "map", 1):
            layout_builder.build(workspace)
        with timed(costs, "rounds, threshold, audit", 1):
            attribute, team = workspace.attributes.get(ATTRIBUTE), simulated_annotators.team_of(workspace)
            simulated_annotators.play(workspace, attribute, team)
        with timed(costs, "export", 1):
            export(workspace, folder / "dataset", form="csv")
        workspace.close()
    costs["all"] = sum(costs.values(), Cost())
    return costs


def by_part(costs: dict[str, Cost]) -> Report:
    """Return a report that adds the time since the last one to the part that it names."""
    before = Cost(time.perf_counter(), processor_seconds())

    def report(_done: int, _total: int | None, message: str = "") -> None:
        nonlocal before
        now, part = Cost(time.perf_counter(), processor_seconds()), message.partition(" ")[0]
        spent = Cost(now.wall - before.wall, now.processor - before.processor)
        costs[part] = costs.get(part, Cost()) + spent
        before = now

    return report


def in_a_new_process(spec: str, count: int) -> dict[str, Cost]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(take, spec, count).result()


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("tour", __doc__)
    options.add_argument("--encoders", nargs="+", default=list(ENCODERS), metavar="ENCODER")
    options.add_argument("--images", type=int, default=2000, help="images of the demo (default: 2,000)")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    print(
        f"{machine()}; {options.images:,} generated images; seconds, and processor seconds in parentheses", flush=True
    )
    found = {}
    for spec in options.encoders:
        in_a_new_process(spec, WARM)
        found[spec] = in_a_new_process(spec, options.images)
    print(f"{'':26}" + "".join(f"{spec:>16}" for spec in found))
    for step in found[options.encoders[0]]:
        costs = (found[spec][step] for spec in found)
        print(f"{step:26}" + "".join(f"{f'{cost.wall:.1f} ({cost.processor:.1f})':>16}" for cost in costs))
    if options.json:
        steps = {spec: {step: asdict(cost) for step, cost in costs.items()} for spec, costs in found.items()}
        options.json.write_text(json.dumps({"machine": machine(), "seconds": steps}, indent=1) + "\n")


if __name__ == "__main__":
    main()
