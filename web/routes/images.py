"""Thumbnails and large pictures by row.

``/thumbs/{row}.webp`` is the stored thumbnail, made if it is missing; ``/large/{row}.webp`` is the image, upright, at
most 1,600 px on a side. A URL with ``?v=``, the version of the workspace's pictures, is immutable; without it, or with
an earlier one, the browser revalidates. A few pictures of each kind are read at once, in threads of their own, so that
a disk or a database that does not answer holds up no other request; a request that waits is skipped when its browser
has left.
"""

import functools
import io
from collections.abc import Callable
from functools import partial

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bam_engine.collection import read_image
from bam_engine.collection.originals import Original
from bam_engine.errors import ImageUnreadable
from bam_engine.workspace import Workspace
from web.routes import numbers
from web.routes.caching import IMMUTABLE, REVALIDATE
from web.routes.replies import Endpoint, failed, in_words, nothing_below
from web.routes.request_queue import DISCONNECTED, FULL, RequestQueue

LARGE = 1600

WAITING = 2000
"""Requests of each kind that may wait; a browser asks for a few hundred thumbnails at a time."""


def image_routes(
    get_workspace: Callable[[], Workspace], *, thumbnails_at_once: int = 16, large_at_once: int = 4
) -> list[Route]:
    """Return the routes of thumbnails and large pictures."""
    numbers.register()
    thumbnail = _endpoint(get_workspace, _thumbnail, thumbnails_at_once)
    large = _endpoint(get_workspace, _large, large_at_once)
    return [
        Route("/thumbs/{row:number}.webp", thumbnail),
        Route("/large/{row:number}.webp", large),
        *nothing_below("/thumbs"),
        *nothing_below("/large"),
    ]


def _endpoint(
    get_workspace: Callable[[], Workspace], picture: Callable[[Workspace, int], bytes], at_once: int
) -> Endpoint:
    """Return an endpoint that reads at most ``at_once`` pictures at the same time."""
    queue, limiter = RequestQueue(at_once=at_once, waiting=WAITING), CapacityLimiter(at_once)

    async def endpoint(request: Request) -> Response:
        async with queue.slot(request) as status:
            if status == FULL:
                return failed(503, "Too many pictures are waiting. Try again.")
            if status == DISCONNECTED:
                return failed(404, "The client has disconnected.")
            return await to_thread.run_sync(partial(_respond, get_workspace, request, picture), limiter=limiter)

    return in_words(endpoint)


def _respond(
    get_workspace: Callable[[], Workspace], request: Request, picture: Callable[[Workspace, int], bytes]
) -> Response:
    workspace, row = get_workspace(), request.path_params["row"]
    with workspace.reading():
        tag = f'"{workspace.digest_of(row)}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304)
        try:
            content = picture(workspace, row)
        except ImageUnreadable as error:
            return failed(404, str(error))
        caching = IMMUTABLE if request.query_params.get("v") == workspace.picture_version else REVALIDATE
    return Response(content, media_type="image/webp", headers={"Cache-Control": caching, "ETag": tag})


def _thumbnail(workspace: Workspace, row: int) -> bytes:
    return workspace.thumbnails.read(row) or workspace.thumbnails.ensure(row, workspace.catalogue.image(row).path)


def _large(workspace: Workspace, row: int) -> bytes:
    return large_picture(workspace.catalogue.image(row).path, workspace.digest_of(row))


@functools.lru_cache(maxsize=32)
def large_picture(path: Original, digest: str = "") -> bytes:
    """Return the image of a ``digest`` as WebP, at most ``LARGE`` pixels on a side.

    Raises
    ------
    ImageUnreadable
        The file cannot be read, or holds another image.
    """
    image = read_image(path, size=LARGE, digest=digest)
    image.thumbnail((LARGE, LARGE))
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=88, method=2)
    return buffer.getvalue()
