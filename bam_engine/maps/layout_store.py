"""Stores layouts on disk, a folder for each; replacing one is atomic.

In:  places, rows and a record of how they were computed. Out: records, newest first, and the points. A layout is a
folder ``layouts/ID`` with ``about.json``, which names the current files of points and model and is replaced last.
Unfinished work saves its state in ``layouts/ID.part``. Knows nothing of how a layout is computed.
"""

import contextlib
import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import derived
from bam_engine.annotation import readable
from bam_engine.errors import DiskFull, NotFound
from bam_engine.files import replacing
from bam_engine.formatting import count
from bam_engine.projection.quality import Quality
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pacmap": "PaCMAP", "pca": "PCA", "scores": "two scores"}
SCOPES = {
    "collection": "the collection",
    "best": "the best images of each attribute",
    "selection": "the selected images",
}

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class LayoutRecord:
    """A stored layout: its images, method, quality, and the time it took.

    ``fitted`` of its ``n`` images were fitted, the others placed on the result. ``attributes`` and ``by`` are those of
    a map of two scores, ``models`` the digests of their classifiers. ``points`` and ``model`` name files. ``images`` is
    the fingerprint of the ``collected`` images that the collection had.
    """

    id: str
    method: str
    scope: str
    encoder: str
    n: int
    seed: int
    seconds: float
    made_at: float
    fitted: int = 0
    attributes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    by: str = ""
    quality: Quality | None = None
    points: str = field(default="", repr=False)
    model: str = field(default="", repr=False)
    images: str = field(default="", repr=False)
    collected: int = field(default=0, repr=False)

    @property
    def files(self) -> tuple[str, ...]:
        """The names of its files: the record, the points, and the model where there is one."""
        model = (f"model-{self.model}.npz",) if self.model else ()
        return "about.json", f"places-{self.points}.npy", f"rows-{self.points}.npy", *model

    @property
    def title(self) -> str:
        if self.axes:
            of = "" if self.scope == "collection" else f" of {SCOPES[self.scope]}"
            return f"{readable(self.attributes[0])} and {readable(self.attributes[1])}{of}: {count(self.n, 'image')}"
        return f"{METHODS[self.method]} of {SCOPES[self.scope]}: {count(self.n, 'image')}"

    @property
    def axes(self) -> tuple[str, str] | None:
        """The labels of the x and y axes of a map of two scores."""
        if len(self.attributes) != 2:
            return None
        first, second = (f"{readable(name)}, by {self.by}" for name in self.attributes)
        return first, second


def list_layouts(workspace: Workspace) -> list[LayoutRecord]:
    """Return the layouts of the encoder in use, newest first, without unreadable ones and those of other images."""
    return [record for record in all_layouts(workspace) if record.encoder == workspace.choice.key]


