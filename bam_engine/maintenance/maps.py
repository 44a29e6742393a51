"""The check of maps: their points, their models, the names of their regions, and unfinished ones."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bam_engine import derived
from bam_engine.errors import NotFound
from bam_engine.formatting import count
from bam_engine.maintenance.finding import Files, Finding, Step, first_of
from bam_engine.maps import layout_builder, layout_store, regions
from bam_engine.maps.layout_store import LayoutRecord
from bam_engine.progress import Report
from bam_engine.workspace import Workspace

_PART, _REMOVED = ".part", ".removed"


def layouts(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    """Examine all maps, and the deleted one that can be restored."""
    home = workspace.cache / "layouts"
    folders: dict[Path, list[Path]] = {}
    for file in files:
        name, *rest = file.relative_to(home).parts
        deleted = name == _REMOVED
        if len(rest) == 1 + deleted:
            folders.setdefault(home / name / rest[0] if deleted else home / name, []).append(file)
        else:
            orphans.add(file)
        step("maps")
    parts = []
    for folder, own in sorted(folders.items()):
        if folder.name.endswith(_PART):
            parts += [file for file in own if not _is_whole_part(file)]
        elif folder.parent == home:
            yield from _map(workspace, folder, own, orphans)
        elif not layout_store.is_whole(folder):
            yield Finding(f"The deleted map in {folder} is damaged.", "Delete it for good.", (folder,))
    if parts:
        yield Finding(
            f"{count(len(parts), 'file', 'files')} of unfinished maps "
            f"{'is' if len(parts) == 1 else 'are'} damaged{first_of(parts)}.",
            "Delete them: the maps are computed again from there.",
            tuple(parts),
        )


def _is_whole_part(file: Path) -> bool:
    """Return whether a file of an unfinished map is whole; its places are compared when the map is resumed."""
    try:
        if file.suffix == ".json":
            json.loads(file.read_bytes())
        return file.suffix != ".npz" or derived.is_whole(file.read_bytes())
    except (OSError, ValueError):
        return False


def _map(workspace: Workspace, folder: Path, files: Files, orphans: set[Path]) -> Iterator[Finding]:
    try:
        record = layout_store.layout_of(workspace, folder.name)
    except NotFound:
        what = f"The map in {folder} is damaged or of other images."
        yield Finding(what, "Delete it, and make the map again.", (folder,))
        return
    orphans.update(file for file in files if file.name not in {*record.files, regions.FILE})
    if not layout_store.is_whole(folder):
        what = f"The map “{record.title}” in {folder} is damaged."
        if record.scope == "collection" and record.encoder == workspace.choice.key:
            yield Finding(what, "Make it again.", remake=partial(_make_again, workspace, record))
        else:
            yield Finding(what, "Delete it, and make the map again.", (folder,))
    elif not regions.are_whole(workspace, folder.name):
        what = f"The names of the regions of the map “{record.title}” are damaged: {folder / regions.FILE}."
        yield Finding(what, "Delete them: they are made again when they are needed.", (folder / regions.FILE,))


def _make_again(workspace: Workspace, record: LayoutRecord, report: Report) -> None:
    layout_builder.build(
        workspace,
        method=record.method,
        scope=record.scope,
        attributes=record.attributes,
        by=record.by or "rank",
        seed=record.seed,
        report=report,
    )
