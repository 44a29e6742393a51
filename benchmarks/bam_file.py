"""BAM's SQLite file at its published size, read in: seconds and memory of each step.

The file is generated (``--keep`` leaves it, to be tried by hand). Its modules are read as a list of URLs, as ``bam urls
download`` does before it asks for any; 1,000 images are chosen by three scores, as by ``bam urls best``; it is read
into arrays, as by ``bam ingest bam``, and images are found in them by three scores; then its answers and captions are
imported into a collection that has all of its images, and once more, when all are known.
Nothing is downloaded: the images of that collection are records without files. Each step runs in a process of its own,
of which the memory is the most that it held.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bam_engine.collection import bam_file
from bam_engine.database import images
from bam_engine.download import best_of
from bam_engine.download.lists import read_list
from bam_engine.download.statuses import Statuses
from bam_engine.labelling.bam_answers import import_bam
from bam_engine.published import Query, find, lines_of, make_arrays, opened
from bam_engine.workspace import Workspace
from benchmarks.bam_tables import Size, write_bam_file
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

AIM = 180.0  # seconds, for all that is read
MEMORY = 2e9  # bytes
FILE = "bam.sqlite"
_BLOCK = 50_000


def writing(home: Path, share: float) -> dict[str, int]:
    """Generate the file."""
    write_bam_file(home / FILE, Size().times(share))
    return {}


def reading(home: Path, _share: float) -> dict[str, int]:
    """Read the modules as a list of URLs."""
    folder = home / "list"
    folder.mkdir()
    statuses = Statuses(folder)
    for _ in statuses.add(read_list(home / FILE)):
        pass
    counts = statuses.counts()
    statuses.close()
    return {"URLs": counts.urls, "failed": counts.failed}


def choosing(home: Path, _share: float) -> dict[str, int]:
    """Choose the images that three scores put first."""
    found = best_of(home / FILE, ("media_watercolor", "content_cat"), without=("content_people",), count=1_000)
    return {"images": len(found.lines)}


def deriving(home: Path, _share: float) -> dict[str, int]:
    """Read the file into the arrays that are browsed."""
    workspace = _workspace(home)
    arrays = make_arrays(workspace, home / FILE)
    workspace.close()
    return {"images": len(arrays), "attributes": len(arrays.scored)}


def finding(home: Path, _share: float) -> dict[str, int]:
    """Find images by three scores in the arrays, and read the first window of them."""
    workspace = _workspace(home)
    arrays = opened(workspace)
    query = Query(yes=("media_watercolor", "content_cat"), no=("content_people",), place_from=0.9)
    found = find(workspace, arrays, query)
    window = list(lines_of(arrays, found.positions[:200], query.names))
    workspace.close()
    return {"found": len(found), "in the first window": len(window)}


def collecting(home: Path, _share: float) -> dict[str, int]:
    """Make a record of each module, as if its picture had been downloaded."""
    workspace = _workspace(home)
    records = iter(_records(home / FILE))
    with workspace.engine.begin() as connection:
        while block := list(islice(records, _BLOCK)):
            connection.execute(sa.insert(images), block)
    workspace.close()
    return {}


def _records(file: Path) -> Iterator[dict[str, Any]]:
    for row, (url, project, license_, mature) in enumerate(bam_file.modules(file)):
        yield {
            "row": row,
            "uri": f"/downloads/{row}.jpg",
            "project_id": str(project),
            "width": 600,
            "height": 400,
            "digest": f"{row:064x}",
            "mature_content": bool(mature),
            "license": license_,
            "status": "missing",
            "url": url,
            "made_at": "2020",
        }


def importing(home: Path, _share: float) -> dict[str, int]:
    """Import the answers and the captions."""
    workspace = _workspace(home)
    imported = import_bam(workspace, home / FILE)
    people = len(workspace.annotators.all())
    workspace.close()
    known = imported.answers.repeated + imported.known_captions
    return {"answers": imported.answers.new, "captions": imported.captions, "known": known, "annotators": people}


def _workspace(home: Path) -> Workspace:
    return Workspace(home / "workspace", home / "cache")


STEPS: dict[str, Callable[[Path, float], dict[str, int]]] = {
    "the file": writing,
    "modules as a list of URLs": reading,
    "best by three scores": choosing,
    "arrays to browse": deriving,
    "found by three scores": finding,
    "records of all modules": collecting,
    "answers and captions": importing,
    "answers and captions again": importing,
}
_PREPARED = ("the file", "records of all modules")  # steps that are not measured


def child(step: str, home: Path, share: float) -> None:
    """Run one step and print its figures."""
    begin, busy = time.perf_counter(), time.process_time()
    found = STEPS[step](home, share)
    spent = {"seconds": time.perf_counter() - begin, "processor": time.process_time() - busy}
    print(json.dumps({**spent, "bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "found": found}))


def measure(home: Path, share: float) -> list[dict[str, Any]]:
    """Run the steps; return the figures of those that are measured."""
    lines = []
    for step in STEPS:
        options = ["--child", step, "--home", str(home), "--share", str(share)]
        command = [sys.executable, "-m", "benchmarks.bam_file", *options]
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        lines.append({"step": step, **json.loads(out.splitlines()[-1])})
    return [line for line in lines if line["step"] not in _PREPARED]


def show(lines: Sequence[dict[str, Any]], file: Path) -> None:
    print(f"{machine()}\na generated file of {file.stat().st_size / 1e6:,.0f} MB\n")
    print(f"{'':<28}{'seconds':>9}{'processor':>11}{'MB':>7}")
    for line in lines:
        found = ", ".join(f"{number:,} {name}" for name, number in line["found"].items())
        print(f"{line['step']:<28}{_figures(line['seconds'], line['processor'], line['bytes'])}  {found}")
    once = lines[:-1]
    seconds, processor = (sum(line[name] for line in once) for name in ("seconds", "processor"))
    print(f"{'all of it, once':<28}{_figures(seconds, processor, max(line['bytes'] for line in once))}")
    print(f"{'aim':<28}{AIM:>9.1f}{'':>11}{MEMORY / 1e6:>7,.0f}")


def _figures(seconds: float, processor: float, memory: float) -> str:
    return f"{seconds:>9.1f}{processor:>11.1f}{memory / 1e6:>7,.0f}"


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("bam_file", __doc__)
    options.add_argument("--share", type=float, default=1.0, help="of BAM's size (default: %(default)s)")
    options.add_argument("--keep", type=Path, metavar="FILE", help="leave the generated file here")
    options.add_argument("--child", choices=list(STEPS), help=argparse.SUPPRESS)
    options.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if options.child:
        child(options.child, options.home, options.share)
        return
    with tempfile.TemporaryDirectory(prefix="bam-file-") as temporary:
        home = Path(temporary)
        lines = measure(home, options.share)
        show(lines, home / FILE)
        if options.keep:
            (home / FILE).replace(options.keep)
    if options.json:
        figures = {"share": options.share, "data": "generated", "machine": machine(), "steps": lines}
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
