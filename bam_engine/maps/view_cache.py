"""Opens stored layouts as maps with the current scores and decisions, and caches them.

In:  the id of a layout. Out: a ``MapView``, opened once, and again when its data have changed.
"""

import hashlib
import io
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bam_engine import database as db
from bam_engine.errors import BamError, NotFound
from bam_engine.gallery import problems, selections
from bam_engine.labelling.label_states import last_answer
from bam_engine.maps.categories import categories_of
from bam_engine.maps.layout_store import folder_of, points_of
from bam_engine.maps.tile_cache import TileCache
from bam_engine.projection import MapView
from bam_engine.projection.view_sources import Sources
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import latest_model, scores_by_name, scores_version
from bam_engine.training.thresholds import current_threshold
from bam_engine.training.top_attributes import AttributeScorer, attribute_scorers, top_attributes
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import removed
from bam_engine.workspace.memory import Kind

log = logging.getLogger(__name__)

DRAWING_VERSION = 3
"""Version of the drawing of tiles; part of their keys."""

_CHECK_EVERY = 1.0  # seconds between checks whether the data of a map have changed
_REFRESH_DELAY = 0.1  # seconds until a map is opened again, so that the request that noticed is answered first

_VIEWS = Kind[MapView](
    "opened maps", of="map and its points", until="scores, thresholds, labels or projects change", limit=4
)
_TILES = Kind[TileCache]("tile caches, which are on disk", of="workspace", until="the process ends", limit=1)
_SCORERS = Kind[list[AttributeScorer]](
    "scorers of attributes", of="state of scores and of what is delivered", until="never: the key is a digest", limit=2
)


