"""Streamlit's scripts, style sheets and fonts, from memory.

The first page of a browser needs more than a hundred of these files, and to read each in pieces in threads takes the
server a quarter of a second in all.

In:  every request. Out: the file for ``GET /static/{js, css or media}/{name}``, immutable, since its name holds a
digest, and compressed for browsers that accept it; whatever else is asked for goes to the app.
"""

import gzip
import mimetypes
from pathlib import Path

import streamlit
from anyio import to_thread
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from web.routes.caching import PUBLIC, accepts_gzip, kept_text

STATIC = Path(streamlit.__file__).parent / "static" / "static"
_FOLDERS = ("js", "css", "media")
_TEXT = (".js", ".css", ".svg")


def asset_middleware(static: Path = STATIC) -> list[Middleware]:
    """Return the middleware that serves the files that lie in the folders of ``static`` at the start."""
    files = {f"/static/{folder}/{file.name}": file for folder in _FOLDERS for file in (static / folder).glob("*.*")}
    return [Middleware(Assets, files=files)]


class Assets:
    """ASGI middleware: answers with ``files`` by their addresses, each read when it is first asked for.

    A file that cannot be read is left to the app.
    """

    def __init__(self, app: ASGIApp, *, files: dict[str, Path]) -> None:
        self._app, self._files = app, files
        self._contents: dict[tuple[Path, bool], bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file, or hand the request to the app."""
        file = self._files.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        response = None if file is None else await self._response(file, Request(scope))
        await (response or self._app)(scope, receive, send)

    async def _response(self, file: Path, request: Request) -> Response | None:
        text = file.suffix in _TEXT
        compressed = text and accepts_gzip(request)
        content = self._contents.get((file, compressed))
        if content is None:
            try:
                content = await to_thread.run_sync(_read, file, compressed)
            except OSError:
                return None
            self._contents[file, compressed] = content
        media_type = mimetypes.guess_type(file.name)[0]
        if text:
            return kept_text(content, media_type, compressed=compressed)
        return Response(content, media_type=media_type, headers={"Cache-Control": PUBLIC})


def _read(file: Path, compressed: bool) -> bytes:
    content = file.read_bytes()
    return gzip.compress(content, mtime=0) if compressed else content
