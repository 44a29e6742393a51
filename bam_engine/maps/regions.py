"""The names on the land: areas of a map at several zooms, each named after what sets its images apart.

Wires layouts, decisions, titles and projects to ``projection``. Out: :class:`Region`, kept with the layout as
``regions.json`` and found anew when points, decisions or titles have changed. An area that nothing sets apart has no
name: no label is better than a bad one.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

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
from bam_engine.training.models import latest_model, scores_of
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace

VERSION = 1
"""Of the rules: names found by older ones are found anew."""

LONGER = 3
"""Zooms that a name stays after that of its level, where no finer name takes its place."""

FIRST_WAIT, MAX_WAIT = 30.0, 3600.0
"""Seconds after a failure until names are looked for again: at first, and at most."""

ATTRIBUTE, PROJECT, WORD = 0.5, 0.5, 0.3
"""The share of an area's images that an attribute, a project or a word needs to name it."""

_LETTER, _LINE = 8, 26  # pixels that a name takes


@dataclass(frozen=True)
class Region:
    """A name on a map: where it stands, what it rests on, and at which zooms it is shown (both ends included)."""

    name: str
    why: str
    x: float
    y: float
    count: int
    from_zoom: int
    to_zoom: int


def regions_of(workspace: Workspace, map_id: str) -> tuple[Region, ...]:
    """Return the names on a map, coarse ones first, the largest first among them.

    They come from a file; where that is older than the scores, the old names are returned and new ones are looked for
    in the background, as the job ``names-ID``. Where that failed, it is tried again only after a while, twice as long
    after each failure.

    Raises
    ------
    NotFound
        There is no such map.
    """
    version = _version(workspace, map_id)
    held: tuple[str, tuple[Region, ...]] | None = workspace.memory_cache.get(f"regions:{map_id}")
    if held is None:
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            kept = json.loads((folder_of(workspace, map_id) / "regions.json").read_text(encoding="utf-8"))
            held = kept["version"], tuple(Region(**one) for one in kept["regions"])
            workspace.memory_cache[f"regions:{map_id}"] = held
    if held is None or held[0] != version:
        _find_again(workspace, map_id, version)
    return held[1] if held is not None and held[0].split(".")[0] == version.split(".")[0] else ()


def is_naming(workspace: Workspace, map_id: str) -> bool:
    """Return whether names on a map are being looked for."""
    return workspace.jobs.is_running(f"names-{map_id}")


def _find_again(workspace: Workspace, map_id: str, version: str) -> None:
    """Look for names in the background, unless that is under way, or failed for the same version a short while ago."""
    name, key = f"names-{map_id}", f"names-tried:{map_id}"
    with workspace.lock:
        last, (tried, times) = workspace.jobs.get(name), workspace.memory_cache.get(key, ("", 0))
        if last is not None and last.running:
            return
        failed = last is not None and last.state == "failed" and tried == version
        ended = last.ended if failed and last is not None else None
        if ended is not None and time.monotonic() < ended + min(MAX_WAIT, FIRST_WAIT * 2 ** (times - 1)):
            return
        workspace.memory_cache[key] = (version, times + 1 if failed else 1)
        workspace.jobs.start(name, "Naming the map", lambda report: refresh(workspace, map_id, report=report))


def refresh(workspace: Workspace, map_id: str, *, report: Report = silent) -> tuple[Region, ...]:
    """Find the names on a map anew and keep them with it.

    Raises
    ------
    NotFound
        There is no such map.
    DiskFull
        They cannot be kept.
    """
    version = _version(workspace, map_id)
    places, rows = points_of(workspace, map_id)
    report(0, 3, "areas")
    land = find_regions(places)
    report(1, 3, "words of titles")
    kinds, projects = _traits(workspace, rows)
    report(2, 3, "names")
    found = tuple(_shown(name_regions(land, kinds, projects)))
    path = folder_of(workspace, map_id) / "regions.json"
    told = {"version": version, "regions": [asdict(region) for region in found]}
    try:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(told), encoding="utf-8")
    except OSError as error:
        raise DiskFull(f"{path} cannot be written: {error.strerror or error}. Free some room.") from error
    workspace.memory_cache[f"regions:{map_id}"] = (version, found)
    report(3, 3, "names")
    return found


