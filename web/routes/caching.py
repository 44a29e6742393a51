"""``Cache-Control`` headers of our routes, and the responses that every cache may keep."""

from starlette.requests import Request
from starlette.responses import Response

IMMUTABLE = "private, max-age=31536000, immutable"  # for an address whose content never changes
PUBLIC = "public, max-age=31536000, immutable"  # the same for everybody: caches on the way may keep it too
REVALIDATE = "no-cache"
NO_STORE = {"Cache-Control": "no-store"}


def accepts_gzip(request: Request) -> bool:
    """Return whether a browser takes content that gzip has compressed."""
    return "gzip" in request.headers.get("accept-encoding", "")


def kept_text(content: bytes, media_type: str | None, *, compressed: bool) -> Response:
    """Return a text that never changes, compressed by gzip for those who take it, as every cache may keep it."""
    headers = {"Cache-Control": PUBLIC, "Vary": "Accept-Encoding"}
    headers |= {"Content-Encoding": "gzip"} if compressed else {}
    return Response(content, media_type=media_type, headers=headers)
