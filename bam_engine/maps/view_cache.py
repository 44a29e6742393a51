"""Maps as they are shown: a layout opened for tiles, with the scores and decisions of the moment.

In:  a layout kept by ``maps``. Out: a ``MapView``, opened once and again when what it shows has changed.
"""

import hashlib
import io
import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from PIL import Image

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.errors import BamError, NotFound
from bam_engine.gallery import selections
from bam_engine.maps.categories import categories_of
from bam_engine.maps.layout_store import folder_of, points_of
from bam_engine.maps.tile_cache import TileCache
from bam_engine.projection import MapView
from bam_engine.projection.view_sources import Sources
from bam_engine.training.decisions import decide
from bam_engine.training.models import TrainedModel, latest_model, scores_by_name, scores_of
from bam_engine.training.thresholds import current_threshold
from bam_engine.training.top_attributes import AttributeScorer, attribute_scorers, top_attributes
from bam_engine.workspace.core import Workspace

log = logging.getLogger(__name__)

DRAWING = 2
"""Of the way tiles are drawn: those drawn by an older one are drawn anew."""

_LOOK_AGAIN = 1.0  # seconds
_ANSWER_FIRST = 0.1  # seconds in which whoever noticed is answered, before a map is opened anew


def current_view(workspace: Workspace, map_id: str, *, fresh: bool = False) -> MapView:
    """Return the map called ``map_id``, opened once for the present scores and decisions.

    Whether those have changed is looked up at most once a second, since every tile comes through here; ``fresh`` looks
    now.

    Raises
    ------
    NotFound
        There is no such layout.
    """
    folder = folder_of(workspace, map_id)
    if not (folder / "about.json").exists():
        raise NotFound(f"there is no map {map_id!r}. Make one on the Map page.")
    with workspace.lock_for(f"map:{map_id}"):
        opened: MapView | None
        opened, looked = workspace.memory_cache.get(f"map:{map_id}", (None, -math.inf))
        if opened is not None and not fresh and time.monotonic() - looked < _LOOK_AGAIN:
            return opened
        version = map_version(workspace, map_id)
        if opened is None or opened.version != version:
            opened = _open(workspace, folder, version, opened)
        workspace.memory_cache[f"map:{map_id}"] = (opened, time.monotonic())
        return opened


def cached_view(workspace: Workspace, map_id: str) -> MapView:
    """Return a map as it was opened last, at once; whether something has changed is looked up in the background.

    For what follows the pointer: it may be a second behind, but never waits until a map of millions is opened anew.

    Raises
    ------
    NotFound
        There is no such layout.
    """
    opened, looked = workspace.memory_cache.get(f"map:{map_id}", (None, -math.inf))
    if opened is None:
        return current_view(workspace, map_id)
    if time.monotonic() - looked >= _LOOK_AGAIN:
        one: threading.Lock = workspace.memory_cache.setdefault(f"map-catching-up:{map_id}", threading.Lock())
        if one.acquire(blocking=False):
            threading.Thread(target=_catch_up, args=(workspace, map_id, opened, one), daemon=True).start()
    found: MapView = opened
    return found


def _catch_up(workspace: Workspace, map_id: str, opened: MapView, one: threading.Lock) -> None:
    """Open a map anew if something has changed, and make it ready before it takes its place."""
    folder = folder_of(workspace, map_id)
    time.sleep(_ANSWER_FIRST)
    try:
        if workspace.memory_cache.get(f"map-points:{map_id}") != _points(folder):
            workspace.memory_cache.pop(
                f"map:{map_id}", None
            )  # made anew, or deleted: whoever comes next opens it or is told
            return
        version, fresh = map_version(workspace, map_id), opened
        if version != opened.version:
            with workspace.lock_for(f"map:{map_id}"):
                fresh = _open(workspace, folder, version, opened)
            fresh.prepare_like(opened)
            if len(fresh):
                _describe(workspace, _stamps(workspace), int(fresh.source.rows[0]))
        with workspace.lock_for(f"map:{map_id}"):
            if workspace.memory_cache.get(f"map:{map_id}", (None,))[0] is opened:
                workspace.memory_cache[f"map:{map_id}"] = (fresh, time.monotonic())
    except Exception:  # the pointer is told what was so far; pages and tiles say what is wrong
        log.warning("map %s could not be opened anew", map_id, exc_info=True)
    finally:
        one.release()


def _points(folder: Path) -> str:
    """What changes whenever the points of a layout do; "" where there is none."""
    about = folder / "about.json"
    return f"{about.stat().st_mtime_ns}" if about.exists() else ""


def rows_in_polygon(workspace: Workspace, map_id: str, corners: Sequence[tuple[float, float]]) -> NDArray[np.int64]:
    """Return the rows of the images inside an area of a map, rising; its corners in the map's [0, 1] squared.

    Raises
    ------
    NotFound
        There is no such layout.
    ProjectionError
        An area of fewer than three corners.
    """
    return current_view(workspace, map_id).source.in_polygon(corners)


