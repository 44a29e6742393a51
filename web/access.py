"""Which requests the server answers, and what a browser may do with its responses.

Every page that the same browser has open could use the app. Three checks and the headers of each response keep other
sites out, on a server for one person and on a team's, whose sign-in comes next (``door.py``).

In:  every request, before Streamlit and our routes see it. Out: the app's response with ``HEADERS``, or the refusal of
the first check that gives one.
"""

import ipaddress
import logging
import os
import re
from collections.abc import Callable, Collection, Sequence

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

ALLOWED_HOSTS = "BAM_ALLOWED_HOSTS"
"""The environment variable with further names of the server, separated by commas."""

Check = Callable[[HTTPConnection], Response | None]
"""Returns the refusal of a request, or None."""

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' blob:",  # Streamlit makes a module of the script of each component
    "style-src": "'self' 'unsafe-inline'",  # Streamlit's styles are computed
    "img-src": "'self' blob: data:",
    "font-src": "'self' data:",
    "media-src": "'self' blob: data:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
_INERT = re.compile(r"(font|image/(?!svg)|text/(css|javascript)|application/(javascript|json))")
"""The types of responses that run nothing when they are opened by themselves."""
_READING = ("GET", "HEAD", "OPTIONS")
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.IGNORECASE)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}

log = logging.getLogger(__name__)


def access_middleware(scripts: Collection[str]) -> list[Middleware]:
    """Return the middleware of the app; ``scripts`` are the digests of the scripts within its pages."""
    checks = (HostCheck(own_names), check_origin, check_site)
    return [Middleware(Access, checks=checks, headers=HEADERS, policy=content_policy(scripts))]


def content_policy(scripts: Collection[str] = ()) -> str:
    """Return the policy that lets a page load only from this server and run only our scripts."""
    allowed = " ".join([_POLICY["script-src"], *(f"'{digest}'" for digest in scripts)])
    return "; ".join(f"{name} {sources}" for name, sources in (_POLICY | {"script-src": allowed}).items())


def own_names() -> set[str]:
    """Return the names of the server: the address that it listens on, and what ``BAM_ALLOWED_HOSTS`` adds."""
    names = [str(st.get_option("server.address") or ""), *os.environ.get(ALLOWED_HOSTS, "").split(",")]
    return {_without_dot(name) for name in names} - {""}


class Access:
    """ASGI middleware: refuses what a check refuses, and sets the headers of every response.

    Parameters
    ----------
    checks
        Asked in this order about every HTTP request and every WebSocket.
    headers
        Set on every response, those to refused and failed requests included.
    policy
        The content security policy of every response that could run something; it is half a kilobyte, and a gallery
        loads hundreds of pictures.
    """

    def __init__(self, app: ASGIApp, *, checks: Sequence[Check], headers: dict[str, str], policy: str) -> None:
        self._app, self._checks, self._headers, self._policy = app, checks, headers, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it to the app."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                if not _INERT.match(headers.get("content-type", "")):
                    headers["Content-Security-Policy"] = self._policy
            await send(message)

        connection = HTTPConnection(scope)
        refusal = next((found for check in self._checks if (found := check(connection)) is not None), None)
        if refusal is None:
            try:
                await self._app(scope, receive, send_with_headers)
            except Exception:
                if scope["type"] == "http" and not started:
                    failure = PlainTextResponse("The server met a defect. Its log has the details.", 500)
                    await failure(scope, receive, send_with_headers)
                raise
        elif scope["type"] == "http":
            await refusal(scope, receive, send_with_headers)
        else:
            await WebSocketClose(1008, "The request was refused.")(scope, receive, send)


class HostCheck:
    """Refuses requests to a name that is not this server's.

    Another site can let its own name point to this computer (DNS rebinding); its pages could then read every response.
    An IP address is no such name, so each is accepted, and so are the names of this computer for itself.
    """

    def __init__(self, names: Callable[[], set[str]]) -> None:
        self._names = names

    def __call__(self, connection: HTTPConnection) -> Response | None:
        """Return the refusal of a request, or None."""
        hosts = connection.headers.getlist("host")
        match = _AUTHORITY.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None:
            return _refused("The request does not name this server: it needs one valid Host header.")
        name = _without_dot(match[1])
        if name == "localhost" or name.endswith(".localhost") or _is_address(name) or name in self._names():
            return None
        return _refused(
            f"This server does not go by the name {name[:100]}. If it is yours, start the server with "
            f"--allow-host {name[:100]}, or add the name to {ALLOWED_HOSTS}."
        )


def check_origin(connection: HTTPConnection) -> Response | None:
    """Refuse what a page of another site writes, and its WebSocket.

    A browser names the page's origin in both; other programs name none and are not a browser's open pages.
    """
    if connection.scope["type"] == "http" and connection.scope["method"] in _READING:
        return None
    host = connection.headers.get("host", "")
    foreign = [origin for origin in connection.headers.getlist("origin") if not _same_origin(origin, host)]
    if not foreign:
        return None
    return _refused(
        f"A page of {foreign[0][:100]} may not use this server, which was asked as {host[:100]}. A proxy in front of "
        "it has to hand on the Host header unchanged."
    )


def check_site(connection: HTTPConnection) -> Response | None:
    """Refuse what a page of another site embeds, as a frame, a picture or a script; its links may be followed."""
    headers = connection.headers
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return None
    link = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    if link and connection.scope.get("method") in _READING:
        return None
    return _refused("A page of another site may link to this server, but not embed what it shows.")


def _same_origin(origin: str, host: str) -> bool:
    """Return whether an origin is that of a host; a proxy may have taken off the encryption."""
    scheme, _, authority = origin.partition("://")
    port = _DEFAULT_PORTS.get(scheme)
    return port is not None and authority.lower().removesuffix(port) == host.lower().removesuffix(port)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _without_dot(name: str) -> str:
    return name.strip().lower().rstrip(".")


def _refused(reason: str) -> Response:
    return PlainTextResponse(reason, status_code=403, headers={"Cache-Control": "no-store"})
