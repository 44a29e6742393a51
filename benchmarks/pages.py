"""The Overview and the first view of a map: time and SQL statements, beside an earlier version of the program.

A generated demo workspace of 20 attributes, labelled by simulated annotators, with a map. It is made by the earlier
version, where one is given, and each version measures copies of its own, which the newer one migrates before.

- fresh process: the first page that a process draws, which also loads modules and compiled kernels.
- first view: the first page of a workspace that the process has not read yet; everything else is loaded.
- again: the same page in another session, nothing has changed.

A page is drawn by Streamlit's AppTest inside the app's frame; the map's tiles, names and the image under the pointer
are requested from the app's routes as a browser does. Statements of background jobs are not counted. The processor time
is that of the whole process; unlike seconds, it hardly depends on what else the machine does. Medians of several runs,
in which the versions take turns.

``--against`` names a checkout of the earlier version: ``git worktree add ../before COMMIT``.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import machine
from benchmarks.options import benchmark_parser, checkout_at

HERE = Path(__file__).resolve().parents[1]
VISITS = ("fresh process", "first view", "again")
MEASURES = ("statements", "seconds", "processor")
STATEMENTS = {"overview": (25, 25, 5), "map": (40, 40, 5)}
"""The most statements of each visit to a page."""
TIME_RATIO = 0.5
"""The most that a first view may take, divided by what it took before."""


def call(checkout: Path, *arguments: object) -> str:
    """Run the probe with the packages of a checkout; return what it prints."""
    command = [sys.executable, "-P", str(HERE / "benchmarks" / "page_probe.py"), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"The probe failed in {checkout}:\n{done.stderr}")
    return done.stdout


def measure(checkout: Path, page: str, workspace: Path, place: Path) -> list[dict[str, float]]:
    """Return the visits to a page by one process, each with its measures."""
    copies = [place / name for name in ("copy", "other")]
    for copy in copies:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(workspace, copy)
    visits: list[dict[str, float]] = json.loads(call(checkout, "visit", page, *copies))
    return visits


def compare(checkouts: dict[str, Path], workspace: Path, place: Path, runs: int) -> list[dict[str, Any]]:
    """Return for each page, visit and measure the median of each checkout, the limit and the ratio."""
    lines = []
    for page in STATEMENTS:
        found: dict[str, list[list[dict[str, float]]]] = {name: [] for name in checkouts}
        for _ in range(runs):
            for name, checkout in checkouts.items():
                found[name].append(measure(checkout, page, workspace, place))
        for number, visit in enumerate(VISITS):
            for what in MEASURES:
                values = {name: median(one[number][what] for one in every) for name, every in found.items()}
                lines.append(line(page, number, visit, what, values))
    return lines


def line(page: str, number: int, visit: str, what: str, values: dict[str, float]) -> dict[str, Any]:
    """Return one line of the table; a time has a limit where there is an earlier one to compare it with."""
    before = values.get("before")
    limit: float | None = None
    if what == "statements":
        limit = STATEMENTS[page][number]
    elif visit == "first view" and before is not None:
        limit = TIME_RATIO * before
    ratio = None if before is None else values["here"] / before
    return {"page": page, "visit": visit, "measure": what, **values, "limit": limit, "ratio": ratio}


def show(lines: Sequence[dict[str, Any]]) -> None:
    columns = ("here", "before", "limit", "ratio")
    print(f"{'page':<9} {'visit':<14} {'measure':<11}" + "".join(f"{name:>9}" for name in columns))
    for one in lines:
        formats = dict.fromkeys(columns, ".0f" if one["measure"] == "statements" else ".3f") | {"ratio": ".3f"}
        values = (one.get(name) for name in columns)
        cells = (
            "-" if value is None else format(value, formats[name]) for name, value in zip(columns, values, strict=True)
        )
        print(f"{one['page']:<9} {one['visit']:<14} {one['measure']:<11}" + "".join(f"{cell:>9}" for cell in cells))


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("pages", __doc__)
    options.add_argument("--against", type=Path, metavar="CHECKOUT", help="a checkout of the earlier version")
    options.add_argument("--images", type=int, default=400)
    options.add_argument("--attributes", type=int, default=20)
    options.add_argument("--runs", type=int, default=5)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    options.against = checkout_at(options.against)
    checkouts = {"here": HERE} | ({"before": options.against} if options.against else {})
    with tempfile.TemporaryDirectory() as place:
        workspace = Path(place) / "made"
        size = ("--images", options.images, "--attributes", options.attributes)
        call(checkouts.get("before", HERE), "make", workspace, *size)
        lines = compare(checkouts, workspace, Path(place), options.runs)
    print(f"{machine()}; {options.attributes} attributes of {options.images:,} generated images")
    show(lines)
    if options.json:
        figures = {"machine": machine(), "images": options.images, "attributes": options.attributes, "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
