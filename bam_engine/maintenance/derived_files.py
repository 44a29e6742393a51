"""The derived files of a workspace: which are damaged, of other images, or belong to nothing.

Each kind of file has an owner, whose own reader says whether a file is right. A file that nothing owns, as an earlier
version or a model that is gone leaves it, is an orphan.
"""

import os
import re
import time
from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from bam_engine import derived
from bam_engine.files import ABANDONED, TEMPORARY
from bam_engine.formatting import count
from bam_engine.gallery import near_duplicates
from bam_engine.maintenance import maps, pictures, selections, vectors
from bam_engine.maintenance.finding import Files, Finding, Remake, Step, first_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.core import SWEPT

Examine = Callable[[Workspace, Files, set[Path], Step], Iterator[Finding]]
"""Yields what is damaged among the files of one kind, and adds those that belong to nothing to the orphans."""


MakeRemake = Callable[[Workspace, Files], Remake | None]


def _nothing(workspace: Workspace, damaged: Files) -> None:
    """Make nothing again: that happens when it is next needed."""


def files_of(workspace: Workspace) -> list[Path]:
    """Return all derived files of a workspace, but those that somebody may be writing."""
    files, before = [], time.time() - ABANDONED
    for folder, _, names in os.walk(workspace.cache):
        for path in (Path(folder, name) for name in names):
            with suppress(OSError):
                if not TEMPORARY.fullmatch(path.name) or path.stat().st_mtime < before:
                    files.append(path)
    return sorted(files)


def check(workspace: Workspace, files: Files, step: Step) -> Iterator[Finding]:
    """Yield what is damaged among ``files``; ``step`` is called after each."""
    orphans: set[Path] = set()
    owned: dict[Examine, list[Path]] = {examine: [] for _, examine in _KINDS}
    for file in files:
        name = file.relative_to(workspace.cache).as_posix()
        owner = next((examine for pattern, examine in _KINDS if pattern.fullmatch(name)), None)
        if owner is None or TEMPORARY.fullmatch(file.name):
            orphans.add(file)
            step("derived files")
        else:
            owned[owner].append(file)
    for examine, of_one_kind in owned.items():
        yield from examine(workspace, of_one_kind, orphans, step)
    if orphans:
        occupied = {folder for file in set(files) - orphans for folder in file.parents} | {workspace.cache}
        names = sorted({_topmost(file, occupied) for file in orphans})
        yield Finding(
            f"{count(len(orphans), 'file of the cache belongs', 'files of the cache belong')} to nothing"
            f"{first_of(names)}.",
            "Delete what belongs to nothing.",
            tuple(names),
        )


def _sealed(
    cure: str, workspace: Workspace, files: Files, orphans: set[Path], step: Step, *, remake: MakeRemake = _nothing
) -> Iterator[Finding]:
    """Examine files that say themselves whether they are whole."""
    damaged = []
    for file in files:
        with suppress(FileNotFoundError):  # another process may remove what it no longer needs
            if not derived.is_whole(file.read_bytes()):
                damaged.append(file)
        step("derived files")
    if damaged:
        yield Finding(
            f"{count(len(damaged), 'derived file is', 'derived files are')} damaged{first_of(damaged)}.",
            cure,
            tuple(damaged),
            remake(workspace, damaged),
        )


def _search_again(workspace: Workspace, damaged: Files) -> Remake | None:
    """Return the search for near-duplicates, if the groups of the encoder in use are damaged."""
    if workspace.cache / "near" / workspace.choice.key / "groups.npz" in damaged:
        return lambda report: near_duplicates.find_groups(workspace, report=report)
    return None


def _is_right(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    """Examine nothing: whatever these files hold, nothing is taken from them."""
    for _ in files:
        step("derived files")
    yield from ()


_MADE_WHEN_NEEDED = partial(_sealed, "Delete them: they are made again when they are needed.")
_KINDS: tuple[tuple[re.Pattern[str], Examine], ...] = (
    (re.compile(r"vectors/.*"), vectors.vectors),
    (re.compile(r"scores/.*"), vectors.scores),
    (re.compile(r"thumbnails/.*"), pictures.thumbnails),
    (re.compile(r"sprites/24\.bin"), pictures.sprites),
    (re.compile(r"facets/looked-2\.bin"), pictures.colours_and_dates),
    (re.compile(r"facets/measured-1\.bin"), pictures.measures),
    (re.compile(r"layouts/.*"), maps.layouts),
    (re.compile(r"selections/[0-9a-f]{20}\.npy"), selections.selections),
    (re.compile(r"tiles/[0-9a-f]{2}/[0-9a-f]{40}\.tile"), _MADE_WHEN_NEEDED),
    (re.compile(r"facets/((project|licence|format)s-\d+|dimensions-1)\.npz"), _MADE_WHEN_NEEDED),
    (re.compile(r"names/names-[^/]+\.txt"), _MADE_WHEN_NEEDED),
    (re.compile(r"neighbours/[^/]+\.npz|title-words\.npz"), _MADE_WHEN_NEEDED),
    (
        re.compile(r"bam/[0-9a-f]{20}/[a-z]+\.(npy|npz|json)"),
        partial(_sealed, "Delete them, and read BAM's file again: `bam ingest bam FILE`."),
    ),
    (
        re.compile(r"near/[^/]+/((groups|tables)\.npz|outlines\.npy)"),
        partial(_sealed, "Delete them, and search for near-duplicates again.", remake=_search_again),
    ),
    (
        re.compile(r"uploads/[^/]+/[0-9a-f]{20}\.npz"),
        partial(_sealed, "Delete them. To search by these pictures, upload them again."),
    ),
    (re.compile(rf"CACHEDIR\.TAG|{SWEPT}"), _is_right),
)
"""The files that the program writes, and who says whether one is right."""


def _topmost(orphan: Path, occupied: Container[Path]) -> Path:
    """Return the topmost folder that holds an orphan and none of the ``occupied`` folders, or the file itself."""
    while orphan.parent not in occupied:
        orphan = orphan.parent
    return orphan
