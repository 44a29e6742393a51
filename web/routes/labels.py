"""The way in for answers: the grid POSTs them here, the reply is the word that they are stored.

In:  ``POST /api/assignments/{id}/answers`` with ``{"answers": [{"uid", "row", "answer", "seconds"}]}``.
Out: 200 ``{"new": n, "repeated": m}`` after the commit, or an error ``{"error": message}``. Only ``application/json``
is taken: a form on another site cannot send that. Knows nothing of the screen.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bam_engine.annotation import NewAnswer, Saved
from bam_engine.annotation.answer_store import Annotations
from bam_engine.errors import BamError, NotFound

LARGEST_BODY = 1_000_000

log = logging.getLogger(__name__)


class _Refused(Exception):
    """The request cannot be taken as it is."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def label_routes(get_annotations: Callable[[], Annotations]) -> list[Route]:
    """Return the routes that store answers.

    Parameters
    ----------
    get_annotations
        Called in a worker thread at every request; returns the workspace's annotations.
    """

    def store(assignment_id: str, answers: list[NewAnswer]) -> Saved:
        return get_annotations().record(assignment_id, answers)

    async def save(request: Request) -> JSONResponse:
        try:
            answers = _parse(await _read(request))
            saved = await run_in_threadpool(store, request.path_params["assignment_id"], answers)
        except _Refused as refusal:
            return _error(refusal.status, str(refusal))
        except ClientDisconnect:
            return _error(400, "the connection was closed before the answers had arrived.")
        except NotFound as error:
            return _error(404, str(error))
        except BamError as error:
            return _error(400, str(error))
        except (SQLAlchemyError, OSError):
            log.exception("answers could not be stored")
            return _error(503, "the answers could not be stored just now. The browser keeps them and tries again.")
        except Exception:
            log.exception("answers could not be taken")
            return _error(500, "the answers could not be taken: the server's log says why.")
        return JSONResponse({"new": saved.new, "repeated": saved.repeated})

    return [Route("/api/assignments/{assignment_id}/answers", save, methods=["POST"])]


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)


async def _read(request: Request) -> bytes:
    """The body, no more than ``LARGEST_BODY`` of it whatever its headers claim."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise _Refused(415, f"answers are taken as application/json, not as {kind[:60] or 'nothing named'!r}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise _Refused(413, f"more than {LARGEST_BODY:,} bytes were sent: send fewer answers at a time.")
    return bytes(body)


def _parse(body: bytes) -> list[NewAnswer]:
    """The answers of a body; whether they fit the assignment is for the store to say."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Refused(400, "the body is not JSON.") from error
    answers: Any = content.get("answers") if isinstance(content, dict) else None
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        raise _Refused(400, 'the body must be {"answers": [{"uid", "row", "answer", "seconds"}, …]}.')
    try:
        return [NewAnswer(one["uid"], one["row"], one["answer"], one.get("seconds")) for one in answers]
    except KeyError as error:
        raise _Refused(400, f"an answer has no {error}: each needs uid, row and answer.") from error
