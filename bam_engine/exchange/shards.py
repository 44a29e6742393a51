"""The images of a dataset as WebDataset shards: tar files of pictures, each followed by its row as JSON."""

import io
import json
import tarfile
from pathlib import Path

from bam_engine.exchange.image_files import Picture, export_pictures
from bam_engine.exchange.image_folders import MISSING, Written
from bam_engine.exchange.image_table import ImageTable
from bam_engine.progress import Report, silent

IMAGES, BYTES = 10_000, 500_000_000
"""A shard is full with this many images, or this much of pictures."""


class _Shards:
    """The shards of one split: the open one, and how full it is."""

    def __init__(self, folder: Path, split: str) -> None:
        self._folder, self._split = folder, split
        self._file: tarfile.TarFile | None = None
        self.count = self._images = self._bytes = 0

    def add(self, picture: Picture, *, images: int, size: int) -> None:
        if self._file is None or self._images >= images or self._bytes >= size:
            self.close()
            path = self._folder / f"{self._split}-{self.count:06d}.tar"
            self._file = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
            self.count += 1
            self._images = self._bytes = 0
        key = Path(picture.name).stem
        row = json.dumps(picture.row, ensure_ascii=False).encode()
        for name, data in ((picture.name, picture.data), (f"{key}.json", row)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)  # no time and no owner: the same dataset makes the same shards
            self._file.addfile(entry, io.BytesIO(data))
        self._images += 1
        self._bytes += len(picture.data)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def write_webdataset(
    table: ImageTable, folder: Path, *, images: int = IMAGES, size: int = BYTES, report: Report = silent
) -> Written:
    """Write shards ``train-000000.tar`` of each split, or ``images-000000.tar``, that ``webdataset`` reads.

    Each image is a picture and a ``.json`` with every column of the table, under one key without dots.
    ``missing_images.jsonl`` lists the images whose pictures are not there.
    """
    shards: dict[str, _Shards] = {}
    missing = []
    try:
        for each in export_pictures(table, lambda picture: picture, report=report):
            if each.value is None:
                missing.append({"id": each.row["id"], "uri": each.row["uri"], "problem": each.problem})
                continue
            split = each.row.get("split") or "images"
            shards.setdefault(split, _Shards(folder, split)).add(each.value, images=images, size=size)
    finally:
        for each_split in shards.values():
            each_split.close()
    if missing:
        lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in missing)
        (folder / MISSING).write_text(lines, encoding="utf-8")
    return Written([], [f"{split}-*.tar" for split in shards], missing=len(missing))
