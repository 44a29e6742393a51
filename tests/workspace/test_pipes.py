"""A pipe in the place of an image's file blocks nobody who reads it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bam_engine.collection import ingest_folder, read_image
from bam_engine.collection.appearance import FILE, day_of
from bam_engine.collection.digests import of_files
from bam_engine.collection.images import examine
from bam_engine.errors import ImageUnreadable
from bam_engine.maintenance import check
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection
from web.routes.images import large_picture


def test_no_reader_waits_for_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    with ThreadPoolExecutor(1) as pool:  # a reader that waits would be left behind
        for read in (read_image, examine, large_picture):
            with pytest.raises(ImageUnreadable, match="it is not an ordinary file"):
                pool.submit(read, path).result(20)
        assert pool.submit(day_of, path).result(20)[1] == FILE
        assert len(pool.submit(of_files, [path]).result(20)) == 1


def test_everything_that_reads_images_goes_on(tmp_path: Path, small_pictures: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for file in sorted(small_pictures.rglob("*.jpg"))[:3]:
        (folder / file.name).write_bytes(file.read_bytes())
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    first = Path(workspace.catalogue.image(0).uri)
    first.unlink()
    os.mkfifo(first)
    workspace.thumbnails.path(0).unlink()
    assert embed_collection(workspace).failed == 1
    with pytest.raises(ImageUnreadable, match="it is not an ordinary file"):
        workspace.thumbnails.ensure(0, first)
    result = ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    assert (result.added, result.existing) == (0, 2)
    assert f"1 image file cannot be read: {first}." in [finding.what for finding in check(workspace)]
    workspace.close()
