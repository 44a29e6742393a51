"""The named regions of a map, at several zooms, each named after the trait that distinguishes its images.

Wires layouts, decisions, titles and projects to ``projection``. Out: :class:`Region`, stored with the layout as
``regions.json`` and recomputed when points, decisions or titles change. A region without a distinctive trait gets no
name: no label is better than a bad one.
"""

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import readable
from bam_engine.errors import DiskFull
from bam_engine.files import replacing
from bam_engine.maps import title_words
from bam_engine.maps.layout_store import folder_of, layout_of, points_of
from bam_engine.progress import Report, silent
from bam_engine.projection.density_regions import find_regions
from bam_engine.projection.naming import NamedRegion, Traits, name_regions
from bam_engine.team import Role
from bam_engine.training.delivered import delivered_at
from bam_engine.training.models import latest_model
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import removed
from bam_engine.workspace.memory import Kind

FILE = "regions.json"
"""The name of the file in the folder of a map."""

VERSION = 1
"""Version of the rules: names of older versions are recomputed."""

EXTRA_ZOOMS = 3
"""Further zooms at which a name is shown, after that of its level, unless finer names supersede it."""

FIRST_WAIT, MAX_WAIT = 30.0, 3600.0
"""Seconds until the naming is retried after a failure: the first and the longest wait."""

ATTRIBUTE, PROJECT, WORD = 0.5, 0.5, 0.3
"""The fraction of a region's images that an attribute, a project or a word needs to name it."""

_LETTER_WIDTH, _LINE_HEIGHT = 8, 26  # pixels


@dataclass(frozen=True)
class Region:
    """A named region: its position, the reason for its name, and the first and last zoom at which it is shown."""

    name: str
    why: str
    x: float
    y: float
    count: int
    from_zoom: int
    to_zoom: int


@dataclass(frozen=True)
class _NamedMap:
    """The content of ``regions.json``."""

    version: str
    regions: tuple[Region, ...]


_NAMED_MAPS = Kind[_NamedMap | None]("regions of maps", of="map", until="their file is replaced", limit=64)


