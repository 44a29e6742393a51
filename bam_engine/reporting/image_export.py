"""Exports of the images with their labels, for training and for other tools: tables, folders of images, shards.

Each has a data card, Croissant metadata and a manifest. Which images and labels it holds: :mod:`.image_contents`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from bam_engine import __version__
from bam_engine.errors import ExchangeError
from bam_engine.exchange.croissant import write_croissant
from bam_engine.exchange.image_files import WAYS
from bam_engine.exchange.image_folders import Written, write_fiftyone, write_imagefolder, write_label_folders
from bam_engine.exchange.manifest import MANIFEST, write_manifest
from bam_engine.exchange.shards import write_webdataset
from bam_engine.exchange.table_files import write_jsonl, write_parquet
from bam_engine.exchange.targets import CARD, CROISSANT, NOTICE, Target
from bam_engine.progress import Report, silent
from bam_engine.reporting.data_card import card_of, card_text, describe
from bam_engine.reporting.image_contents import Content, Gathered, gather_images
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_encoder

TABLE_FORMATS = {"parquet": write_parquet, "jsonl": write_jsonl}
"""The formats that are one file, by the end of its name."""

FOLDER_FORMATS: Mapping[str, Callable[..., Written]] = {
    "imagefolder": write_imagefolder,
    "folders": write_label_folders,
    "fiftyone": write_fiftyone,
    "webdataset": write_webdataset,
}
"""The formats that are a folder with the pictures."""

FORMATS = (*TABLE_FORMATS, *FOLDER_FORMATS)


@one_encoder
def export_images(
    workspace: Workspace,
    target: Path,
    *,
    form: str,
    content: Content,
    encoders: Mapping[str, str] = MappingProxyType({}),
    pictures: str = "copy",
    report: Report = silent,
) -> list[Path]:
    """Write the images with their labels as ``form``, with their data card, metadata and manifest.

    Returns the files, or the folder if it is one with pictures. ``encoders`` is as for
    :func:`bam_engine.reporting.export.export`; ``pictures`` says how pictures come into a folder, see ``WAYS``.

    Raises
    ------
    ExchangeError
        There is nothing to write, the target exists or cannot be written, or the content is contradictory.
    NotFound
        There is no attribute of a given name.
    """
    place = Target(target, single=form in TABLE_FORMATS)
    if place.single and target.suffix.lower() != f".{form}":
        raise ExchangeError(f"The export is one file, whose name ends in .{form}. {target.name} does not.")
    if pictures not in WAYS:
        raise ExchangeError(f"Pictures cannot come as {pictures!r}. Choose {', '.join(WAYS[:-1])} or {WAYS[-1]}.")
    place.check()
    gathered = gather_images(workspace, content, encoders, report=report)
    with place.writing() as folder:
        written = _write(gathered, folder, form, target.name, pictures, report)
        _write_companions(workspace, gathered, content, place, folder, written, form, report)
        names = sorted(file.name for file in folder.iterdir())
    if not place.single:
        return [target]
    return [target, *(target.with_name(name) for name in names if name != target.name)]


def _write(gathered: Gathered, folder: Path, form: str, name: str, pictures: str, report: Report) -> Written:
    """Write the images themselves; return what was written."""
    if form in TABLE_FORMATS:
        TABLE_FORMATS[form](gathered.table, folder / name, report=report)
        return Written([name])
    if form == "webdataset":
        return write_webdataset(gathered.table, folder, report=report)
    return FOLDER_FORMATS[form](gathered.table, folder, way=pictures, report=report)


def _write_companions(
    workspace: Workspace,
    gathered: Gathered,
    content: Content,
    place: Target,
    folder: Path,
    written: Written,
    form: str,
    report: Report,
) -> None:
    """Write the data card, the metadata and, last, the manifest."""
    card = card_of(workspace, gathered, content, name=place.path.stem, form=form, missing=written.missing)
    description = describe(card)
    (folder / place.name(CARD)).write_text(card_text(card, description), encoding="utf-8")
    if card.generated:
        (folder / place.name(NOTICE)).write_text(card.generated, encoding="utf-8")
    write_croissant(
        folder,
        place.name(CROISSANT),
        gathered.table,
        description,
        tables=written.tables,
        others=written.pictures,
    )
    write_manifest(folder, place.name(MANIFEST), version=__version__, known=written.digests, report=report)
