"""Routes of the map: tiles, the image at a place, and Leaflet itself.

In:  a way to get a map by its id.
Out: Starlette routes. Drawing runs in threads, a bounded number at once, with a bounded number waiting; what nobody
waits for any longer is not drawn. Every unknown address is a 404, since the server would answer an unmatched one with a
page.
"""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from bam_engine.errors import NotFound
from bam_engine.projection import MapView, TileSource
from web.routes.caching import ALWAYS_ASK, FOR_EVER
from web.routes.tile_packs import MOST, Tile, TilePack
from web.routes.turns import FULL, LEFT, Turns

GetMap = Callable[[str], MapView | None]

LEAFLET = Path(__file__).resolve().parents[1] / "vendor" / "leaflet" / "leaflet-src.esm.js"


WAITING = 1000
"""Tiles that may wait to be drawn: a browser asks for some dozens."""


def tile_routes(
    get_map: GetMap, *, glance: GetMap | None = None, at_once: int = 4, waiting: int = WAITING
) -> list[Route]:
    """Routes under ``/tiles`` and ``/vendor``.

    - ``GET /tiles/{map_id}/{kind}/{z}/{x}/{y}.webp?v=VERSION&only=SELECTION&theme=light|dark&pictures=``: a tile,
      immutable for that version; with ``only`` the points outside a selection are grey; ``pictures`` says which image
      of a cell is shown (``best``, ``medoid``, ``newest``);
    - ``GET /tiles/{map_id}/{kind}/{z}.pack?tiles=X.Y,X.Y&...``: up to 64 such tiles in one answer, see
      :mod:`.tile_packs`; with ``ahead=1`` only while nothing else is drawn;
    - ``GET /tiles/{map_id}/nearest?x=&y=&r=&kind=&z=&only=&pictures=``: the image at a place as JSON (``row`` null when
      there is none), with its highest ``scores``. ``kind`` is the colouring; with ``z``, the image whose picture stands
      there;
    - ``GET /vendor/leaflet-src.esm.js``.

    Parameters
    ----------
    get_map : callable
        Map id to the map, None (or NotFound) when there is no such map. Called in a thread.
    glance : callable, optional
        The same for the image under the pointer and for packs of the version that it gives, or ahead: it may be a
        moment behind but must come at once.
    at_once : int
        Tiles drawn at the same time; others wait.
    waiting : int
        How many wait, half of them of one client at most; to others the answer is 503, to come again.
    """
    turns = Turns(at_once=at_once, waiting=waiting)
    limiter, opening, looking = CapacityLimiter(at_once), CapacityLimiter(at_once), CapacityLimiter(2)

    async def tile(request: Request) -> Response:
        asked = request.path_params
        numbers = [_whole(asked[name]) for name in ("z", "x", "y")]
        if None in numbers:
            return _not_there()
        work = partial(_draw, get_map, asked["map_id"], asked["kind"], *numbers, **_look(request))
        async with turns.turn(request) as word:
            if word == FULL:
                return _come_again()
            drawn = None if word == LEFT else await to_thread.run_sync(work, limiter=limiter)
        if drawn is None:
            return _not_there()
        view, body = drawn
        return Response(body, media_type="image/webp", headers=_kept(request, view))

    async def pack(request: Request) -> Response:
        asked, query = request.path_params, request.query_params
        tiles, ahead = _tiles(asked["z"], query.get("tiles", "")), query.get("ahead") == "1"
        open_one = partial(to_thread.run_sync, _opened, limiter=opening)
        opened = await open_one(glance or get_map, asked["map_id"]) if tiles else None
        if opened is not None and opened.version != query.get("v") and not ahead:
            opened = await open_one(get_map, asked["map_id"])
        if opened is None:
            return _not_there()
        view, how = opened, _look(request)
        return TilePack(
            request,
            tiles,
            lambda tile: _drawn(view, asked["kind"], *tile, **how),
            turns=turns,
            limiter=limiter,
            headers=_kept(request, view),
            missing=_not_there(),
            full=_come_again(),
            ahead=ahead,
        )

    async def nearest(request: Request) -> Response:
        x, y, radius = (_finite(request.query_params.get(name)) for name in ("x", "y", "r"))
        if x is None or y is None or radius is None or radius < 0:
            return _complaint("x, y and r are numbers, r is 0 or more: /tiles/ID/nearest?x=0.5&y=0.5&r=0.01")
        zoom = _whole(request.query_params.get("z", ""))
        kind = request.query_params.get("kind", "density")
        how = _which(request) | {"kind": kind, "zoom": zoom}
        work = partial(_find, glance or get_map, request.path_params["map_id"], x, y, radius, **how)
        found = await to_thread.run_sync(work, limiter=looking)
        return _not_there() if found is None else JSONResponse(found, headers={"Cache-Control": ALWAYS_ASK})

    return [
        Route("/tiles/{map_id}/nearest", nearest),
        Route("/tiles/{map_id}/{kind}/{z}/{x}/{y}.webp", tile),
        Route("/tiles/{map_id}/{kind}/{z}.pack", pack),
        Route("/tiles/{rest:path}", _unknown),
        Route("/vendor/leaflet-src.esm.js", _leaflet),
        Route("/vendor/{rest:path}", _unknown),
    ]