def all_layouts(workspace: Workspace) -> list[LayoutRecord]:
    """Return the layouts of every encoder as :func:`list_layouts`, those of the encoder in use first."""
    records = []
    for about in sorted((workspace.cache / "layouts").glob("*/about.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):
            record = _renamed(workspace, _read(about))
            if _is_of_these_images(workspace, record):
                records.append(record)
    key = workspace.choice.key
    return sorted(records, key=lambda record: (record.encoder != key, -record.made_at))


def layout_of(workspace: Workspace, map_id: str) -> LayoutRecord:
    """Return the record of a layout, of any encoder.

    Raises
    ------
    NotFound
        There is no such layout, it cannot be read, or it is of other images.
    """
    with contextlib.suppress(OSError, ValueError, TypeError):
        record = _read(folder_of(workspace, map_id) / "about.json")
        if _is_of_these_images(workspace, record):
            return _renamed(workspace, record)
    raise NotFound(f"There is no map {map_id!r}. Choose another map, or make one.")


def _is_of_these_images(workspace: Workspace, record: LayoutRecord) -> bool:
    """Return whether the rows of a layout mean the same images; not so in a copied workspace that has others."""
    return record.images == workspace.catalogue.digests().fingerprint(record.collected)


def _renamed(workspace: Workspace, record: LayoutRecord) -> LayoutRecord:
    """Return a record with its attributes as they are called today."""
    names = tuple(map(workspace.attributes.current_name, record.attributes))
    return record if names == record.attributes else replace(record, attributes=names)


def points_of(workspace: Workspace, map_id: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the places (n, 2) of a layout and its image rows (n,), in no particular order, without removed images.

    Raises
    ------
    NotFound
        There is no such layout, or it cannot be read.
    """
    places, rows = all_points_of(workspace, map_id)
    gone = removed(workspace)
    if not gone.version:
        return places, rows
    inside = ~np.isin(rows, gone.rows)
    return places[inside], rows[inside]


def all_points_of(workspace: Workspace, map_id: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the points as :func:`points_of`, but those of removed images too, which keep their places."""
    folder = folder_of(workspace, map_id)
    for _ in range(3):  # it may be replaced between reading its record and its points
        record = layout_of(workspace, map_id)
        places, rows = (
            derived.read_array(folder / f"{name}-{record.points}.npy", record.points) for name in ("places", "rows")
        )
        if places is not None and rows is not None:
            return np.array(places), np.array(rows)
    raise NotFound(f"The points of the map {map_id!r} were not found. Make the map again.")


def is_whole(folder: Path) -> bool:
    """Return whether every file of the layout in a folder is as it was written."""
    try:
        _, *arrays = _read(folder / "about.json").files
        return all(derived.is_whole((folder / name).read_bytes()) for name in arrays)
    except (OSError, ValueError, TypeError):
        return False


def model_of(workspace: Workspace, record: LayoutRecord) -> dict[str, NDArray[Any]]:
    """Return the arrays that place further images on a layout; empty where there are none."""
    path = folder_of(workspace, record.id) / f"model-{record.model}.npz"
    return derived.read_arrays(path, record.model) or {}


def save(
    workspace: Workspace,
    record: LayoutRecord,
    places: NDArray[np.float32],
    rows: NDArray[np.int64],
    model: Arrays | None = None,
) -> LayoutRecord:
    """Save a layout in place of the one with its id, and return its record; without ``model`` that one's stays.

    Raises
    ------
    DiskFull
        It cannot be written; the stored one is unchanged.
    """
    folder, points = folder_of(workspace, record.id), uuid.uuid4().hex[:8]
    digests = workspace.catalogue.digests()
    record = replace(record, points=points, model=record.model if model is None else points)
    record = replace(record, images=digests.fingerprint(), collected=len(digests))
    written = [folder / f"places-{points}.npy", folder / f"rows-{points}.npy"]
    try:
        derived.write_array(written[0], places, points)
        derived.write_array(written[1], rows, points)
        if model is not None:
            written.append(folder / f"model-{points}.npz")
            derived.write_arrays(written[2], model, points)
        with replacing(folder / "about.json", flush=True) as temporary:
            temporary.write_text(json.dumps(asdict(record)), encoding="utf-8")
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise DiskFull(
            f"The map cannot be saved in {folder}: {error.strerror or error}. Free some disk space."
        ) from error
    for path in [*folder.glob("places*.npy"), *folder.glob("rows*.npy"), *folder.glob("model-*.npz")]:
        if path.stem.partition("-")[2] != (record.model if path.suffix == ".npz" else points):
            path.unlink(missing_ok=True)
    return record


def delete(workspace: Workspace, map_id: str) -> None:
    """Delete a layout and its unfinished work, if there is any; :func:`restore` restores the last deleted layout."""
    folder, trash = folder_of(workspace, map_id), _trash(workspace)
    shutil.rmtree(folder.with_name(folder.name + ".part"), ignore_errors=True)
    if folder.is_dir():
        shutil.rmtree(trash, ignore_errors=True)
        trash.mkdir(parents=True, exist_ok=True)
        folder.replace(trash / folder.name)


def last_deleted(workspace: Workspace) -> LayoutRecord | None:
    """Return the record of the last deleted layout, or None where there is nothing to restore."""
    for about in _trash(workspace).glob("*/about.json"):
        with contextlib.suppress(OSError, ValueError, TypeError):
            return _read(about)
    return None


def restore(workspace: Workspace) -> LayoutRecord:
    """Restore the last deleted layout under its id: links to it work again.

    Raises
    ------
    NotFound
        Nothing was deleted, or another layout has taken its id, which stays.
    """
    record = last_deleted(workspace)
    if record is None:
        raise NotFound("There is no deleted map to restore. Make a new map instead.")
    folder = folder_of(workspace, record.id)
    if folder.exists():
        raise NotFound(f"The map “{record.title}” was made again after it was deleted; the new one stays.")
    (_trash(workspace) / folder.name).replace(folder)
    return record


def _trash(workspace: Workspace) -> Path:
    return workspace.cache / "layouts" / ".removed"


def folder_of(workspace: Workspace, map_id: str) -> Path:
    """Return the folder of a layout, which need not exist."""
    return workspace.cache / "layouts" / Path(map_id).name


def digest_of(rows: NDArray[np.int64]) -> str:
    """Return a short digest of rows, which depends on their order."""
    return hashlib.sha256(np.ascontiguousarray(rows, np.int64).tobytes()).hexdigest()[:12]


class LayoutCheckpoints:
    """The state of unfinished work on one layout, in its ``.part`` folder: the :class:`.Checkpoints` of ``projection``.

    A state that a different request left there is discarded.
    """

    def __init__(self, folder: Path, request: Mapping[str, Any]) -> None:
        self.folder = folder.with_name(folder.name + ".part")
        self._arrays: dict[str, np.memmap[Any, Any]] = {}
        request_text, request_file = json.dumps(request, sort_keys=True), self.folder / "request.json"
        with self._writing():
            if not request_file.exists() or request_file.read_text(encoding="utf-8") != request_text:
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir(parents=True)
                request_file.write_text(request_text, encoding="utf-8")

    def load(self, name: str) -> Mapping[str, NDArray[Any]] | None:
        """Return the arrays saved under ``name``, or None where they are missing or damaged."""
        return derived.read_arrays(self.folder / f"{name}.npz", name)

    def save(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Save arrays, after flushing those of :meth:`array`.

        Raises
        ------
        DiskFull
            They cannot be written.
        """
        for array in self._arrays.values():
            array.flush()
        with self._writing():
            derived.write_arrays(self.folder / f"{name}.npz", arrays, name)

    def array(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return a writable array, mapped from a file of its own: its content survives a stop."""
        path = self.folder / f"{name}.npy"
        with self._writing(), contextlib.suppress(ValueError):
            if path.exists() and (stored := np.lib.format.open_memmap(path, mode="r+")).shape == shape:
                return self._arrays.setdefault(name, stored)
        with self._writing():
            return self._arrays.setdefault(
                name, np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
            )

    def discard(self) -> None:
        """Remove the state: the work is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DiskFull(
                f"The progress of the map cannot be saved in {self.folder}: {error.strerror or error}. Free some disk "
                "space and start it again; it resumes where it stopped."
            ) from error


def _read(about: Path) -> LayoutRecord:
    values = json.loads(about.read_text(encoding="utf-8"))
    known = {one.name for one in fields(LayoutRecord)}
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in known}
    if isinstance(values.get("quality"), dict):
        values["quality"] = Quality(**values["quality"])
    return LayoutRecord(**values)
