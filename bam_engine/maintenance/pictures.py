"""The check of what is made of single images: thumbnails, sprites, colours, dates and measures."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image

from bam_engine.errors import ImageUnreadable
from bam_engine.formatting import count
from bam_engine.gallery import facets, problems
from bam_engine.gallery.record_file import RecordFile
from bam_engine.maintenance.finding import Files, Finding, Step, first_of
from bam_engine.progress import Report
from bam_engine.workspace import Workspace


def thumbnails(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    """Examine all thumbnails."""
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
            partial(_draw_again, workspace, list(wrong)),
        )


def sprites(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    """Examine the smallest pictures, which are in one file."""
    for file in files:
        rows = workspace.sprites.damaged()
        if rows:
            yield Finding(
                f"{count(len(rows), 'picture', 'pictures')} of maps in {file} "
                f"{'is' if len(rows) == 1 else 'are'} damaged or of other images.",
                "Make them again.",
                remake=partial(_pack_again, workspace, rows),
            )
        step("pictures of maps")


def colours_and_dates(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    """Examine what was read from thumbnails and files to filter by."""
    yield from _records(workspace, files, step, facets.LOOKED, "colours and dates", facets.scan)


def measures(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    """Examine what was measured to find problems of pictures."""
    yield from _records(workspace, files, step, problems.MEASURED, "measures", problems.scan)


def _records(
    workspace: Workspace,
    files: Files,
    step: Step,
    records: RecordFile,
    what: str,
    again: Callable[..., object],
) -> Iterator[Finding]:
    for file in files:
        wrong = records.damaged(workspace)
        if wrong:
            yield Finding(
                f"{what.capitalize()} of {count(wrong, 'image')} in {file} are damaged or of other images.",
                "Read them again.",
                remake=lambda report: again(workspace, report=report),
            )
        step(what)


def _draw_again(workspace: Workspace, rows: Sequence[int], report: Report) -> None:
    for done, image in enumerate(workspace.catalogue.images(rows), 1):
        with suppress(ImageUnreadable):
            workspace.thumbnails.ensure(image.row, image.path)
        report(done, len(rows), "thumbnails")


def _pack_again(workspace: Workspace, rows: Sequence[int], report: Report) -> None:
    workspace.sprites.clear(rows)
    known = [row for row in rows if row < len(workspace.catalogue)]
    for done, image in enumerate(workspace.catalogue.images(known), 1):
        with suppress(ImageUnreadable):
            content = workspace.thumbnails.ensure(image.row, image.path)
            with Image.open(BytesIO(content), formats=("WEBP",)) as thumbnail:
                workspace.sprites.pack(image.row, thumbnail)
        report(done, len(known), "pictures of maps")
