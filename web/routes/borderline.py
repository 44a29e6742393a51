"""The images that lie just above and just below a score, while a threshold is moved.

In:  ``GET /api/attributes/{id}/borderline.json?threshold=0.412``. Out: ``{"above", "below"}``, each the closest first:
row, score as people read it, tooltip and label of up to 12 images.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bam_engine.annotation import Attribute
from bam_engine.formatting import decimal
from bam_engine.labelling.label_states import states
from bam_engine.training.borderline import borderline
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from web.routes import numbers
from web.routes.caching import NO_STORE
from web.routes.replies import failed, in_words


def borderline_routes(get_workspace: Callable[[], Workspace], *, at_once: int = 2) -> list[Route]:
    """Return the route; of the requests that come together ``at_once`` are answered, and others wait."""
    numbers.register()
    limiter = CapacityLimiter(at_once)

    async def beside(request: Request) -> Response:
        threshold = numbers.number(request.query_params.get("threshold"))
        if not math.isfinite(threshold):
            return failed(400, "The address must give a number as ?threshold=, such as 0.412.")
        answer = partial(_beside, get_workspace, request.path_params["attribute"], threshold)
        return JSONResponse(await to_thread.run_sync(answer, limiter=limiter), headers=NO_STORE)

    return [Route("/api/attributes/{attribute:number}/borderline.json", in_words(beside))]


def _beside(get_workspace: Callable[[], Workspace], attribute_id: int, threshold: float) -> dict[str, Any]:
    workspace = get_workspace()
    with workspace.reading():
        attribute = workspace.attributes.by_id(attribute_id)
        above, below = borderline(workspace, attribute, threshold)
        return {name: _pictures(workspace, attribute, rows) for name, rows in (("above", above), ("below", below))}


def _pictures(workspace: Workspace, attribute: Attribute, rows: Any) -> list[tuple[int, str, str, str]]:
    scores, marks = scores_of(workspace, attribute), states(workspace, attribute).marks(rows)
    return [
        (int(row), decimal(float(scores[row]), 3), "", mark) for row, mark in zip(rows.tolist(), marks, strict=True)
    ]
