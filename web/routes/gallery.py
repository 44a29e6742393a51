"""Windows of a gallery's listing, fetched while somebody scrolls.

In:  a listing's id and the number of a window, or of a pack of thumbnails; ``?q=`` is its query as JSON, from which a
listing that is no longer remembered is made again. Out: JSON; thumbnails, or the shapes of all its images, as bytes.
What an id names never changes, so answers may be kept for good; where the collection has changed since, the answer says
which listing took its place.
"""

from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bam_engine.errors import BamError, NotFound
from bam_engine.gallery.listing import Listing, by_id
from bam_engine.gallery.window import BLOCK, PACK, pack, shapes, window
from bam_engine.workspace import Workspace
from web.routes.caching import FOR_EVER

NEVER_KEPT = {"Cache-Control": "no-store"}
_BYTES = "application/octet-stream"


def summary(listing: Listing) -> dict[str, Any]:
    """Return what the browser must know of a listing before its first window."""
    return {
        "id": listing.id,
        "q": listing.query.json(),
        "total": len(listing),
        "line": listing.line,
        "block": BLOCK,
        "pack": PACK,
    }


def gallery_routes(get_workspace: Callable[[], Workspace], *, at_once: int = 4) -> list[Route]:
    """Return the routes of a gallery.

    - ``GET /api/gallery/{id}/{block}.json?q=``: one window, see :class:`bam_engine.gallery.window.Window`;
    - ``GET /api/gallery/{id}/{pack}.pack?q=``: thumbnails in one piece, see
      :func:`bam_engine.gallery.window.pack`;
    - ``GET /api/gallery/{id}/shapes.bin?q=``: one byte for each image of the listing.

    Each answers ``{"moved": …}``, the summary of the listing that took the place of this one, where it has changed.

    Parameters
    ----------
    at_once
        Windows made at the same time; others wait.
    """
    limiter = CapacityLimiter(at_once)

    async def block(request: Request) -> Response:
        number = request.path_params["block"]
        return await to_thread.run_sync(
            _answer,
            get_workspace,
            request,
            lambda workspace, listing: JSONResponse(window(workspace, listing, number).told()),
            limiter=limiter,
        )

    async def thumbnails(request: Request) -> Response:
        number = request.path_params["pack"]
        return await to_thread.run_sync(
            _answer,
            get_workspace,
            request,
            lambda workspace, listing: Response(pack(workspace, listing, number), media_type=_BYTES),
            limiter=limiter,
        )

    async def all_shapes(request: Request) -> Response:
        return await to_thread.run_sync(_answer, get_workspace, request, _shapes, limiter=limiter)

    async def unknown(_request: Request) -> Response:
        return JSONResponse({"error": "there is nothing here"}, status_code=404, headers=NEVER_KEPT)

    return [
        Route("/api/gallery/{listing}/shapes.bin", all_shapes),
        Route("/api/gallery/{listing}/{block:int}.json", block),
        Route("/api/gallery/{listing}/{pack:int}.pack", thumbnails),
        Route("/api/gallery/{rest:path}", unknown),
    ]


def _answer(
    get_workspace: Callable[[], Workspace], request: Request, make: Callable[[Workspace, Listing], Response]
) -> Response:
    """What is told of the listing that is asked for, or which one took its place."""
    asked = request.path_params["listing"]
    tag = f'"{asked}-{request.url.path.rpartition("/")[2]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304)
    try:
        workspace = get_workspace()
        listing = by_id(workspace, asked, request.query_params.get("q", ""))
        if listing.id != asked:
            return JSONResponse({"moved": summary(listing)}, headers=NEVER_KEPT)
        made = make(workspace, listing)
    except NotFound as error:
        return JSONResponse({"error": str(error)}, status_code=404, headers=NEVER_KEPT)
    except BamError as error:
        return JSONResponse({"error": str(error)}, status_code=400, headers=NEVER_KEPT)
    made.headers.update({"Cache-Control": FOR_EVER, "ETag": tag})
    return made


def _shapes(workspace: Workspace, listing: Listing) -> Response:
    return Response(shapes(workspace, listing).tobytes(), media_type=_BYTES)
