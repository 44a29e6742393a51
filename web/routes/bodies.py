"""The bodies of requests that write: JSON of limited size.

Only ``application/json`` is accepted, which a form on another site cannot send.
"""

import json
from typing import Any

from starlette.requests import Request

MAX_BODY = 1_000_000


class Rejected(Exception):
    """The request is malformed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_json(request: Request) -> Any:
    """Return the content of the body, which is limited to ``MAX_BODY`` bytes, whatever its headers claim.

    Raises
    ------
    Rejected
        It is too large, or not JSON.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Rejected(415, f"Answers must be application/json, not {media_type[:60] or 'without a content type'!r}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Rejected(413, f"The request has more than {MAX_BODY:,} bytes. Send fewer answers at a time.")
    try:
        return json.loads(bytes(body))
    except (ValueError, RecursionError) as error:
        raise Rejected(400, "The body is not JSON.") from error
