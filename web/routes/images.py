"""Thumbnails and large pictures by row.

``/thumbs/{row}.webp`` is the stored thumbnail, made if it is missing; ``/large/{row}.webp`` is the image, upright, at
most 1,600 px on a side. A URL with ``?v=``, the id of the workspace, is immutable; without it the browser revalidates.
"""

import functools
import io
from collections.abc import Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bam_engine.collection import read_image
from bam_engine.errors import BamError
from bam_engine.workspace import Workspace
from web.routes.caching import IMMUTABLE, REVALIDATE

LARGE = 1600


def image_routes(get_workspace: Callable[[], Workspace]) -> list[Route]:
    """Return the routes of thumbnails and large pictures."""

    async def thumbnail(request: Request) -> Response:
        return await _answer(
            request, lambda ws, row: ws.thumbnails.read(row) or ws.thumbnails.ensure(row, ws.catalogue.image(row).path)
        )

    async def large(request: Request) -> Response:
        return await _answer(request, lambda ws, row: large_picture(ws.catalogue.image(row).path))

    async def _answer(request: Request, picture: Callable[[Workspace, int], bytes]) -> Response:
        workspace = get_workspace()
        row = request.path_params["row"]
        tag = f'"{workspace.id}-{row}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304)
        try:
            content = await run_in_threadpool(picture, workspace, row)
        except BamError as error:
            return PlainTextResponse(str(error), status_code=404)
        caching = IMMUTABLE if "v" in request.query_params else REVALIDATE
        return Response(content, media_type="image/webp", headers={"Cache-Control": caching, "ETag": tag})

    return [Route("/thumbs/{row:int}.webp", thumbnail), Route("/large/{row:int}.webp", large)]


@functools.lru_cache(maxsize=32)
def large_picture(path: Path) -> bytes:
    """Return an image as WebP, at most ``LARGE`` pixels on a side."""
    image = read_image(path, size=LARGE)
    image.thumbnail((LARGE, LARGE))
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=88, method=2)
    return buffer.getvalue()
