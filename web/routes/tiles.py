"""Routes of the map: tiles, and the image at a position.

In:  a function that returns a map by its id.
Out: Starlette routes. A bounded number of threads draws and a bounded number of requests waits; tiles of disconnected
clients are not drawn. Every unknown address below is a 404, since Streamlit would answer an unmatched one with a page.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bam_engine.errors import NotFound
from bam_engine.projection import MapView, TileSource, media_type
from web.routes.caching import IMMUTABLE, NO_STORE, REVALIDATE
from web.routes.replies import in_words, nothing_below
from web.routes.request_queue import DISCONNECTED, FULL, RequestQueue
from web.routes.tile_packs import MAX_TILES, Tile, TilePack

GetMap = Callable[[str], MapView | None]

WAITING = 1000
"""Tiles that may wait to be drawn; a browser requests a few dozen at a time."""


def tile_routes(
    get_map: GetMap, *, get_cached_map: GetMap | None = None, at_once: int = 4, waiting: int = WAITING
) -> list[Route]:
    """Return the routes under ``/tiles``.

    - ``GET /tiles/{map_id}/{kind}/{z}/{x}/{y}?v=VERSION&only=SELECTION&theme=light|dark&pictures=``: a tile,
      immutable for that version, PNG with marks and WebP with pictures; with ``only``, points outside a selection are
      grey; ``pictures`` chooses the image that each cell shows (``best``, ``medoid``, ``newest``);
    - ``GET /tiles/{map_id}/{kind}/{z}.pack?tiles=X.Y,X.Y&...``: up to 64 such tiles in one response, see
      :mod:`.tile_packs`; with ``ahead=1`` (prefetching) they are drawn only while nothing else is;
    - ``GET /tiles/{map_id}/nearest?x=&y=&r=&kind=&z=&only=&pictures=``: the image at a position as JSON, with its
      highest ``scores``; ``row`` is null where there is none. ``kind`` is the colouring; with ``z``, the image whose
      picture is drawn there.

    Parameters
    ----------
    get_map : callable
        Map id to the map; None, or raises ``NotFound``, for an unknown one. Called in a thread.
    get_cached_map : callable, optional
        Like ``get_map``, but returns at once and may be slightly out of date. Used for the image under the pointer, for
        prefetching, and for packs of the version that it returns.
    at_once : int
        Tiles drawn at the same time; others wait.
    waiting : int
        Tiles that may wait, half of them of one client at most; further requests get a 503 with ``Retry-After``.
    """
    queue = RequestQueue(at_once=at_once, waiting=waiting)
    draw_limiter, open_limiter, nearest_limiter = (CapacityLimiter(number) for number in (at_once, at_once, 2))

    async def tile(request: Request) -> Response:
        path = request.path_params
        place = _tile_at(path["z"], path["x"], path["y"])
        if place is None:
            return _not_found()
        work = partial(_open_and_draw, get_map, path["map_id"], path["kind"], *place, **_tile_options(request))
        async with queue.slot(request) as status:
            if status == FULL:
                return _too_busy()
            drawn = None if status == DISCONNECTED else await to_thread.run_sync(work, limiter=draw_limiter)
        if drawn is None:
            return _not_found()
        view, body = drawn
        return Response(body, media_type=media_type(body), headers=_caching(request, view))

    async def pack(request: Request) -> Response:
        path, query = request.path_params, request.query_params
        tiles, ahead = _parse_tiles(path["z"], query.get("tiles", "")), query.get("ahead") == "1"
        opened = await _open_aside(get_cached_map or get_map, path["map_id"], open_limiter) if tiles else None
        if opened is not None and opened.version != query.get("v") and not ahead:
            opened = await _open_aside(get_map, path["map_id"], open_limiter)
        if opened is None:
            return _not_found()
        view, options = opened, _tile_options(request)
        return TilePack(
            request,
            tiles,
            lambda tile: _draw(view, path["kind"], *tile, **options),
            queue=queue,
            limiter=draw_limiter,
            headers=_caching(request, view),
            missing=_not_found(),
            full=_too_busy(),
            ahead=ahead,
        )

    async def nearest(request: Request) -> Response:
        x, y, radius = (_finite(request.query_params.get(name)) for name in ("x", "y", "r"))
        if x is None or y is None or radius is None or radius < 0:
            return _bad_request("x, y and r must be numbers, r at least 0: /tiles/ID/nearest?x=0.5&y=0.5&r=0.01")
        zoom = _whole_number(request.query_params.get("z", ""))
        kind = request.query_params.get("kind", "density")
        options = _image_options(request) | {"kind": kind, "zoom": zoom}
        work = partial(_nearest, get_cached_map or get_map, request.path_params["map_id"], x, y, radius, **options)
        image = await to_thread.run_sync(work, limiter=nearest_limiter)
        return _not_found() if image is None else JSONResponse(image, headers={"Cache-Control": REVALIDATE})

    return [
        Route("/tiles/{map_id}/nearest", in_words(nearest)),
        Route("/tiles/{map_id}/{kind}/{z}/{x}/{y}", in_words(tile)),
        Route("/tiles/{map_id}/{kind}/{z}.pack", in_words(pack)),
        *nothing_below("/tiles"),
    ]


def _image_options(request: Request) -> dict[str, Any]:
    """The selection, and which image stands for its cell."""
    query = request.query_params
    return {"only": query.get("only") or None, "representative": query.get("pictures", "best")}


def _tile_options(request: Request) -> dict[str, Any]:
    return _image_options(request) | {"theme": request.query_params.get("theme", "light")}


def _caching(request: Request, view: MapView) -> dict[str, str]:
    """Tiles are immutable where the view has the requested version."""
    return {"Cache-Control": IMMUTABLE if request.query_params.get("v") == view.version else REVALIDATE}


def _parse_tiles(zoom: str, text: str) -> list[Tile]:
    """The tiles of a pack; none where one of them does not exist, or there are too many."""
    parts = [one.split(".") for one in text.split(",", MAX_TILES)]
    tiles = [_tile_at(zoom, *part) if len(part) == 2 else None for part in parts]
    valid = [tile for tile in tiles if tile is not None and TileSource.has_tile(*tile)]
    return valid if len(valid) == len(tiles) <= MAX_TILES else []


def _tile_at(zoom: str, column: str, row: str) -> Tile | None:
    z, x, y = _whole_number(zoom), _whole_number(column), _whole_number(row)
    return None if z is None or x is None or y is None else (z, x, y)


def _open(get_map: GetMap, map_id: str) -> MapView | None:
    try:
        return get_map(map_id)
    except NotFound:
        return None


async def _open_aside(get_map: GetMap, map_id: str, limiter: CapacityLimiter) -> MapView | None:
    """Open a map in a thread."""
    return await to_thread.run_sync(_open, get_map, map_id, limiter=limiter)


def _draw(view: MapView, kind: str, z: int, x: int, y: int, **options: Any) -> bytes | None:
    try:
        return view.tile(kind, z, x, y, **options)
    except NotFound:
        return None


def _open_and_draw(
    get_map: GetMap, map_id: str, kind: str, z: int, x: int, y: int, **options: Any
) -> tuple[MapView, bytes] | None:
    view = _open(get_map, map_id)
    body = None if view is None else _draw(view, kind, z, x, y, **options)
    return None if view is None or body is None else (view, body)


def _nearest(get_map: GetMap, map_id: str, x: float, y: float, radius: float, **options: Any) -> dict[str, Any] | None:
    try:
        view = get_map(map_id)
        if view is None:
            return None
        return view.image_at(x, y, radius, **options) or {"row": None}
    except NotFound:
        return None


def _whole_number(text: str) -> int | None:
    """Parse up to nine plain digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _finite(text: str | None) -> float | None:
    try:
        number = float(text) if text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _not_found() -> Response:
    return Response("Not found.", status_code=404, media_type="text/plain", headers=NO_STORE)


def _bad_request(message: str) -> Response:
    return Response(message, status_code=400, media_type="text/plain", headers=NO_STORE)


def _too_busy() -> Response:
    headers = {**NO_STORE, "Retry-After": "1"}
    return Response("Too many tiles are waiting. Try again.", status_code=503, media_type="text/plain", headers=headers)
