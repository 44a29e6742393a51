"""Receives answers: the labelling grid POSTs them here, and a reply of 200 means that they are stored.

In:  ``POST /api/assignments/{id}/answers`` with ``{"answers": [{"uid", "row", "answer", "seconds", "seen"}]}``, where
``seen`` is the stored answer that the page shows, -2 for none; and with ``"remarks": [{"uid", "row", "kind", "text"}]``
for the reviewer, where there are any. Out: 200 ``{"new": n, "repeated": m}`` after the commit,
or an error ``{"error": message}``. Where others were given in the meantime, which the page does not show, they stay,
and ``newer`` maps rows to them. ``extra`` is how many of the new ones came when others had given an image its votes.
"""

import logging
from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bam_engine.annotation import ForeignAssignment, NewAnswer, Saved, UsedUid
from bam_engine.annotation.answer_store import Annotations
from bam_engine.annotation.extra_votes import Terms
from bam_engine.annotation.remark_store import NewRemark
from bam_engine.errors import TeamError
from bam_engine.labelling import assigning
from web import engine, people
from web.routes.bodies import Rejected, read_json
from web.routes.replies import failed, reply_to

log = logging.getLogger(__name__)


def terms_of(assignment: Any) -> Terms | None:
    """Return the terms under which the workspace stores answers to an assignment now."""
    return assigning.terms_of(engine.workspace(), assignment)


def label_routes(
    get_annotations: Callable[[], Annotations],
    *,
    terms_of: Callable[[Any], Terms | None] = terms_of,
    at_once: int = 8,
) -> list[Route]:
    """Return the routes that store answers.

    Parameters
    ----------
    get_annotations
        Called in a worker thread at every request; returns the workspace's annotations.
    terms_of
        Returns the terms of an assignment; see :meth:`Annotations.record`.
    at_once
        Requests that store at the same time; others wait.
    """
    limiter = CapacityLimiter(at_once)

    def store(assignment_id: str, answers: list[NewAnswer], told: list[NewRemark]) -> Saved:
        account, annotations = people.person(), get_annotations()
        by = None if account is None else account.annotator_id
        saved = annotations.record(assignment_id, answers, by=by, terms_of=terms_of)
        if told:
            annotations.remarks.add(annotations.assignment(assignment_id), told)
        return saved

    async def save(request: Request) -> Response:
        try:
            content = await read_json(request)
            address = request.path_params["assignment_id"]
            saved = await to_thread.run_sync(store, address, _answers(content), _remarks(content), limiter=limiter)
        except Exception as error:
            return _reply_to(error)
        newer = {"newer": {str(row): answer for row, answer in saved.newer.items()}} if saved.newer else {}
        extra = {"extra": saved.extra} if saved.extra else {}
        return JSONResponse({"new": saved.new, "repeated": saved.repeated, **newer, **extra})

    return [Route("/api/assignments/{assignment_id}/answers", save, methods=["POST"])]


def _reply_to(error: Exception) -> Response:
    """Return the response to an error; the browser keeps the answers after 503 and 500, and sends them again."""
    match error:
        case Rejected():
            return failed(error.status, str(error))
        case ClientDisconnect():
            return failed(400, "The connection was closed before the answers had arrived.")
        case UsedUid():
            return failed(409, str(error))
        case ForeignAssignment() | TeamError():  # the browser keeps them until that person signs in again
            return failed(403, str(error))
    reply = reply_to(error, again="The browser keeps the answers and tries again.")
    if reply is not None:
        return reply
    log.error("answers could not be processed", exc_info=error)
    return failed(500, "The answers could not be processed. See the server's log for the reason.")


def _answers(content: Any) -> list[NewAnswer]:
    """Return the answers of a body; the store checks whether they fit the assignment."""
    answers: Any = content.get("answers") if isinstance(content, dict) else None
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        raise Rejected(400, 'The body must be {"answers": [{"uid", "row", "answer", "seconds"}, …]}.')
    try:
        return [
            NewAnswer(one["uid"], one["row"], one["answer"], one.get("seconds"), one.get("seen")) for one in answers
        ]
    except KeyError as error:
        raise Rejected(400, f"An answer has no {error}. Each needs uid, row and answer.") from error


def _remarks(content: dict[str, Any]) -> list[NewRemark]:
    """Return the remarks of a body; the store checks them."""
    remarks: Any = content.get("remarks", [])
    if not isinstance(remarks, list) or not all(isinstance(one, dict) for one in remarks):
        raise Rejected(400, 'Remarks must be [{"uid", "row", "kind", "text"}, …].')
    try:
        return [NewRemark(one["uid"], one["row"], one["kind"], one.get("text", "")) for one in remarks]
    except KeyError as error:
        raise Rejected(400, f"A remark has no {error}. Each needs uid, row and kind.") from error