def _open(workspace: Workspace, folder: Path, version: str, earlier: MapView | None) -> MapView:
    """Open a map; the points, pictures and unchanged colourings of an ``earlier`` view of the same points stay."""
    map_id = folder.name
    points = _points(folder)
    known = workspace.memory_cache.get(f"map-points:{map_id}")
    same = earlier if earlier is not None and known == points else None
    places, rows = (np.empty((0, 2), np.float32), None) if same is not None else points_of(workspace, map_id)
    stamps = _stamps(workspace)
    sources = Sources(
        categories=categories_of(workspace, map_id),
        selection=partial(selections.rows_of, workspace),
        describe=partial(_describe, workspace, stamps),
        kind_versions=_kind_versions(workspace, points, stamps),
        tiles=tile_cache(workspace),
        sprites=workspace.sprites,
    )
    opened = MapView(
        places,
        rows=rows,
        version=version,
        scores=scores_by_name(workspace),
        labels=_decisions(workspace),
        thumbnail=partial(_thumbnail, workspace),
        sources=sources,
        previous=same,
    )
    workspace.memory_cache[f"map-points:{map_id}"] = points
    return opened


def tile_cache(workspace: Workspace) -> TileCache:
    """Return where the tiles of a workspace are kept."""
    with workspace.lock:
        found: TileCache = workspace.memory_cache.setdefault("tiles", TileCache(workspace.cache / "tiles"))
        return found


def map_version(workspace: Workspace, map_id: str) -> str:
    """Return a name that changes whenever a tile of the map would look different."""
    about = folder_of(workspace, map_id) / "about.json"
    stamps = _stamps(workspace)
    parts = [str(DRAWING), workspace.id, str(about.stat().st_mtime_ns), stamps.labels, stamps.projects]
    parts += [f"{name}.{stamp}.{stamps.cuts[name]}" for name, stamp in stamps.scores.items()]
    return _digest(*parts)


@dataclass(frozen=True)
class _Stamps:
    """What changes as soon as scores, cuts, answers or projects do."""

    scores: dict[str, str]
    cuts: dict[str, str]
    labels: str
    projects: str


def _stamps(workspace: Workspace) -> _Stamps:
    scores, cuts = {}, {}
    for attribute in workspace.attributes.all():
        model = latest_model(workspace, attribute)
        if model is None:
            continue
        threshold = current_threshold(workspace, attribute)
        scores[attribute.name] = f"{attribute.id}.{model.id}.{_made_at(workspace, attribute, model)}"
        cuts[attribute.name] = "" if threshold is None else f"{threshold.value:.6g}"
    with workspace.engine.connect() as connection:
        last = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(db.annotations.c.id), 0)))
    labels = f"{last}.{workspace.redundancy}"
    return _Stamps(scores, cuts, labels, f"{len(workspace.catalogue)}.{workspace.catalogue.details_version}")


def _made_at(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> int:
    """Return when the scores were made: the same model may score anew, say after images were read at last."""
    scores = scores_of(workspace, attribute, model)
    if not isinstance(scores, np.memmap):  # made just now: read what was kept, which has a date
        scores = scores_of(workspace, attribute, model)
    return Path(scores.filename).stat().st_mtime_ns if isinstance(scores, np.memmap) and scores.filename else 0


def _kind_versions(workspace: Workspace, points: str, stamps: _Stamps) -> dict[str, str]:
    """Return for each kind what its tiles depend on, so that an answer makes no tile of the scores anew."""
    base = (str(DRAWING), workspace.id, points)
    found = {kind: _digest(*base) for kind in ("density", "density-log", "category-cluster")}
    found["category-project"] = _digest(*base, stamps.projects)
    for name, stamp in stamps.scores.items():
        found[f"score-{name}"] = _digest(*base, stamp)
        found[f"accepted-{name}"] = _digest(*base, stamp, stamps.cuts[name])
    for attribute in workspace.attributes.all():
        for family in ("label", "disagreement"):
            found[f"category-{family}-{attribute.name}"] = _digest(*base, stamps.labels, str(attribute.id))
    return found


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _decisions(workspace: Workspace) -> dict[str, NDArray[np.int8]]:
    """Return 1 accepted, 0 rejected, -1 without a score, for each attribute that has a threshold."""
    found = {}
    for attribute in workspace.attributes.all():
        threshold = current_threshold(workspace, attribute)
        if threshold is not None:
            scores = scores_of(workspace, attribute)
            found[attribute.name] = decide(scores, threshold.value)
    return found


def _thumbnail(workspace: Workspace, row: int) -> Image.Image | None:
    """A thumbnail, decoded by OpenCV: in half of Pillow's time, and without holding the interpreter meanwhile."""
    import cv2

    kept = workspace.thumbnails.read(row)
    try:
        data = kept or workspace.thumbnails.ensure(row, workspace.catalogue.image(row).path)
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if pixels is None:
            return Image.open(io.BytesIO(data))
        return Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
    except (BamError, OSError):  # the file is gone or damaged: the map shows an empty place
        return None


def _describe(workspace: Workspace, stamps: _Stamps, row: int) -> Mapping[str, Any]:
    image = workspace.catalogue.image(row)
    kept: dict[str, list[AttributeScorer]] = workspace.memory_cache.setdefault("standings", {})
    key = _digest(*stamps.scores.values(), *stamps.cuts.values())
    found = kept.get(key)
    if found is None:
        found = attribute_scorers(workspace)
        for old in list(kept)[:-1]:  # a view of the scores before these is still looked at
            kept.pop(old, None)
        kept[key] = found
    return {"title": image.title or Path(image.uri).name, "scores": top_attributes(found, row)}
