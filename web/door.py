"""The door of a team's server: nothing behind it answers anybody who is not signed in and may not have it.

In:  every request and WebSocket that ``access.py`` let through. Out: what the app answers, or a refusal: the way to the
sign-in for whoever opens a page, 401 for other requests without a session, 403 for a role that is too low, 404 for an
address that ``rules.py`` does not name. A WebSocket is asked again with every message, so that a session that has ended
runs nothing more, and is then closed. Its pages are resumed by whoever they were drawn for, in the role of that time.
"""

from http import HTTPStatus
from urllib.parse import quote

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from bam_engine.errors import BamError
from bam_engine.team import Account
from bam_engine.team.permissions import plural
from web import people
from web.routes.caching import NO_STORE
from web.routes.replies import failed
from web.routes.sign_in_pages import message_page
from web.rules import Open, is_page, rule_of

SIGNED_OUT = 4401
"""The code with which a WebSocket is closed whose session has ended."""

_PROTOCOL = "sec-websocket-protocol"
_PUBLIC = "public"


def door_middleware() -> list[Middleware]:
    """Return the middleware of a team's server; none on a server for one person."""
    return [Middleware(Door)] if people.team_mode() else []


class Door:
    """ASGI middleware: hands on what ``rules.py`` allows to whoever is signed in, and refuses the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it to the app."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        rule = rule_of(scope)
        if isinstance(rule, Open):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            account = await _account(connection)
        except BamError as error:
            await _refuse(failed(503, str(error)), scope, receive, send)
            return
        if account is None:
            await _refuse(_stranger(connection), scope, receive, send)
        elif rule is None:
            await _refuse(failed(404, "There is nothing at this address."), scope, receive, send)
        elif account.role < rule:
            words = f"This is for {plural(rule)}. Ask an owner for it."
            refusal = message_page("Not for your role", words, 403) if is_page(scope) else failed(403, words)
            await _refuse(refusal, scope, receive, send)
        else:
            await self._hand_on(account, connection, receive, send)

    async def _hand_on(self, account: Account, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        scope = connection.scope
        if scope["type"] == "websocket":
            socket = _Socket(account, connection, receive, send)
            await self._app(_with_own_pages(scope, account), socket.receive, socket.send)
            return
        with people.asking(account):  # queues are fair to people: behind a proxy, all have one address
            await self._app({**scope, "client": (f"account {account.id}", 0)}, receive, _privately(send))


class _Socket:
    """An open WebSocket, closed at the first message after its session has ended."""

    def __init__(self, account: Account, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        self._account, self._connection = account, connection
        self._receive, self._send = receive, send
        self._closed = False

    async def receive(self) -> Message:
        """Return the next message; after the end of the session, that the browser has gone."""
        message = await self._receive()
        if message["type"] == "websocket.receive" and not await self._signed_in():
            self._closed = True
            await self._send({"type": "websocket.close", "code": SIGNED_OUT, "reason": "signed out"})
            return {"type": "websocket.disconnect", "code": SIGNED_OUT}
        return message

    async def send(self, message: Message) -> None:
        """Send a message, unless the socket is closed."""
        if not self._closed:
            await self._send(message)

    async def _signed_in(self) -> bool:
        try:
            return await _account(self._connection) == self._account
        except BamError:  # nobody can tell: the browser connects again
            return False


async def _account(connection: HTTPConnection) -> Account | None:
    known, account = people.remembered(connection.cookies)
    return account if known else await to_thread.run_sync(people.account_of, connection.cookies)


def _with_own_pages(scope: Scope, account: Account) -> Scope:
    """Return the scope of a WebSocket that resumes no session of pages but one that was drawn for this account.

    Streamlit takes the id of a session as the third subprotocol, and its fragments and callbacks from there.
    """
    asked = Headers(scope=scope).get(_PROTOCOL, "").split(",")
    if len(asked) < 3 or people.drawn_for(asked[2].strip()) == account:
        return scope
    scope = dict(scope)
    MutableHeaders(scope=scope)[_PROTOCOL] = ",".join(asked[:2])
    return scope


def _stranger(connection: HTTPConnection) -> Response:
    """Return what whoever is not signed in is told: the same for an address that exists and one that does not."""
    scope = connection.scope
    if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and is_page(scope):
        wanted = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", HTTPStatus.SEE_OTHER, NO_STORE)
    return failed(401, "You are not signed in. Load the page again, and sign in.")


async def _refuse(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await WebSocketClose(1008, "The request was refused.")(scope, receive, send)
    else:
        await refusal(scope, receive, send)


def _privately(send: Send) -> Send:
    """Return ``send`` with responses kept by the browser that asked alone, not by caches on the way."""

    async def send_privately(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            words = [word.strip() for word in headers.get("cache-control", "").split(",") if word.strip()]
            if "no-store" not in words:
                kept = [word for word in words if word not in (_PUBLIC, "private") and not word.startswith("s-maxage")]
                headers["Cache-Control"] = ", ".join(["private", *kept])
        await send(message)

    return send_privately
