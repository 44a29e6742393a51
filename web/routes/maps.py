"""Routes around a map: the names on the land, the view at print size, a selection as a table.

In:  a way to get the workspace. Out: Starlette routes. Work runs in threads; sheets are drawn one at a time, as long as
somebody waits for them. Every complaint is JSON with a message.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bam_engine.errors import BamError, NotFound
from bam_engine.gallery import selections
from bam_engine.gallery.selection_table import csv_blocks
from bam_engine.maps import print_sheet, regions
from bam_engine.progress import Report
from bam_engine.workspace import Workspace
from web.routes.turns import FULL, LEFT, Turns, while_there

NEVER_KEPT = {"Cache-Control": "no-store"}
WAITING = 20
"""Sheets that may wait for the press."""

TYPES = {"png": "image/png", "svg": "image/svg+xml"}


def map_routes(get_workspace: Callable[[], Workspace], *, at_once: int = 4) -> list[Route]:
    """Return the routes.

    - ``GET /api/maps/{map_id}/names.json``: the names with their places, zooms and reasons; ``busy`` while they are
      still being looked for;
    - ``GET /api/maps/{map_id}/sheet.png`` and ``sheet.svg``: what is in view, at print size. ``x``, ``y``, ``z`` are
      the middle and the zoom of the view, ``w`` and ``h`` its pixels; ``colour``, ``paper`` (``a4-landscape`` …),
      ``dpi``, ``names`` (0 or 1), ``only``, the id of a selection, and ``pictures`` (``best``, ``medoid``, ``newest``);
    - ``GET /api/selections/{id}.csv``: the images of a selection with their scores.

    Parameters
    ----------
    at_once
        Lists of names made at the same time; others wait.
    """
    limiter, press, turns = CapacityLimiter(at_once), CapacityLimiter(1), Turns(at_once=1, waiting=WAITING)

    async def names(request: Request) -> Response:
        return await to_thread.run_sync(_guarded, _names, get_workspace, request, limiter=limiter)

    async def sheet(request: Request) -> Response:
        async with turns.turn(request) as word:
            if word == FULL:
                return _complaint("many sheets are being drawn. Try again in a minute.", 503)
            if word == LEFT:
                return _complaint("nobody waits for this sheet any longer", 404)
            return await while_there(request, partial(_drawn, get_workspace, request), press)

    async def table(request: Request) -> Response:
        return await to_thread.run_sync(_guarded, _table, get_workspace, request, limiter=limiter)

    async def unknown(_request: Request) -> Response:
        return _complaint("there is nothing here", 404)

    return [
        Route("/api/maps/{map_id}/names.json", names),
        Route("/api/maps/{map_id}/sheet.{ending}", sheet),
        Route("/api/maps/{rest:path}", unknown),
        Route("/api/selections/{selection_id}.csv", table),
        Route("/api/selections/{rest:path}", unknown),
    ]


def _guarded(
    make: Callable[[Workspace, Request], Response], get_workspace: Callable[[], Workspace], request: Request
) -> Response:
    try:
        return make(get_workspace(), request)
    except NotFound as error:
        return _complaint(str(error), 404)
    except BamError as error:
        return _complaint(str(error), 400)


def _names(workspace: Workspace, request: Request) -> Response:
    map_id = request.path_params["map_id"]
    told: list[dict[str, Any]] = [
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
    return JSONResponse({"names": told, "busy": regions.being_named(workspace, map_id)}, headers=NEVER_KEPT)


def _drawn(get_workspace: Callable[[], Workspace], request: Request, report: Report) -> Response:
    return _guarded(partial(_sheet, report=report), get_workspace, request)


def _sheet(workspace: Workspace, request: Request, *, report: Report) -> Response:
    asked, ending = request.query_params, request.path_params["ending"]
    if ending not in TYPES:
        return _complaint(f"a sheet is a {' or a '.join(TYPES)} file, not {ending[:20]!r}", 404)
    wanted = print_sheet.Sheet(
        map_id=request.path_params["map_id"],
        x=_number(asked.get("x")),
        y=_number(asked.get("y")),
        zoom=_number(asked.get("z")),
        width=_number(asked.get("w")),
        height=_number(asked.get("h")),
        colour=asked.get("colour", "density"),
        selection=asked.get("only", ""),
        representative=asked.get("pictures", "best"),
        paper=asked.get("paper", "a4-landscape"),
        dpi=_number(asked.get("dpi", "300")),
        names=asked.get("names", "1") != "0",
    )
    draw = print_sheet.png if ending == "png" else print_sheet.svg
    made = draw(workspace, wanted, report=report)
    name = f'attachment; filename="{print_sheet.file_name(wanted)}.{ending}"'
    return Response(made, media_type=TYPES[ending], headers={**NEVER_KEPT, "Content-Disposition": name})


def _table(workspace: Workspace, request: Request) -> Response:
    selection_id = request.path_params["selection_id"]
    rows = selections.rows_of(workspace, selection_id)
    name = f'attachment; filename="selection-{selection_id[:8]}.csv"'
    headers = {**NEVER_KEPT, "Content-Disposition": name}
    return StreamingResponse(csv_blocks(workspace, rows), media_type="text/csv; charset=utf-8", headers=headers)


def _number(text: str | None) -> float:
    """A number, or nan for what is none; the engine says what is wrong with it."""
    try:
        return float(text) if text else math.nan
    except ValueError:
        return math.nan


def _complaint(message: str, status: int) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers=NEVER_KEPT)