class _Attempts:
    """The attempts to name each map in this process: for which version, and how many in a row."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made: dict[str, tuple[str, int]] = {}


@one_flow
def regions_of(workspace: Workspace, map_id: str) -> tuple[Region, ...]:
    """Return the named regions of a map, by level and size.

    They are read from a file. Where that is out of date, the old names are returned and new ones are computed in the
    background, by the job ``names-ID``; after a failure it is retried with a wait that doubles each time.

    Raises
    ------
    NotFound
        There is no such map.
    """
    version = _version(workspace, map_id)
    stored = _stored(workspace, map_id)
    if stored is None or stored.version != version:
        _start_naming(workspace, map_id, version)
    return stored.regions if stored is not None and stored.version.split(".")[0] == version.split(".")[0] else ()


def is_naming(workspace: Workspace, map_id: str) -> bool:
    """Return whether the regions of a map are being named."""
    return workspace.jobs.is_running(f"names-{map_id}")


def _start_naming(workspace: Workspace, map_id: str, version: str) -> None:
    """Start the naming in the background, unless it is running or has recently failed for the same version."""
    name, attempts = f"names-{map_id}", workspace.state(_Attempts)
    with attempts.lock:
        last, (tried, times) = workspace.jobs.get(name), attempts.made.get(map_id, ("", 0))
        if last is not None and last.running:
            return
        failed = last is not None and last.state == "failed" and tried == version
        ended = last.ended if failed and last is not None else None
        if ended is not None and time.monotonic() < ended + min(MAX_WAIT, FIRST_WAIT * 2 ** (times - 1)):
            return
        attempts.made[map_id] = (version, times + 1 if failed else 1)
        workspace.jobs.start(
            name, "Naming the map", lambda report: refresh(workspace, map_id, report=report), least=Role.VIEWER
        )


@one_flow
def refresh(workspace: Workspace, map_id: str, *, report: Report = silent) -> tuple[Region, ...]:
    """Name the regions of a map and store them with it.

    Raises
    ------
    NotFound
        There is no such map.
    DiskFull
        They cannot be stored.
    """
    version = _version(workspace, map_id)
    places, rows = points_of(workspace, map_id)
    report(0, 3, "regions")
    tree = find_regions(places)
    report(1, 3, "words of titles")
    kinds, projects = _traits(workspace, rows)
    report(2, 3, "names")
    regions = tuple(_with_zooms(name_regions(tree, kinds, projects)))
    path = _file(workspace, map_id)
    content = {"version": version, "regions": [asdict(region) for region in regions]}
    try:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(content), encoding="utf-8")
    except OSError as error:
        raise DiskFull(f"Cannot write {path}: {error.strerror or error}. Free some disk space.") from error
    report(3, 3, "names")
    return regions


def _file(workspace: Workspace, map_id: str) -> Path:
    return folder_of(workspace, map_id) / FILE


def are_whole(workspace: Workspace, map_id: str) -> bool:
    """Return whether the stored regions of a map can be read; also where there are none."""
    path = _file(workspace, map_id)
    return not path.exists() or _read(path) is not None


def _stored(workspace: Workspace, map_id: str) -> _NamedMap | None:
    """Return the stored regions; None where there are none, or their file is damaged."""
    path = _file(workspace, map_id)
    try:
        status = path.stat()
    except OSError:
        return None
    return workspace.memory.get(_NAMED_MAPS, map_id, (status.st_mtime_ns, status.st_ino), lambda: _read(path))


def _read(path: Path) -> _NamedMap | None:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        stored = json.loads(path.read_text(encoding="utf-8"))
        return _NamedMap(stored["version"], tuple(Region(**one) for one in stored["regions"]))
    return None


def _version(workspace: Workspace, map_id: str) -> str:
    """Return a version that changes whenever names may: of the points, then of the rules, decisions and words.

    It leaves single answers out: they hardly move the shares that name a region.
    """
    record = layout_of(workspace, map_id)
    parts = [str(VERSION), title_words.version_of(workspace), str(removed(workspace).version)]
    for attribute in workspace.attributes.all():
        model, threshold = latest_model(workspace, attribute), current_threshold(workspace, attribute)
        if model is not None:
            cut = (threshold.value, threshold.saved) if threshold is not None else ""
            parts.append(f"{attribute.name}.{model.digest}.{cut}")
    return f"{record.points}.{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:16]}"


def _traits(workspace: Workspace, rows: NDArray[np.int64]) -> tuple[list[Traits], NDArray[np.int64]]:
    """Return the traits that may name regions, best kinds first, and the project code of each point."""
    projects, names = _projects(workspace)
    kinds = [_attributes(workspace, rows, chosen=True), _attributes(workspace, rows, chosen=False)]
    own = np.flatnonzero(projects[rows] < len(names))
    kinds.append(Traits(names, "project {}", PROJECT, own, projects[rows][own], grouped=False))
    words = title_words.words_of(workspace)
    row = np.minimum(rows, len(words.begin) - 2)  # an image added since has no words
    length = np.where(row == rows, words.begin[row + 1] - words.begin[row], 0)
    owner = np.repeat(np.arange(len(rows)), length)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length) + np.repeat(words.begin[row], length)
    kinds.append(Traits(words.vocabulary, "“{}” in the title", WORD, owner, words.codes[place].astype(np.int64)))
    return [kind for kind in kinds if kind.names], projects[rows]


def _attributes(workspace: Workspace, rows: NDArray[np.int64], *, chosen: bool) -> Traits:
    """Return the attributes with a ``chosen`` threshold, or the others by their suggested or default threshold."""
    names, owners = [], []
    for attribute in workspace.attributes.all():
        threshold, model = current_threshold(workspace, attribute), latest_model(workspace, attribute)
        if model is None or (threshold is not None and threshold.saved) != chosen:
            continue
        cut = threshold.value if threshold is not None else model.decision_threshold
        names.append(readable(attribute.name).partition(" (")[0])
        owners.append(np.flatnonzero(delivered_at(workspace, attribute, cut).accepted[rows]))
    codes = np.repeat(np.arange(len(owners)), [len(owner) for owner in owners]) if owners else np.empty(0, np.int64)
    template = "{}" if chosen else "{} (likely; no threshold chosen)"
    every = np.concatenate(owners) if owners else np.empty(0, np.int64)
    return Traits(tuple(names), template, ATTRIBUTE, every, codes)


def _projects(workspace: Workspace) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return a project code for each row, and the projects' names; images without one have unique higher codes."""
    known: dict[str, int] = {}
    codes: list[int] = []
    for page in workspace.catalogue.names_from(0):
        codes += [-1 if project is None else known.setdefault(project, len(known)) for _, _, project, _ in page]
    by_row = np.array(codes, np.int64)
    without = by_row < 0
    by_row[without] = len(known) + np.arange(without.sum())
    return by_row, tuple(known)


def _with_zooms(named: Iterable[NamedRegion]) -> Iterator[Region]:
    """Yield each name with the zooms at which it is shown, without those that would overlap a larger region's name."""
    placed: list[Region] = []
    for one in named:
        peak = one.region
        first = 0 if peak.level == 0 else peak.level + 1
        last = peak.level + 1 + (0 if one.superseded else EXTRA_ZOOMS)
        for zoom in range(first, last + 1):
            region = Region(one.name, one.why, peak.x, peak.y, peak.count, zoom, last)
            if not any(_overlap(region, other, zoom) for other in placed):
                placed.append(region)
                yield region
                break


def _overlap(one: Region, other: Region, zoom: int) -> bool:
    """Return whether two names overlap at a zoom."""
    if not other.from_zoom <= zoom <= other.to_zoom:
        return False
    pixels = 256 * 2**zoom
    width = (len(one.name) + len(other.name)) / 2 * _LETTER_WIDTH
    return bool(abs(one.x - other.x) * pixels < width and abs(one.y - other.y) * pixels < _LINE_HEIGHT)
