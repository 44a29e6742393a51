"""Windows of what is found in BAM's file, fetched while the user scrolls, and pictures of its images.

In:  the id of a result and the number of a window; ``?q=`` is its query as JSON. Out: JSON. An id names the state of
the file, the query and the images of the collection, so that its windows never change; where one of these has changed,
the response names what replaces it. A picture is asked for by the number of its image, never by a URL, and fetched only
where an owner has switched that on.
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
from bam_engine.published.pictures import AT_ONCE, PictureServer, picture_settings, url_of
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

_KEPT = "private, max-age=3600"
_SQUARE = 128  # the code of a square in bam_engine.gallery.dimensions: the file does not tell the shapes of its images


def summary(workspace: Workspace, found: Found) -> dict[str, Any]:
    """Return what the browser needs before the first window of a result."""
    remote = PICTURES if picture_settings(workspace) is not None else ""
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
    - ``GET /api/bam-file/pictures/{mid}.webp``: the picture of an image of the file, from the cache or its URL.
    """
    limiter = CapacityLimiter(at_once)
    numbers.register()

    async def block(request: Request) -> Response:
        return await to_thread.run_sync(_respond, get_workspace, request, limiter=limiter)

    queue = RequestQueue(at_once=AT_ONCE, waiting=WAITING)

    async def picture(request: Request) -> Response:
        workspace = get_workspace()
        try:
            settings, url = await to_thread.run_sync(_url, workspace, request.path_params["mid"], limiter=limiter)
            async with queue.slot(request) as status:
                if status == FULL:
                    return failed(503, "Too many pictures are waiting. Try again.")
                if status == DISCONNECTED:
                    return failed(404, "The client has disconnected.")
                content = await workspace.state(PictureServer).picture(workspace, url, settings, resolver=resolver)
        except Failure as failure:
            return failed(503 if failure.kind == "busy" else 404, failure.reason)
        return Response(content, media_type="image/webp", headers={"Cache-Control": _KEPT})

    return [
        Route(f"{PICTURES}/{{mid:number}}.webp", in_words(picture)),
        Route(f"{ADDRESS}/{{found}}/shapes.bin", in_words(block)),
        Route(f"{ADDRESS}/{{found}}/{{block:number}}.json", in_words(block)),
        *nothing_below(ADDRESS),
    ]


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


def _url(workspace: Workspace, mid: int) -> tuple[Settings, Url]:
    """Return how pictures are fetched, and the URL of an image of the file."""
    with workspace.reading():
        settings = picture_settings(workspace)
        if settings is None:
            raise NotFound("Pictures are not fetched from their URLs: an owner can switch that on.")
        return settings, url_of(opened(workspace), mid, settings)
