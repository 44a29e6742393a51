"""Whatever happens to workspaces that share a cache, what is used of an image was made of its own bytes.

Images are added, workspaces copied, backups restored, collections embedded, caches deleted and files renamed in random
order. The reference is the definition: the thumbnail, sprite and vector of the bytes whose digest the catalogue names.
"""

import contextlib
import hashlib
import shutil
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bam_engine.collection import Thumbnails, ingest_folder, read_image
from bam_engine.embedding import open_encoder
from bam_engine.errors import ImageUnreadable
from bam_engine.projection.picture_store import SPRITE, fitted
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection, vectors_of

STEPS = 50


@dataclass
class Picture:
    """The bytes of one picture, and all that is made of them."""

    file: Path

    @cached_property
    def thumbnail(self) -> bytes:
        thumbnails = Thumbnails("unused")
        return thumbnails.render(read_image(self.file, size=thumbnails.size)).data

    @cached_property
    def sprite(self) -> np.ndarray:
        thumbnails = Thumbnails("unused")
        return fitted(thumbnails.render(read_image(self.file, size=thumbnails.size)).image, SPRITE)

    @cached_property
    def vector(self) -> np.ndarray:
        encoder = open_encoder("builtin")
        image = read_image(self.file, size=encoder.input_size)
        return encoder.encode([encoder.preprocess(image)])[0].astype(np.float16)


@dataclass
class World:
    """Workspaces that share a cache, each with a folder of images of its own, and their backups."""

    home: Path
    rng: np.random.Generator
    pictures: dict[str, Picture] = field(default_factory=dict)
    names: list[str] = field(default_factory=lambda: ["0"])
    used: int = 0

    def folder(self, name: str, of: str) -> Path:
        path = self.home / of / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def open(self, name: str) -> Workspace:
        return Workspace(self.folder(name, "workspaces"), self.home / "cache")

    def add(self, name: str) -> None:
        """Draw one to three new pictures into the folder of a workspace, and add it."""
        for _ in range(self.rng.integers(1, 4)):
            kept = self.folder("drawn", "pictures") / f"{len(self.pictures)}.png"
            Image.fromarray(self.rng.integers(0, 256, (6, 6, 3), np.uint8)).resize((30, 20)).save(kept)
            self.pictures[hashlib.sha256(kept.read_bytes()).hexdigest()] = Picture(kept)
            shutil.copy(kept, self.folder(name, "images") / f"{self.rng.integers(10**9)}.png")
        self.ingest(name)

    def ingest(self, name: str) -> None:
        workspace, folder = self.open(name), self.folder(name, "images")
        ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
        for image in workspace.catalogue.images(np.flatnonzero(workspace.catalogue.present())):
            if image.path.parent == folder:
                assert hashlib.sha256(image.path.read_bytes()).hexdigest() == image.digest, "rows follow the bytes"
        workspace.close()

    def embed(self, name: str) -> None:
        workspace = self.open(name)
        if len(workspace.catalogue):
            embed_collection(workspace)
            assert len(vectors_of(workspace)) == len(workspace.catalogue)
        workspace.close()

    def copy(self, name: str) -> None:
        """Copy a workspace; its images stay where they are, and the copy has a folder of its own for others."""
        if len(self.names) < 3:
            self.names.append(str(len(self.names)))
            shutil.copytree(self.folder(name, "workspaces"), self.home / "workspaces" / self.names[-1])
            shutil.copytree(self.folder(name, "images"), self.home / "images" / self.names[-1])

    def back_up(self, name: str) -> None:
        shutil.copytree(self.folder(name, "workspaces"), self.home / "backups" / name, dirs_exist_ok=True)

    def restore(self, name: str) -> None:
        if (self.home / "backups" / name).exists():
            shutil.rmtree(self.folder(name, "workspaces"))
            shutil.copytree(self.home / "backups" / name, self.home / "workspaces" / name)

    def delete(self, _: str) -> None:
        """Delete the cache, or a part of it."""
        parts = [path for path in (self.home / "cache").glob("*/*") if path.is_dir()] or [self.home / "cache"]
        shutil.rmtree(parts[self.rng.integers(len(parts))] if self.rng.random() < 0.7 else self.home / "cache")

    def rename(self, name: str) -> None:
        """Give the files of a folder each other's names, and add the folder again."""
        files = sorted(self.folder(name, "images").iterdir())
        for file in files:
            file.rename(file.with_suffix(".kept"))
        for file, place in zip(files, self.rng.permutation(len(files)), strict=True):
            file.with_suffix(".kept").rename(files[place])
        if files:
            self.ingest(name)

    def look(self, name: str) -> None:
        """Ask for every thumbnail, which makes those that are missing where the file is there."""
        workspace = self.open(name)
        for image in workspace.catalogue.images(range(len(workspace.catalogue))):
            with contextlib.suppress(ImageUnreadable):  # the file has another image now, or is gone
                workspace.thumbnails.ensure(image.row, image.path)
        workspace.close()

    def check(self, name: str) -> None:
        workspace = self.open(name)
        vectors = workspace.vectors().array()
        for image in workspace.catalogue.images(range(len(workspace.catalogue))):
            own = self.pictures[image.digest]
            if (thumbnail := workspace.thumbnails.read(image.row)) is not None:
                assert thumbnail == own.thumbnail, (name, image)
                self.used += 1
            if (sprite := workspace.sprites.get(image.row)) is not None:
                assert np.array_equal(sprite, own.sprite), (name, image)
            if image.row < len(vectors) and vectors[image.row].any():
                assert np.array_equal(vectors[image.row], own.vector), (name, image)
                self.used += 1
        workspace.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_what_is_used_of_an_image_is_made_of_its_bytes(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, np.random.default_rng(seed))
    steps = [world.add, world.embed, world.look, world.copy, world.back_up, world.restore, world.delete, world.rename]
    chances = np.array([4, 4, 2, 1, 1, 2, 1, 2]) / 17
    world.add("0")
    for number in range(STEPS):
        step = steps[int(world.rng.choice(len(steps), p=chances))]
        name = world.names[int(world.rng.integers(len(world.names)))]
        step(name)
        for each in world.names:
            world.check(each)
        assert number < 5 or world.used, "something is used"
