"""Windows of what is found in BAM's file, fetched while the user scrolls, and pictures of its images.

In:  the id of a result and the number of a window; ``?q=`` is its query as JSON. Out: JSON. An id names the state of
the file, the query and the images of the collection, so that its windows never change; where one of these has changed,
the response names what replaces it. A picture is asked for by the state of the file and the number of its image, never
by a URL, and fetched only while an owner has that switched on.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bam_engine.download import Failure, Settings
from bam_engine.download.network import Resolve, resolve
from bam_engine.download.urls import Url
from bam_engine.errors import NotFound
from bam_engine.published import Found, find, from_json, opened
from bam_engine.published.hosts import AT_ONCE
from bam_engine.published.pictures import SWITCHED, FilePictures, PictureServer, picture_settings, url_of
from bam_engine.published.window import BLOCK, window
from bam_engine.workspace import Workspace
from web.routes import numbers
from web.routes.caching import IMMUTABLE, NO_STORE
from web.routes.replies import failed, in_words, nothing_below
from web.routes.request_queue import DISCONNECTED, FULL, RequestQueue

ADDRESS = "/api/bam-file"
PICTURES = f"{ADDRESS}/pictures"
WAITING = 400
"""Requests for pictures that may wait."""

_SQUARE = 128  # the code of a square in bam_engine.gallery.dimensions: the file does not tell the shapes of its images


def pictures_of(key: str) -> str:
    """Return the address of the pictures of a state of the file, the ``key`` of its arrays."""
    return f"{PICTURES}/{key}"


def summary(workspace: Workspace, found: Found) -> dict[str, Any]:
    """Return what the browser needs before the first window of a result."""
    remote = pictures_of(found.file) if picture_settings(workspace) is not None else ""
    return {
        "id": f"{found.id}-{workspace.picture_version}" + ("-remote" if remote else ""),
        "q": found.query.json(),
        "total": len(found),
        "line": None,
        "block": BLOCK,
        "pack": 0,
        "address": ADDRESS,
        "remote": remote,
    }


def bam_file_routes(
    get_workspace: Callable[[], Workspace], *, at_once: int = 4, resolver: Resolve = resolve
) -> list[Route]:
    """Return the routes of BAM's file.

    - ``GET /api/bam-file/{id}/{block}.json?q=``: one window, see :class:`bam_engine.published.window.FileWindow`;
    - ``GET /api/bam-file/{id}/shapes.bin?q=``: one byte for each image, the code of a square;
    - ``GET /api/bam-file/pictures/{file}/{mid}.webp``: the picture of an image of a state of the file, from the cache
      or its URL; for pages of this server alone.
    """
    limiter = CapacityLimiter(at_once)
    numbers.register()

    async def block(request: Request) -> Response:
        return await to_thread.run_sync(_respond, get_workspace, request, limiter=limiter)

    queue = RequestQueue(at_once=AT_ONCE * 4, waiting=WAITING)  # so that a slow host does not hold all

    async def picture(request: Request) -> Response:
        return _refused(request) or await _picture(get_workspace(), request, queue, limiter, resolver)

    return [
        Route(f"{PICTURES}/{{file}}/{{mid:number}}.webp", in_words(picture)),
        Route(f"{ADDRESS}/{{found}}/shapes.bin", in_words(block)),
        Route(f"{ADDRESS}/{{found}}/{{block:number}}.json", in_words(block)),
        *nothing_below(ADDRESS),
    ]


async def _picture(
    workspace: Workspace, request: Request, queue: RequestQueue, limiter: CapacityLimiter, resolver: Resolve
) -> Response:
    """Return a picture from the cache or, after waiting in the queue, from its URL."""

    async def asked() -> tuple[FilePictures, Url]:
        named = request.path_params["file"], request.path_params["mid"]
        settings, url = await to_thread.run_sync(_url, workspace, *named, limiter=limiter)
        return workspace.state(PictureServer).pictures(workspace, settings, resolver=resolver), url

    try:
        pictures, url = await asked()
        content = await pictures.kept(url)
        if content is None:
            async with queue.slot(request) as status:
                if status == FULL:
                    return failed(503, "Too many pictures are waiting. Try again.")
                if status == DISCONNECTED:
                    return failed(404, "The client has disconnected.")
                now = await asked()  # it may have waited for long
                content = await now[0].picture(now[1])
            if await asked() != now:
                raise NotFound(SWITCHED)
    except Failure as failure:
        return failed(503 if failure.kind == "busy" else 404, failure.reason)
    return Response(content, media_type="image/webp", headers=NO_STORE)


def _respond(get_workspace: Callable[[], Workspace], request: Request) -> Response:
    """Return a window, or the shapes where none is named; or the summary of the result that replaces it."""
    workspace, number = get_workspace(), request.path_params.get("block")
    with workspace.reading():
        arrays = opened(workspace)
        found = find(workspace, arrays, from_json(request.query_params.get("q", "")))
        about = summary(workspace, found)
        if about["id"] != request.path_params["found"]:
            return JSONResponse({"moved": about}, headers=NO_STORE)
        caching = {"Cache-Control": IMMUTABLE}
        if number is None:
            shapes = np.full(len(found), _SQUARE, np.uint8).tobytes()
            return Response(shapes, media_type="application/octet-stream", headers=caching)
        return JSONResponse(window(workspace, arrays, found, number).payload(), headers=caching)


def _refused(request: Request) -> Response | None:
    """Refuse what only asks about a picture, and what a page of another site asks or links to: each makes a request."""
    if request.method != "GET":
        return failed(405, "Pictures are asked for with GET.")
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return failed(403, "Pictures of BAM's file are for pages of this server.")
    return None


def _url(workspace: Workspace, file: str, mid: int) -> tuple[Settings, Url]:
    """Return how pictures are fetched, and the URL of an image of a state of the file."""
    with workspace.reading():
        settings = picture_settings(workspace)
        if settings is None:
            raise NotFound("Pictures are not fetched from their URLs: an owner can switch that on.")
        arrays = opened(workspace)
        if arrays.key != file:
            raise NotFound("BAM's file is another one now, or has changed. Load the page again.")
        return settings, url_of(arrays, mid, settings)
