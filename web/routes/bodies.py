"""The bodies of requests that write: of limited size, and answers as JSON.

Of answers only ``application/json`` is accepted, which a form on another site cannot send.
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
    kind = media_type(request)
    if kind != "application/json":
        raise Rejected(415, f"Answers must be application/json, not {kind[:60] or 'without a content type'!r}.")
    words = f"The request has more than {MAX_BODY:,} bytes. Send fewer answers at a time."
    try:
        return json.loads(await read_body(request, MAX_BODY, words))
    except (ValueError, RecursionError) as error:
        raise Rejected(400, "The body is not JSON.") from error


def media_type(request: Request) -> str:
    """Return the type that a request gives its body, without parameters; "" where it gives none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request, most: int, words: str) -> bytes:
    """Return the body, limited to ``most`` bytes whatever its headers claim; ``words`` refuse a larger one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Rejected(413, words)
    return bytes(body)
