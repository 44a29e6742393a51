"""What it costs that everything derived says of which images it is, at millions of images.

Generated records, vectors, scores and a map, without pictures. Each task is what a page or a request does, in a flow of
its own, looked at three times in one process:

- first: nothing has been read yet;
- grown: 64 images were added and embedded since, as during an ingest or an embedding run;
- again: nothing has changed since.

The processor time is that of the process, in ms; unlike seconds, it hardly depends on what else the machine does. The
peers read the same bytes and check nothing.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.maps import layout_store, view_cache
from bam_engine.training.models import newest_model, scores_file, scores_of
from bam_engine.training.querying import query_pool
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import members
from bam_engine.workspace.vectors import missing_rows, vectors_state
from benchmarks.generated import collection, scored_attribute
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

MAP = "tsne-collection-x"
ADDED = 64
LOOKS = ("first", "grown", "again")
KNOWN = 5000  # files whose stamps are looked up at once

Task = Callable[[], object]


def tasks(workspace: Workspace, attribute: Attribute) -> dict[str, Task]:
    """Return what is timed, in the order in which a process meets it."""
    catalogue, folder = workspace.catalogue, layout_store.folder_of(workspace, MAP)
    scores = scores_file(workspace, newest_model(workspace, attribute))
    known = [f"/generated/{row}.jpg" for row in range(KNOWN)]
    return {
        "digests of all images": catalogue.digests,
        "version of all pictures, of every page view": lambda: workspace.picture_version,
        "which images are in the collection, and have files": lambda: (members(workspace), catalogue.present()),
        f"stamps of {KNOWN:,} known files, of an ingest": lambda: catalogue.stamps_at(known),
        "vectors: whose they are": lambda: len(workspace.vectors()),
        "vectors: their state": lambda: vectors_state(workspace),
        "vectors: images without one": lambda: missing_rows(workspace),
        "scores of an attribute": lambda: scores_of(workspace, attribute),
        "  peer: np.load, mapped": lambda: np.load(scores, mmap_mode="r"),
        "gallery: listing by score": lambda: list_images(workspace, Query(attribute=attribute.name, place="all")),
        "map: its points": lambda: layout_store.points_of(workspace, MAP),
        "  peer: np.load of the points": lambda: [np.load(file) for file in folder.glob("*.npy")],
        "map: version of its tiles": lambda: view_cache.map_version(workspace, MAP),
        "round: images that it may query": lambda: query_pool(workspace, attribute),
    }


def prepare(home: Path, n: int, dim: int) -> None:
    """Make the collection, unless the folder has it from an earlier run."""
    if (home / "workspace").exists():
        return
    workspace = collection(home, n, dim=dim)
    scored_attribute(workspace, "one", seed=1)
    record = layout_store.LayoutRecord(MAP, "tsne", "collection", workspace.choice.key, n, 0, 0.0, time.time())
    places = np.random.default_rng(0).random((n, 2), np.float32)
    layout_store.save(workspace, record, places, np.arange(n), {})
    workspace.close()


def grow(home: Path) -> None:
    """Add images, with vectors, as another process does."""
    workspace = Workspace(home / "workspace", home / "cache")
    first = len(workspace.catalogue)
    added = [
        {"row": row, "uri": f"/added/{row}.jpg", "digest": f"{row:032x}".ljust(64, "1"), "width": 200, "height": 160}
        for row in range(first, first + ADDED)
    ]
    with workspace.engine.begin() as connection:
        connection.execute(sa.insert(db.images).values(status="ok", made_at=db.now()), added)
    vectors = np.random.default_rng(first).normal(size=(ADDED, workspace.vectors().dim)).astype(np.float32)
    workspace.vectors().append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    workspace.close()


def look(workspace: Workspace, attribute: Attribute) -> dict[str, float]:
    """Return the processor time of each task in ms."""
    spent = {}
    for name, task in tasks(workspace, attribute).items():
        with workspace.reading():
            begin = time.process_time()
            task()
            spent[name] = 1000 * (time.process_time() - begin)
    return spent


def measure(home: Path, n: int, dim: int) -> dict[str, Any]:
    prepare(home, n, dim)
    workspace = Workspace(home / "workspace", home / "cache")
    attribute = workspace.attributes.get("one")
    looks = [look(workspace, attribute)]
    grow(home)
    looks += [look(workspace, attribute), look(workspace, attribute)]
    workspace.close()
    lines = {name: dict(zip(LOOKS, (each[name] for each in looks), strict=True)) for name in looks[0]}
    return {"machine": machine(), "data": "generated", "n": n, "dim": dim, "lines": lines}


def show(figures: dict[str, Any]) -> None:
    print(figures["machine"])
    print(f"{figures['n']:,} generated images, vectors of {figures['dim']} numbers; processor time in ms\n")
    print(f"{'':<54}" + "".join(f"{name:>10}" for name in LOOKS))
    for what, spent in figures["lines"].items():
        print(f"{what:<54}" + "".join(f"{spent[name]:>10,.1f}" for name in LOOKS))


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("identity", __doc__)
    options.add_argument("--n", type=int, default=2_500_000, help="images (default: %(default)s)")
    options.add_argument("--dim", type=int, default=64, help="numbers in a vector (default: %(default)s)")
    options.add_argument("--home", type=Path, help="folder that keeps the collection for later runs")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        figures = measure(options.home or Path(temporary), options.n, options.dim)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
