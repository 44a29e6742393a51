"""The derived files of a workspace: which are damaged, of other images, or belong to nothing.

Each folder of the cache has an owner, whose own reader says whether a file is right. A file that nothing owns, as an
earlier version or a model that is gone leaves it, is an orphan.
"""

import os
import re
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from bam_engine import derived
from bam_engine.errors import ImageUnreadable, NotFound
from bam_engine.files import ABANDONED, TEMPORARY
from bam_engine.formatting import count
from bam_engine.maintenance.finding import Finding, first_of
from bam_engine.maps import layout_store
from bam_engine.progress import Report
from bam_engine.training.models import all_models, cached_scores, latest_model, scores_file, scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection

Step = Callable[[str], None]
Files = Sequence[Path]

_TILE = re.compile(r"tiles/[0-9a-f]{2}/[0-9a-f]{40}\.tile")
_VECTOR_FILES = ("vectors.f16", "images.bin", "meta.json", "lock")
_SEALED = re.compile(r"(facets|near)/.*\.npz|(names|neighbours|uploads)/.*|title-words\.npz")
_OTHERS = re.compile(
    r"facets/.*\.bin|selections/.*|sprites/.*|CACHEDIR\.TAG"
)  # their readers check what they take from them


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
    owned: dict[str, list[Path]] = {name: [] for name in _OWNERS}
    sealed: list[Path] = []
    for file in files:
        name = file.relative_to(workspace.cache).as_posix()
        temporary, entry = TEMPORARY.fullmatch(file.name), name.partition("/")[0]
        if entry in owned and not temporary:
            owned[entry].append(file)
        elif _SEALED.fullmatch(name) and not temporary:
            sealed.append(file)
        else:
            if temporary or not _OTHERS.fullmatch(name):
                orphans.add(file)
            step("derived files")
    for entry, examine in _OWNERS.items():
        yield from examine(workspace, owned[entry], orphans, step)
    yield from _whole(sealed, step)
    if orphans:
        occupied = {folder for file in set(files) - orphans for folder in file.parents} | {workspace.cache}
        names = sorted({_topmost(file, occupied) for file in orphans})
        yield Finding(
            f"{count(len(orphans), 'file of the cache belongs', 'files of the cache belong')} to nothing"
            f"{first_of(names)}.",
            "Delete what belongs to nothing.",
            tuple(names),
        )


def _vectors(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    home = workspace.cache / "vectors"
    orphans.update(file for file in files if file.name not in _VECTOR_FILES or file.parent.parent != home)
    for folder in sorted({file.parent for file in files if file not in orphans}):
        store = workspace.vectors(folder.name)
        damaged = len(store.damaged())
        facts = [(store.others, "of other images"), (damaged, "damaged")]
        words = [f"{number:,} {kind}" for number, kind in facts if number]
        if (folder / "vectors.f16").exists() and not store.meta:
            words.append("of an encoder that is not known")
        if words:
            yield _finding_of_vectors(workspace, folder, " and ".join(words))
    for _ in files:
        step("vectors")


def _finding_of_vectors(workspace: Workspace, folder: Path, words: str) -> Finding:
    what = f"Vectors in {folder} are not those of the images: {words}."
    scores = tuple(scores_file(workspace, model) for model in all_models(workspace) if model.encoder == folder.name)
    if folder.name != workspace.choice.key:
        return Finding(what, "Delete them and their scores: another encoder is in use.", (folder, *scores))

    def embed_again(report: Report) -> None:
        embed_collection(workspace, report=report)
        _score_again(workspace, report)

    return Finding(what, "Embed these images again, and score all images.", scores, embed_again)


def _scores(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    models = {scores_file(workspace, model): model for model in all_models(workspace)}
    wrong = []
    for file in files:
        if file not in models:
            orphans.add(file)
        elif cached_scores(workspace, models[file]) is None:
            wrong.append(file)
        step("scores")
    if wrong:
        yield Finding(
            f"{count(len(wrong), 'score array is', 'score arrays are')} damaged or of other vectors{first_of(wrong)}.",
            "Score all images again.",
            tuple(wrong),
            lambda report: _score_again(workspace, report),
        )


def _score_again(workspace: Workspace, report: Report) -> None:
    for attribute in workspace.attributes.all():
        if latest_model(workspace, attribute) is not None:
            scores_of(workspace, attribute, report=report)


def _thumbnails(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    n = len(workspace.catalogue)
    wrong: dict[int, Path] = {}
    for file in files:
        row = int(file.stem) if file.stem.isascii() and file.stem.isdecimal() else n
        if row >= n or file != workspace.thumbnails.path(row):
            orphans.add(file)
        elif workspace.thumbnails.read(row) is None:
            wrong[row] = file
        step("thumbnails")
    if wrong:
        paths = list(wrong.values())
        yield Finding(
            f"{count(len(wrong), 'thumbnail is', 'thumbnails are')} damaged or of other images{first_of(paths)}.",
            "Make them again.",
            tuple(paths),
            lambda report: _draw_again(workspace, list(wrong), report),
        )


def _draw_again(workspace: Workspace, rows: Sequence[int], report: Report) -> None:
    for done, image in enumerate(workspace.catalogue.images(rows), 1):
        with suppress(ImageUnreadable):
            workspace.thumbnails.ensure(image.row, image.path)
        report(done, len(rows), "thumbnails")


def _layouts(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    home = workspace.cache / "layouts"
    orphans.update(file for file in files if file.parent == home)
    names = {file.relative_to(home).parts[0] for file in files if file.parent != home}
    for name in sorted(name for name in names if name != ".removed" and not name.endswith(".part")):
        try:
            layout_store.points_of(workspace, name)
        except NotFound:
            yield Finding(
                f"The map in {home / name} is damaged or of other images.",
                "Delete it, and make the map again.",
                (home / name,),
            )
    for _ in files:
        step("maps")


def _tiles(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    tiles = [file for file in files if _TILE.fullmatch(file.relative_to(workspace.cache).as_posix())]
    orphans.update(set(files).difference(tiles))
    for _ in range(len(files) - len(tiles)):
        step("tiles")
    return _whole(tiles, step)


def _whole(files: Files, step: Step) -> Iterator[Finding]:
    damaged = []
    for file in files:
        with suppress(FileNotFoundError):  # another process may remove what it no longer needs
            if not derived.is_whole(file.read_bytes()):
                damaged.append(file)
        step("derived files")
    if damaged:
        yield Finding(
            f"{count(len(damaged), 'derived file is', 'derived files are')} damaged{first_of(damaged)}.",
            "Delete them: they are made again when they are needed.",
            tuple(damaged),
        )


_OWNERS = {"vectors": _vectors, "scores": _scores, "thumbnails": _thumbnails, "layouts": _layouts, "tiles": _tiles}


def _topmost(orphan: Path, occupied: Container[Path]) -> Path:
    """Return the topmost folder that holds an orphan and none of the ``occupied`` folders, or the file itself."""
    while orphan.parent not in occupied:
        orphan = orphan.parent
    return orphan