class _Refreshing:
    """The maps that are being opened again in the background."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subjects: set[tuple[str, str]] = set()

    def start(self, subject: tuple[str, str], work: Callable[[], None]) -> None:
        """Run ``work`` in a thread, unless a refresh of this map is running."""

        def run() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._subjects.remove(subject)

        with self._lock:
            if subject in self._subjects:
                return
            self._subjects.add(subject)
        threading.Thread(target=run, daemon=True).start()


@one_flow
def current_view(workspace: Workspace, map_id: str, *, fresh: bool = False) -> MapView:
    """Return a map with the current scores and decisions, from the cache if they have not changed.

    Since every tile calls this, changes are checked at most once a second, unless ``fresh`` is set.

    Raises
    ------
    NotFound
        There is no such layout.
    """
    points = _points_version(workspace, map_id)
    return workspace.memory.get_within(
        _VIEWS,
        (map_id, points),
        0.0 if fresh else _CHECK_EVERY,
        lambda: map_version(workspace, map_id),
        lambda version: _open(workspace, map_id, points, version),
    )


def cached_view(workspace: Workspace, map_id: str) -> MapView:
    """Return a map as it was opened last, without waiting; changes are checked and applied in the background.

    Used for the image under the pointer: the map may be a second out of date, but no call waits for a map of millions
    of images to be opened again.

    Raises
    ------
    NotFound
        There is no such layout.
    """
    subject = map_id, _points_version(workspace, map_id)
    opened = workspace.memory.peek(_VIEWS, subject)
    if opened is None:
        return current_view(workspace, map_id)
    if workspace.memory.age(_VIEWS, subject) >= _CHECK_EVERY:
        workspace.state(_Refreshing).start(subject, partial(_refresh, workspace, subject, opened))
    return opened


@one_flow
def _refresh(workspace: Workspace, subject: tuple[str, str], opened: MapView) -> None:
    """Open a map again if its data have changed, and prepare it before it replaces the old view."""
    time.sleep(_REFRESH_DELAY)
    try:
        fresh, version = opened, map_version(workspace, subject[0])
        if version != opened.version:
            fresh = _open(workspace, *subject, version)
            fresh.prepare_like(opened)
            if len(fresh):
                _describe(workspace, _stamps(workspace), int(fresh.source.rows[0]))
        workspace.memory.get(_VIEWS, subject, version, lambda: fresh)
    except NotFound:  # deleted meanwhile
        workspace.memory.forget(_VIEWS, subject)
    except Exception:  # the old view stays in use; pages and tiles report the error
        log.warning("map %s could not be refreshed", subject[0], exc_info=True)


def _points_version(workspace: Workspace, map_id: str) -> str:
    """Return a version of the points of a layout.

    Raises
    ------
    NotFound
        There is no such layout.
    """
    try:
        return str((folder_of(workspace, map_id) / "about.json").stat().st_mtime_ns)
    except OSError as error:
        raise NotFound(f"There is no map {map_id!r}. Choose another map, or make one.") from error


def rows_in_polygon(workspace: Workspace, map_id: str, corners: Sequence[tuple[float, float]]) -> NDArray[np.int64]:
    """Return the rows of the images inside a polygon on a map, ascending; ``corners`` are in [0, 1] squared.

    Raises
    ------
    NotFound
        There is no such layout.
    ProjectionError
        The polygon has fewer than three corners.
    """
    return current_view(workspace, map_id).source.in_polygon(corners)


def _open(workspace: Workspace, map_id: str, points: str, version: str) -> MapView:
    """Open a map; points, pictures and unchanged colourings of an earlier view of the same points are reused."""
    stamps = _stamps(workspace)
    versions = _kind_versions(workspace, points, stamps)
    earlier = workspace.memory.peek(_VIEWS, (map_id, points))
    if earlier is not None and earlier.version_of("density") != versions["density"]:
        earlier = None  # an image was removed or came back
    places, rows = (np.empty((0, 2), np.float32), None) if earlier is not None else points_of(workspace, map_id)
    sources = Sources(
        categories=categories_of(workspace, map_id),
        selection=partial(selections.rows_of, workspace),
        describe=partial(_describe, workspace, stamps),
        kind_versions=versions,
        tiles=tile_cache(workspace),
        sprites=workspace.sprites,
    )
    return MapView(
        places,
        rows=rows,
        version=version,
        scores=scores_by_name(workspace),
        labels=_decisions(workspace),
        thumbnail=partial(_thumbnail, workspace),
        sources=sources,
        previous=earlier,
    )


def tile_cache(workspace: Workspace) -> TileCache:
    """Return the tile cache of a workspace."""
    return workspace.memory.get(_TILES, None, None, lambda: TileCache(workspace.cache / "tiles"))


@one_flow
def map_version(workspace: Workspace, map_id: str) -> str:
    """Return a version that changes whenever a tile of the map would look different."""
    points = _points_version(workspace, map_id)
    stamps = _stamps(workspace)
    parts = [
        str(DRAWING_VERSION),
        workspace.id,
        points,
        stamps.removed,
        stamps.labels,
        stamps.projects,
        stamps.problems,
    ]
    parts += [f"{name}.{stamp}.{stamps.delivered[name]}" for name, stamp in stamps.scores.items()]
    return _digest(*parts)


@dataclass(frozen=True)
class _Stamps:
    """Versions of scores, of what is delivered at a threshold, of answers, projects, problems and removed images."""

    scores: dict[str, str]
    delivered: dict[str, str]
    labels: str
    projects: str
    problems: str
    removed: str


def _stamps(workspace: Workspace) -> _Stamps:
    scores, delivered = {}, {}
    for attribute in workspace.attributes.all():
        model = latest_model(workspace, attribute)
        if model is None:
            continue
        threshold = current_threshold(workspace, attribute)
        scores[attribute.name] = f"{attribute.id}.{scores_version(workspace, model)}"
        delivered[attribute.name] = ""
        if threshold is not None:
            delivered[attribute.name] = f"{threshold.value:.6g}.{delivered_of(workspace, attribute).version}"
    who = ".".join(map(str, workspace.snapshot.version(db.merged_annotators, db.set_aside_answers)))
    labels = f"{last_answer(workspace)}.{workspace.redundancy}.{workspace.judging_redundancy}.{who}"
    projects = f"{workspace.catalogue.digests().fingerprint()}.{workspace.catalogue.details_version}"
    measured = ".".join(map(str, problems.version(workspace)))
    return _Stamps(scores, delivered, labels, projects, measured, str(removed(workspace).version))


def _kind_versions(workspace: Workspace, points: str, stamps: _Stamps) -> dict[str, str]:
    """Return a version of the tiles of each kind, so that, say, an answer does not invalidate tiles of scores."""
    base = (str(DRAWING_VERSION), workspace.id, points, stamps.removed)
    versions = {kind: _digest(*base) for kind in ("density", "density-log", "category-cluster")}
    versions["category-project"] = _digest(*base, stamps.projects)
    versions["category-problem"] = _digest(*base, stamps.problems)
    for name, stamp in stamps.scores.items():
        versions[f"score-{name}"] = _digest(*base, stamp)
        versions[f"accepted-{name}"] = _digest(*base, stamp, stamps.delivered[name])
    for attribute in workspace.attributes.all():
        for family in ("label", "disagreement"):
            versions[f"category-{family}-{attribute.name}"] = _digest(*base, stamps.labels, str(attribute.id))
    return versions


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _decisions(workspace: Workspace) -> dict[str, NDArray[np.int8]]:
    """Return for each attribute with a threshold: 1 accepted, 0 rejected, -1 undecided."""
    decisions = {}
    for attribute in workspace.attributes.all():
        threshold = current_threshold(workspace, attribute)
        if threshold is not None:
            decisions[attribute.name] = delivered_of(workspace, attribute).outcomes
    return decisions


def _thumbnail(workspace: Workspace, row: int) -> Image.Image | None:
    """Return a thumbnail, decoded by OpenCV, which takes half of Pillow's time and releases the GIL."""
    import cv2

    stored = workspace.thumbnails.read(row)
    try:
        data = stored or workspace.thumbnails.ensure(row, workspace.catalogue.image(row).path)
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if pixels is None:
            return Image.open(io.BytesIO(data))
        return Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
    except (BamError, OSError):  # missing or damaged: the map shows an empty cell
        return None


@one_flow
def _describe(workspace: Workspace, stamps: _Stamps, row: int) -> Mapping[str, Any]:
    image = workspace.catalogue.image(row)
    key = _digest(*stamps.scores, *stamps.scores.values(), *stamps.delivered.values())
    scorers = workspace.memory.get(_SCORERS, key, None, lambda: attribute_scorers(workspace))
    return {"title": image.title or image.name, "scores": top_attributes(scorers, row)}
