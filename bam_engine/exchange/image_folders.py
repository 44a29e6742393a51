"""Folders of images with their labels, as other programs read them.

Three layouts: Hugging Face's ``imagefolder``, a folder for each label of each attribute, and FiftyOne's
``FiftyOneImageClassificationDataset``. All list in ``missing_images.jsonl`` the images whose pictures are not there.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bam_engine.exchange.dataset import LABELS, NEGATIVE, POSITIVE, SPLITS
from bam_engine.exchange.image_files import Exported, Picture, Row, export_pictures, place
from bam_engine.exchange.image_table import LISTS, ImageTable
from bam_engine.progress import Report, silent

MISSING = "missing_images.jsonl"


@dataclass
class Written:
    """What an export of images has written.

    Attributes
    ----------
    tables
        Paths of the files with a row for each image.
    pictures
        Patterns of the paths of the pictures.
    digests
        Path → SHA-256 of files whose content is known.
    missing
        How many images have no picture in the export.
    """

    tables: list[str]
    pictures: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    missing: int = 0


def write_imagefolder(table: ImageTable, folder: Path, *, way: str = "copy", report: Report = silent) -> Written:
    """Write the layout that ``datasets.load_dataset("imagefolder", data_dir=…)`` reads.

    With splits, each has a folder with its pictures and its ``metadata.jsonl``; without, the pictures are in
    ``images``. ``metadata.jsonl`` has a line for each picture: its ``file_name``, and every column of the table. Its
    lists (tags, problems) are JSON text, since ``datasets`` takes splits with and without them for tables of other
    types.
    """
    parts = _parts(table)
    written = Written([f"{part}/metadata.jsonl" if part else "metadata.jsonl" for part in parts])
    written.pictures = [f"{part or 'images'}/*" for part in parts]

    def put(picture: Picture) -> str:
        path = f"{picture.row.get('split') or 'images'}/{picture.name}"
        place(picture, folder / path, way)
        return path

    for part in parts:
        (folder / (part or "images")).mkdir()
    with ExitStack() as files:
        lines = {
            part: files.enter_context((folder / path).open("w", encoding="utf-8"))
            for part, path in zip(parts, written.tables, strict=True)
        }
        for row, path in _with_pictures(table, put, folder, written, report):
            part = row.get("split") or ""
            written.digests[path] = row["sha256"]
            name = path.removeprefix(f"{part}/") if part else path
            lists = {column: json.dumps(row[column], ensure_ascii=False) for column in LISTS if column in row}
            _write_line(lines[part], {"file_name": name, **row, **lists})
    return written


def write_label_folders(table: ImageTable, folder: Path, *, way: str = "copy", report: Report = silent) -> Written:
    """Write a folder for each attribute, in it one for each split, if any, and there ``positive`` and ``negative``.

    Each is what ``torchvision.datasets.ImageFolder`` and Keras read. An image without one of these labels is in none;
    ``images.jsonl`` has a line for every image, with its ``files``. A copied picture takes room once, however many
    attributes it has: its further files are hard links to the first.
    """
    written = Written(["images.jsonl"], ["*/**/*.*"])
    names = [each.name for each in table.attributes]
    for name in names:
        for part in _parts(table):
            for label in (POSITIVE, NEGATIVE):
                (folder / name / part / label).mkdir(parents=True)

    def put(picture: Picture) -> list[str]:
        row = picture.row
        labels = [(name, row[f"{name}_label"]) for name in names]
        places = [Path(name, row.get("split") or "", label) for name, label in labels if label in (POSITIVE, NEGATIVE)]
        files = [(each / picture.name).as_posix() for each in places]
        for number, file in enumerate(files):
            if number == 0 or way == "link":
                place(picture, folder / file, way)
            else:
                (folder / file).hardlink_to(folder / files[0])
        return files

    with (folder / written.tables[0]).open("w", encoding="utf-8") as lines:
        for row, files in _with_pictures(table, put, folder, written, report):
            written.digests.update(dict.fromkeys(files, row["sha256"]))
            _write_line(lines, {"files": files, **row})
    return written


def write_fiftyone(table: ImageTable, folder: Path, *, way: str = "copy", report: Report = silent) -> Written:
    """Write FiftyOne's ``FiftyOneImageClassificationDataset``: pictures in ``data``, and ``labels.json``.

    Each split is such a dataset in a folder of its own. Of one attribute, an image's label is positive, negative or
    unsure; of several, it is the list of those that it has. Images about which nothing is decided have null.
    """
    parts = _parts(table)
    written = Written(["images.jsonl"], [f"{part}/data/*" if part else "data/*" for part in parts])
    for part in parts:
        (folder / part / "data").mkdir(parents=True)

    def put(picture: Picture) -> str:
        path = Path(picture.row.get("split") or "", "data", picture.name).as_posix()
        place(picture, folder / path, way)
        return path

    names = [each.name for each in table.attributes]
    classes = list(LABELS) if len(names) == 1 else names
    with ExitStack() as files:
        lines = files.enter_context((folder / written.tables[0]).open("w", encoding="utf-8"))
        labels = {
            part: files.enter_context((folder / part / "labels.json").open("w", encoding="utf-8")) for part in parts
        }
        begun = set()
        for file in labels.values():
            file.write(f'{{"classes": {json.dumps(classes)}, "labels": {{')
        for row, path in _with_pictures(table, put, folder, written, report):
            part = row.get("split") or ""
            target = json.dumps(_fiftyone_label(row, names, classes))
            labels[part].write((",\n" if part in begun else "\n") + f"{json.dumps(Path(path).stem)}: {target}")
            begun.add(part)
            written.digests[path] = row["sha256"]
            _write_line(lines, {"file": path, **row})
        for file in labels.values():
            file.write("\n}}\n")
    return written


def _fiftyone_label(row: Row, names: list[str], classes: list[str]) -> int | list[int] | None:
    """Return an image's label as the indices of its classes; None where nothing is decided."""
    labels = [row[f"{name}_label"] for name in names]
    if not any(labels):
        return None
    if len(names) == 1:
        return classes.index(labels[0])
    return [number for number, label in enumerate(labels) if label == POSITIVE]


def _parts(table: ImageTable) -> list[str]:
    """Return the folders of the splits, or one without a name."""
    return [""] if table.splits is None else list(SPLITS)


def _with_pictures(
    table: ImageTable, use: Callable[[Picture], Any], folder: Path, written: Written, report: Report
) -> Iterator[tuple[Row, Any]]:
    """Yield the rows that have a picture, with what ``use`` returned; list the others in ``missing_images.jsonl``."""
    file: IO[str] | None = None
    try:
        for each in export_pictures(table, use, report=report):
            if not each.problem:
                yield each.row, each.value
                continue
            file = file or (folder / MISSING).open("w", encoding="utf-8")
            _write_line(file, _missing(each))
            written.missing += 1
    finally:
        if file is not None:
            file.close()


def _missing(each: Exported[Any]) -> Row:
    return {"id": each.row["id"], "uri": each.row["uri"], "problem": each.problem}


def _write_line(file: IO[str], line: Row) -> None:
    file.write(json.dumps(line, ensure_ascii=False) + "\n")
