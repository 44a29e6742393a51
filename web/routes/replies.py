"""How routes answer what goes wrong: a status that says whether to try again, and a sentence as JSON.

In:  an endpoint that raises errors of the engine. Out: one that answers them. What is no error of the engine or of its
stores is a defect and passes through.
"""

import functools
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bam_engine.errors import BamError, DiskFull, NotFound, StoreUnavailable, TeamError
from web.routes.caching import NO_STORE

RETRY_AFTER = 2
"""Seconds after which a browser may ask again."""

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_STORE_FAILED = "What was asked for cannot be read or stored at the moment."

Endpoint = Callable[[Request], Awaitable[Response]]

log = logging.getLogger(__name__)


def failed(status: int, message: str) -> Response:
    """Return an error as JSON."""
    again = {"Retry-After": str(RETRY_AFTER)} if status == 503 else {}
    return JSONResponse({"error": message}, status_code=status, headers={**NO_STORE, **again})


def reply_to(error: Exception, *, again: str = "") -> Response | None:
    """Return the response to an error of the engine or of its stores; None for a defect.

    ``again`` says who tries again where a store failed; by default the one who asked is to.
    """
    if isinstance(error, NotFound):
        return failed(404, str(error))
    if isinstance(error, StoreUnavailable | DiskFull):
        return failed(503, f"{error} {again}".rstrip())
    if isinstance(error, TeamError):
        return failed(403, str(error))
    if isinstance(error, BamError):
        return failed(400, str(error))
    if isinstance(error, SQLAlchemyError | OSError):
        log.error("a store failed", exc_info=error)
        return failed(503, f"{_STORE_FAILED} {again or 'Try again.'}")
    return None


def in_words(endpoint: Endpoint) -> Endpoint:
    """Return ``endpoint`` with the errors of the engine and of its stores answered."""

    @functools.wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Exception as error:
            reply = reply_to(error)
            if reply is None:
                raise
            return reply

    return answered


def nothing_below(prefix: str) -> list[Route]:
    """Return routes that answer 404 at and below ``prefix``, after all others: Streamlit would answer with a page."""
    return [Route(path, _nothing, methods=_METHODS) for path in (prefix, f"{prefix}/{{rest:path}}")]


async def _nothing(_request: Request) -> Response:
    return failed(404, "There is nothing at this address.")
