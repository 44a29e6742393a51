"""Windows of what is found in BAM's file, fetched while the user scrolls.

In:  the id of a result and the number of a window; ``?q=`` is its query as JSON. Out: JSON. An id names the state of
the file, the query and the images of the collection, so that its windows never change; where one of these has changed,
the response names what replaces it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bam_engine.published import Found, find, from_json, opened
from bam_engine.published.window import BLOCK, window
from bam_engine.workspace import Workspace
from web.routes import numbers
from web.routes.caching import IMMUTABLE, NO_STORE
from web.routes.replies import in_words, nothing_below

ADDRESS = "/api/bam-file"
_SQUARE = 128  # the code of a square in bam_engine.gallery.dimensions: the file does not tell the shapes of its images


def summary(workspace: Workspace, found: Found) -> dict[str, Any]:
    """Return what the browser needs before the first window of a result."""
    return {
        "id": f"{found.id}-{workspace.picture_version}",
        "q": found.query.json(),
        "total": len(found),
        "line": None,
        "block": BLOCK,
        "pack": 0,
        "address": ADDRESS,
    }


def bam_file_routes(get_workspace: Callable[[], Workspace], *, at_once: int = 4) -> list[Route]:
    """Return the routes of BAM's file.

    - ``GET /api/bam-file/{id}/{block}.json?q=``: one window, see :class:`bam_engine.published.window.FileWindow`;
    - ``GET /api/bam-file/{id}/shapes.bin?q=``: one byte for each image, the code of a square.
    """
    limiter = CapacityLimiter(at_once)
    numbers.register()

    async def block(request: Request) -> Response:
        return await to_thread.run_sync(_respond, get_workspace, request, limiter=limiter)

    return [
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
