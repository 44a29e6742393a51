"""Receives answers: the labelling grid POSTs them here, and a reply of 200 means that they are stored.

In:  ``POST /api/assignments/{id}/answers`` with ``{"answers": [{"uid", "row", "answer", "seconds"}]}``.
Out: 200 ``{"new": n, "repeated": m}`` after the commit, or an error ``{"error": message}``. Only ``application/json``
is accepted, which a form on another site cannot send.
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
from bam_engine.errors import BamError, NotFound, StoreUnavailable

MAX_BODY = 1_000_000

log = logging.getLogger(__name__)


class _Rejected(Exception):
    """The request is malformed."""

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
        except _Rejected as rejection:
            return _error(rejection.status, str(rejection))
        except ClientDisconnect:
            return _error(400, "The connection was closed before the answers had arrived.")
        except NotFound as error:
            return _error(404, str(error))
        except StoreUnavailable as error:
            return _error(503, f"{error} The browser keeps the answers and tries again.")
        except BamError as error:
            return _error(400, str(error))
        except (SQLAlchemyError, OSError):
            log.exception("answers could not be stored")
            return _error(503, "The answers could not be stored. The browser keeps them and tries again.")
        except Exception:
            log.exception("answers could not be processed")
            return _error(500, "The answers could not be processed. See the server's log for the reason.")
        return JSONResponse({"new": saved.new, "repeated": saved.repeated})

    return [Route("/api/assignments/{assignment_id}/answers", save, methods=["POST"])]


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)


async def _read(request: Request) -> bytes:
    """Return the body; it is limited to ``MAX_BODY`` bytes, whatever its headers claim."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise _Rejected(415, f"Answers must be application/json, not {media_type[:60] or 'without a content type'!r}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise _Rejected(413, f"The request has more than {MAX_BODY:,} bytes. Send fewer answers at a time.")
    return bytes(body)


def _parse(body: bytes) -> list[NewAnswer]:
    """Return the answers of a body; the store checks whether they fit the assignment."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Rejected(400, "The body is not JSON.") from error
    answers: Any = content.get("answers") if isinstance(content, dict) else None
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        raise _Rejected(400, 'The body must be {"answers": [{"uid", "row", "answer", "seconds"}, …]}.')
    try:
        return [NewAnswer(one["uid"], one["row"], one["answer"], one.get("seconds")) for one in answers]
    except KeyError as error:
        raise _Rejected(400, f"An answer has no {error}. Each needs uid, row and answer.") from error
