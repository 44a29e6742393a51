"""Near-duplicates: how many copies of real pictures are found, of each kind, and which different pictures are grouped.

All real pictures are added to a workspace with copies of some of them, embedded, and searched as a user does. A copy is
found if it is in the group of its original. The other figure counts originals that are grouped with another original,
by whether these show one design (one emoji in several styles) or different ones. The pictures hold a few real
duplicates, which count as grouped too.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bam_engine.collection import ingest_folder
from bam_engine.embedding import encoder_key
from bam_engine.gallery import near_duplicates
from bam_engine.learning import clopper_pearson
from bam_engine.workspace import Workspace
from bam_engine.workspace.encoders import EncoderChoice
from bam_engine.workspace.vectors import embed_collection
from benchmarks.copied_pictures import KINDS, write_copies
from benchmarks.embedding_rate import SHARED
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser
from benchmarks.pictures import said_missing


def measure(encoder: str, copied: int, folder: Path, *, seed: int = 0) -> dict[str, Any]:
    """Search all real pictures with copies of ``copied`` of them, drawn evenly from each source."""
    pictures, folder = (SHARED / "images").resolve(), folder.resolve()
    labels = pd.read_csv(pictures / "labels.csv")
    source = labels["path"].str.split("/").str[0].to_numpy()
    rng, names = np.random.default_rng(seed), np.unique(source)
    chosen = np.concatenate(
        [rng.choice(np.flatnonzero(source == name), copied // len(names), replace=False) for name in names]
    )
    paths = [pictures / path for path in labels["path"]]
    written = write_copies([paths[place] for place in chosen], folder / "copies", seed=seed)
    workspace = Workspace(folder / "workspace", folder / "cache")
    workspace.encoders.choose(EncoderChoice(encoder, None, encoder_key(encoder)))
    for added in (pictures, folder / "copies"):
        ingest_folder(workspace.catalogue, workspace.thumbnails, added)
    embed_collection(workspace)
    begin = time.perf_counter()
    near_duplicates.find_groups(workspace)
    seconds = time.perf_counter() - begin
    rows = workspace.catalogue.rows_of({str(path) for path in [*paths, *(file for file, _, _ in written)]})
    groups, linked = near_duplicates.group_of(workspace), near_duplicates.linked_images(workspace)
    row_of = np.array([rows.get(str(path), -1) for path in paths])  # -1: the bytes of another picture
    found = _found(written, rows, row_of[chosen], groups, linked)
    there = row_of >= 0
    counted = _grouped(groups[row_of[there]], source[there], labels["project"].to_numpy()[there])
    sizes = np.bincount(linked[row_of[there]])
    workspace.close()
    figures = {"machine": machine(), "encoder": encoder, "images": len(groups), "copied": len(chosen)}
    return figures | {"seconds": seconds, "kinds": found, "originals": counted, "largest_linked": int(sizes.max())}


def _found(
    written: list[tuple[Path, int, str]], rows: dict[str, int], originals: Any, groups: Any, linked: Any
) -> list[dict[str, Any]]:
    """Return a line for each kind of copy; a copy with the bytes of another file is no image and does not count."""
    lines = []
    for kind in KINDS:
        pairs = [
            (rows[str(file)], originals[place]) for file, place, one in written if one == kind and str(file) in rows
        ]
        hits = sum(int(groups[copy] == groups[original]) for copy, original in pairs)
        split = sum(int(linked[copy] == linked[original]) for copy, original in pairs)
        limits = asdict(clopper_pearson(hits, len(pairs), 0.95))
        lines.append({"kind": kind, "copies": len(pairs), "found": hits, "linked": split, **limits})
    return lines


def _grouped(groups: Any, source: Any, projects: Any) -> list[dict[str, Any]]:
    """Return, for each source, how many of its originals are grouped with another one, of their design or of others."""
    about = pd.DataFrame({"group": groups, "source": source, "project": projects})
    inside = about.groupby("group")
    about["others"] = inside["group"].transform("size") - 1
    about["different"] = inside["project"].transform("nunique") - 1
    lines = []
    for name, of_source in about.groupby("source"):
        different = int((of_source["different"] > 0).sum())
        limits = asdict(clopper_pearson(different, len(of_source), 0.95))
        grouped = int((of_source["others"] > 0).sum())
        line = {"source": name, "images": len(of_source), "grouped": grouped, "different": different}
        lines.append(line | limits | {"largest": int(of_source["others"].max()) + 1})
    return lines


def show(figures: dict[str, Any]) -> None:
    print(figures["machine"])
    print(f"{figures['images']:,} images by {figures['encoder']}, searched in {figures['seconds']:.0f} s")
    print(f"\n{'copies':<26}{'number':>8}{'found':>8}{'95% interval':>16}{'on one side':>13}")
    for line in figures["kinds"]:
        n = line["copies"]
        interval = f"{line['low']:.3f}-{line['high']:.3f}"
        print(f"{line['kind']:<26}{n:>8}{line['found'] / n:>8.3f}{interval:>16}{line['linked'] / n:>13.3f}")
    print(
        f"\n{'originals':<18}{'number':>8}{'grouped':>9}{'with another design':>21}{'95% interval':>16}{'largest':>9}"
    )
    for line in figures["originals"]:
        interval = f"{line['low']:.3f}-{line['high']:.3f}"
        share = line["different"] / line["images"]
        print(
            f"{line['source']:<18}{line['images']:>8}{line['grouped']:>9}{share:>21.3f}{interval:>16}{line['largest']:>9}"
        )
    print(f"the most originals that splits keep together by way of others: {figures['largest_linked']}")


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("duplicates", __doc__)
    options.add_argument("--encoder", choices=["combined", "builtin"], default="combined")
    options.add_argument("--copied", type=int, default=150, help="pictures that are copied, once by each kind")
    options.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="leave the workspace and the copies in this folder"
    )
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if said_missing([options.encoder]):
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(options.encoder, options.copied, options.keep or Path(folder))
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