def _version(workspace: Workspace, map_id: str) -> str:
    """Return what changes whenever names may: the points first, then the rules, decisions and words."""
    record = layout_of(workspace, map_id)
    parts = [str(VERSION), title_words.version_of(workspace)]
    for attribute in workspace.attributes.all():
        model, threshold = latest_model(workspace, attribute), current_threshold(workspace, attribute)
        if model is not None:
            cut = (threshold.value, threshold.saved) if threshold is not None else ""
            parts.append(f"{attribute.name}.{model.id}.{cut}")
    return f"{record.points}.{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:16]}"


def _traits(workspace: Workspace, rows: NDArray[np.int64]) -> tuple[list[Traits], NDArray[np.int64]]:
    """Return what may name areas of a map of these rows, best kinds first, and the project code of each point."""
    projects, names = _projects(workspace)
    found = [_attributes(workspace, rows, sure=True), _attributes(workspace, rows, sure=False)]
    own = np.flatnonzero(projects[rows] < len(names))
    found.append(Traits(names, "project {}", PROJECT, own, projects[rows][own], grouped=False))
    words = title_words.words_of(workspace)
    row = np.minimum(rows, len(words.begin) - 2)  # one that came since has the words of nobody
    length = np.where(row == rows, words.begin[row + 1] - words.begin[row], 0)
    owner = np.repeat(np.arange(len(rows)), length)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length) + np.repeat(words.begin[row], length)
    found.append(Traits(words.vocabulary, "“{}” in the title", WORD, owner, words.codes[place].astype(np.int64)))
    return [kind for kind in found if kind.names], projects[rows]


def _attributes(workspace: Workspace, rows: NDArray[np.int64], *, sure: bool) -> Traits:
    """Return the attributes whose threshold was kept (``sure``), or the others, by the best cut that is known."""
    names, owners = [], []
    for attribute in workspace.attributes.all():
        threshold, model = current_threshold(workspace, attribute), latest_model(workspace, attribute)
        if model is None or (threshold is not None and threshold.saved) != sure:
            continue
        cut = threshold.value if threshold is not None else float(model.details["separation"])
        names.append(readable(attribute.name).partition(" (")[0])
        owners.append(np.flatnonzero(scores_of(workspace, attribute)[rows] >= cut))
    codes = np.repeat(np.arange(len(owners)), [len(owner) for owner in owners]) if owners else np.empty(0, np.int64)
    said = "{}" if sure else "{} (likely: no threshold was kept)"
    every = np.concatenate(owners) if owners else np.empty(0, np.int64)
    return Traits(tuple(names), said, ATTRIBUTE, every, codes)


def _projects(workspace: Workspace) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return a code for the project of each row, and the projects' names; images without one have codes beyond."""
    known: dict[str, int] = {}
    codes: list[int] = []
    for page in workspace.catalogue.names_from(0):
        codes += [-1 if project is None else known.setdefault(project, len(known)) for _, project, _ in page]
    found = np.array(codes, np.int64)
    alone = found < 0
    found[alone] = len(known) + np.arange(alone.sum())
    return found, tuple(known)


def _shown(named: Iterable[NamedRegion]) -> Iterator[Region]:
    """Give each name the zooms at which it is shown, and leave out what would stand on a larger area's name."""
    taken: list[Region] = []
    for one in named:
        first = 0 if one.area.level == 0 else one.area.level + 1
        last = one.area.level + 1 + (0 if one.gives_way else LONGER)
        for zoom in range(first, last + 1):
            region = Region(one.name, one.why, one.area.x, one.area.y, one.area.count, zoom, last)
            if not any(_meet(region, other, zoom) for other in taken):
                taken.append(region)
                yield region
                break


def _meet(one: Region, other: Region, zoom: int) -> bool:
    """Tell whether two names stand on one another at a zoom."""
    if not other.from_zoom <= zoom <= other.to_zoom:
        return False
    pixels = 256 * 2**zoom
    wide = (len(one.name) + len(other.name)) / 2 * _LETTER
    return bool(abs(one.x - other.x) * pixels < wide and abs(one.y - other.y) * pixels < _LINE)
