"""Routes around a map: the names of its regions, the view at print size, a selection as a table.

In:  a function that returns the workspace. Out: Starlette routes. Work runs in threads; sheets for print are drawn one
at a time, and no longer than their client stays connected. Errors are JSON with a message.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bam_engine.gallery import selections
from bam_engine.gallery.selection_table import csv_blocks
from bam_engine.maps import print_sheet, regions
from bam_engine.progress import Report
from bam_engine.workspace import Workspace
from web.routes import numbers
from web.routes.caching import NO_STORE
from web.routes.replies import failed, in_words, nothing_below
from web.routes.request_queue import DISCONNECTED, FULL, RequestQueue, run_until_disconnected

WAITING = 20
"""Sheets that may wait to be drawn."""

TYPES = {"png": "image/png", "svg": "image/svg+xml"}


def map_routes(get_workspace: Callable[[], Workspace], *, at_once: int = 4) -> list[Route]:
    """Return the routes.

    - ``GET /api/maps/{map_id}/names.json``: the names with their positions, zooms and reasons; ``busy`` while new ones
      are being computed;
    - ``GET /api/maps/{map_id}/sheet.png`` and ``sheet.svg``: the view at print size. ``x``, ``y``, ``z`` are its centre
      and zoom, ``w`` and ``h`` its size in pixels; ``colour``, ``paper`` (``a4-landscape`` …), ``dpi``, ``names`` (0 or
      1), ``only`` (the id of a selection), and ``pictures`` (``best``, ``medoid``, ``newest``);
    - ``GET /api/selections/{id}.csv``: the images of a selection with their scores.

    Parameters
    ----------
    at_once
        Requests for names or tables served at the same time; others wait.
    """
    limiter, print_limiter = CapacityLimiter(at_once), CapacityLimiter(1)
    print_queue = RequestQueue(at_once=1, waiting=WAITING)

    async def names(request: Request) -> Response:
        return await to_thread.run_sync(_respond, _names, get_workspace, request, limiter=limiter)

    async def sheet(request: Request) -> Response:
        async with print_queue.slot(request) as status:
            if status == FULL:
                return failed(503, "Too many sheets are being drawn. Try again in a minute.")
            if status == DISCONNECTED:
                return failed(404, "The client has disconnected.")
            return await run_until_disconnected(request, partial(_draw, get_workspace, request), print_limiter)

    async def table(request: Request) -> Response:
        return await to_thread.run_sync(_respond, _table, get_workspace, request, limiter=limiter)

    return [
        Route("/api/maps/{map_id}/names.json", in_words(names)),
        Route("/api/maps/{map_id}/sheet.{ending}", in_words(sheet)),
        *nothing_below("/api/maps"),
        Route("/api/selections/{selection_id}.csv", in_words(table)),
        *nothing_below("/api/selections"),
    ]


def _respond(
    handler: Callable[[Workspace, Request], Response], get_workspace: Callable[[], Workspace], request: Request
) -> Response:
    workspace = get_workspace()
    with workspace.reading():
        return handler(workspace, request)


def _names(workspace: Workspace, request: Request) -> Response:
    map_id = request.path_params["map_id"]
    names: list[dict[str, Any]] = [
        {
            "name": region.name,
            "why": region.why,
            "x": region.x,
            "y": region.y,
            "count": region.count,
            "from": region.from_zoom,
            "to": region.to_zoom,
        }
        for region in regions.regions_of(workspace, map_id)
    ]
    return JSONResponse({"names": names, "busy": regions.is_naming(workspace, map_id)}, headers=NO_STORE)


def _draw(get_workspace: Callable[[], Workspace], request: Request, report: Report) -> Response:
    return _respond(partial(_sheet, report=report), get_workspace, request)


def _sheet(workspace: Workspace, request: Request, *, report: Report) -> Response:
    query, ending = request.query_params, request.path_params["ending"]
    if ending not in TYPES:
        return failed(404, f"Sheets are {' or '.join(TYPES)} files, not {ending[:20]!r}.")
    sheet = print_sheet.Sheet(
        map_id=request.path_params["map_id"],
        x=numbers.number(query.get("x")),
        y=numbers.number(query.get("y")),
        zoom=numbers.number(query.get("z")),
        width=numbers.number(query.get("w")),
        height=numbers.number(query.get("h")),
        colour=query.get("colour", "density"),
        selection=query.get("only", ""),
        representative=query.get("pictures", "best"),
        paper=query.get("paper", "a4-landscape"),
        dpi=numbers.number(query.get("dpi", "300")),
        names=query.get("names", "1") != "0",
    )
    draw = print_sheet.png if ending == "png" else print_sheet.svg
    content = draw(workspace, sheet, report=report)
    name = f'attachment; filename="{print_sheet.file_name(sheet)}.{ending}"'
    return Response(content, media_type=TYPES[ending], headers={**NO_STORE, "Content-Disposition": name})


def _table(workspace: Workspace, request: Request) -> Response:
    selection_id = request.path_params["selection_id"]
    rows = selections.rows_of(workspace, selection_id)
    name = f'attachment; filename="selection-{selection_id[:8]}.csv"'
    headers = {**NO_STORE, "Content-Disposition": name}
    blocks = csv_blocks(workspace, rows, raw_text=request.query_params.get("raw-text", "0") != "0")
    return StreamingResponse(blocks, media_type="text/csv; charset=utf-8", headers=headers)