async def _leaflet(_request: Request) -> Response:
    return FileResponse(LEAFLET, media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})


async def _unknown(_request: Request) -> Response:
    return _not_there()


def _which(request: Request) -> dict[str, Any]:
    """Which images are picked out, and which stand for their cells."""
    query = request.query_params
    return {"only": query.get("only") or None, "representative": query.get("pictures", "best")}


def _look(request: Request) -> dict[str, Any]:
    """How tiles are asked to look."""
    return _which(request) | {"theme": request.query_params.get("theme", "light")}


def _kept(request: Request, view: MapView) -> dict[str, str]:
    """How long tiles may be kept: for good where they are of the version that was asked for."""
    return {"Cache-Control": FOR_EVER if request.query_params.get("v") == view.version else ALWAYS_ASK}


def _tiles(zoom: str, listed: str) -> list[Tile]:
    """The tiles of a pack; none where one of them is not there, or they are too many."""
    numbers = [[_whole(zoom), *(_whole(part) for part in each.split("."))] for each in listed.split(",", MOST)]
    tiles = [(z, x, y) for z, x, y in (each for each in numbers if len(each) == 3) if None not in (z, x, y)]
    whole = len(tiles) == len(numbers) <= MOST and all(TileSource.has_tile(*tile) for tile in tiles)
    return tiles if whole else []


def _opened(get_map: GetMap, map_id: str) -> MapView | None:
    try:
        return get_map(map_id)
    except NotFound:
        return None


def _drawn(view: MapView, kind: str, z: int, x: int, y: int, **how: Any) -> bytes | None:
    try:
        return view.tile(kind, z, x, y, **how)
    except NotFound:
        return None


def _draw(get_map: GetMap, map_id: str, kind: str, z: int, x: int, y: int, **how: Any) -> tuple[MapView, bytes] | None:
    view = _opened(get_map, map_id)
    body = None if view is None else _drawn(view, kind, z, x, y, **how)
    return None if view is None or body is None else (view, body)


def _find(get_map: GetMap, map_id: str, x: float, y: float, radius: float, **how: Any) -> dict[str, Any] | None:
    try:
        view = get_map(map_id)
        if view is None:
            return None
        return view.look(x, y, radius, **how) or {"row": None}
    except NotFound:
        return None


def _whole(text: str) -> int | None:
    """A number written in a few plain digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _finite(text: str | None) -> float | None:
    try:
        number = float(text) if text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _not_there() -> Response:
    return Response("not there", status_code=404, media_type="text/plain", headers={"Cache-Control": "no-store"})


def _complaint(message: str) -> Response:
    return Response(message, status_code=400, media_type="text/plain", headers={"Cache-Control": "no-store"})


def _come_again() -> Response:
    headers = {"Cache-Control": "no-store", "Retry-After": "1"}
    return Response("too many tiles are waited for", status_code=503, media_type="text/plain", headers=headers)
