"""Receives direct answers: to one image that no task asked about, given where the image is seen.

In:  ``POST /api/attributes/{id}/images/{row}/answer`` with ``{"answer", "annotator", "seen"}``: 1, 0, -1, or null to
withdraw it; whose answer it is; the mark that the page shows. Out: 200 ``{"mark", "own", "effect"}``, the label, the
direct answer that this one replaced, and what it does in words; 409 ``{"error", "mark"}`` where the label is another
one by now.
"""

from collections.abc import Callable
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bam_engine.labelling import direct_answers
from bam_engine.labelling.direct_answers import NewerLabel
from bam_engine.training.direct_effects import effect
from bam_engine.workspace import Workspace
from web import people
from web.routes import numbers
from web.routes.bodies import Rejected, read_json
from web.routes.caching import NO_STORE
from web.routes.replies import failed, in_words

_FORM = 'The body must be {"answer": 1, 0, -1 or null, "annotator": name, "seen": mark}.'


def direct_answer_routes(get_workspace: Callable[[], Workspace]) -> list[Route]:
    """Return the route that stores direct answers; ``get_workspace`` is called in a worker thread at every request."""
    numbers.register()

    async def save(request: Request) -> Response:
        try:
            content = await read_json(request)
            reply = await to_thread.run_sync(_store, get_workspace, request.path_params, content)
        except Rejected as error:
            return failed(error.status, str(error))
        except NewerLabel as error:
            return JSONResponse({"error": str(error), "mark": error.mark}, 409, headers=NO_STORE)
        return JSONResponse(reply, headers=NO_STORE)

    return [Route("/api/attributes/{attribute:number}/images/{row:number}/answer", in_words(save), methods=["POST"])]


def _store(get_workspace: Callable[[], Workspace], address: dict[str, Any], content: Any) -> dict[str, Any]:
    match content:
        case {"answer": (None | int()) as value, "annotator": str() as name} if not isinstance(value, bool):
            seen = content.get("seen")
        case _:
            raise Rejected(400, _FORM)
    if not isinstance(seen, str | None):
        raise Rejected(400, _FORM)
    account = people.person()
    name = name if account is None else account.name
    workspace, row = get_workspace(), address["row"]
    attribute = workspace.attributes.by_id(address["attribute"])
    before = direct_answers.answer(workspace, attribute, row, value, annotator=name, seen=seen)
    after = direct_answers.standing(workspace, attribute, row, name)
    return {"mark": after.mark, "own": before.own, "effect": effect(workspace, attribute, row)}
