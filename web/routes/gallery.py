"""Windows of a gallery's listing, fetched while the user scrolls.

In:  a listing's id and the number of a window, or of a pack of thumbnails; ``?q=`` is its query as JSON, from which a
listing that has left the cache is made again. Out: JSON; thumbnails, or the shapes of all images, as bytes. The content
of an id never changes, so responses are immutable; where the collection has changed since, the response names the
listing that replaces it.
"""

from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bam_engine.gallery.listing import Listing, by_id
from bam_engine.gallery.window import BLOCK, PACK, pack, shapes, window
from bam_engine.workspace import Workspace
from web.routes import numbers
from web.routes.caching import IMMUTABLE, NO_STORE
from web.routes.replies import in_words, nothing_below

ADDRESS = "/api/gallery"
_BYTES = "application/octet-stream"


def summary(listing: Listing) -> dict[str, Any]:
    """Return what the browser needs before the first window of a listing."""
    return {
        "id": listing.id,
        "q": listing.query.json(),
        "total": len(listing),
        "line": listing.line,
        "block": BLOCK,
        "pack": PACK,
        "address": ADDRESS,
    }


def gallery_routes(get_workspace: Callable[[], Workspace], *, at_once: int = 4) -> list[Route]:
    """Return the routes of a gallery.

    - ``GET /api/gallery/{id}/{block}.json?q=``: one window, see :class:`bam_engine.gallery.window.Window`;
    - ``GET /api/gallery/{id}/{pack}.pack?q=``: a pack of thumbnails, see :func:`bam_engine.gallery.window.pack`;
    - ``GET /api/gallery/{id}/shapes.bin?q=``: one byte for each image of the listing.

    Where the listing has changed, each returns ``{"moved": …}``: the summary of the listing that replaces it.

    Parameters
    ----------
    at_once
        Requests served at the same time; others wait.
    """
    limiter = CapacityLimiter(at_once)
    numbers.register()

    async def block(request: Request) -> Response:
        number = request.path_params["block"]
        return await to_thread.run_sync(
            _respond,
            get_workspace,
            request,
            lambda workspace, listing: JSONResponse(window(workspace, listing, number).payload()),
            limiter=limiter,
        )

    async def thumbnails(request: Request) -> Response:
        number = request.path_params["pack"]
        return await to_thread.run_sync(
            _respond,
            get_workspace,
            request,
            lambda workspace, listing: Response(pack(workspace, listing, number), media_type=_BYTES),
            limiter=limiter,
        )

    async def all_shapes(request: Request) -> Response:
        return await to_thread.run_sync(_respond, get_workspace, request, _shapes, limiter=limiter)

    return [
        Route(f"{ADDRESS}/{{listing}}/shapes.bin", in_words(all_shapes)),
        Route(f"{ADDRESS}/{{listing}}/{{block:number}}.json", in_words(block)),
        Route(f"{ADDRESS}/{{listing}}/{{pack:number}}.pack", in_words(thumbnails)),
        *nothing_below(ADDRESS),
    ]


def _respond(
    get_workspace: Callable[[], Workspace], request: Request, handler: Callable[[Workspace, Listing], Response]
) -> Response:
    """Return the handler's response for the requested listing, or the summary of the one that replaces it."""
    listing_id = request.path_params["listing"]
    tag = f'"{listing_id}-{request.url.path.rpartition("/")[2]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304)
    workspace = get_workspace()
    with workspace.reading():
        listing = by_id(workspace, listing_id, request.query_params.get("q", ""))
        if listing.id != listing_id:
            return JSONResponse({"moved": summary(listing)}, headers=NO_STORE)
        response = handler(workspace, listing)
    response.headers.update({"Cache-Control": IMMUTABLE, "ETag": tag})
    return response


def _shapes(workspace: Workspace, listing: Listing) -> Response:
    return Response(shapes(workspace, listing).tobytes(), media_type=_BYTES)
