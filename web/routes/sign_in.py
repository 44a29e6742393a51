"""The doors of a team's server: sign-in, sign-out, joining by an invitation, and asking to join.

In:  forms of plain HTML pages, which work without scripts. Out: the cookie of a session, HttpOnly and SameSite, and the
way to the page that was asked for. ``access.py`` refuses forms of other sites before they come here. Passwords are
checked two at a time, since each takes memory and a processor on purpose.
"""

import ipaddress
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from urllib.parse import parse_qs

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import URL
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bam_engine.errors import BamError, StoreUnavailable
from bam_engine.team import TooManyAttempts
from bam_engine.team.sessions import DAYS
from bam_engine.workspace import Workspace
from web import people
from web.routes.bodies import Rejected, media_type, read_body
from web.routes.caching import NO_STORE
from web.routes.sign_in_pages import ask_page, invitation_page, message_page, sign_in_page, sign_out_page
from web.rules import PAGES

MAX_FORM = 20_000
"""Bytes of a form."""

_SECONDS = int(DAYS * 24 * 60 * 60)
_NEXT = re.compile(r"/([a-z]*)(\?[!-~]*)?")
JOINING = "joining"
"""In the throttle: the name for whoever has none yet."""

Form = dict[str, str]
Handler = Callable[[Request, Workspace, Form], Response]


def sign_in_routes(get_workspace: Callable[[], Workspace]) -> list[Route]:
    """Return the routes of a team's server that need no session; none on a server for one person."""
    if not people.team_mode():
        return []
    limiter = CapacityLimiter(2)
    return [
        form_route("/sign-in", get_workspace, limiter, _show_sign_in, _sign_in),
        form_route("/sign-out", get_workspace, limiter, _show_sign_out, _sign_out),
        form_route("/join", get_workspace, limiter, _show_ask, _ask),
        form_route("/join/{token}", get_workspace, limiter, _show_invitation, _use_invitation),
    ]


def form_route(
    path: str, get_workspace: Callable[[], Workspace], limiter: CapacityLimiter, show: Handler, answer: Handler
) -> Route:
    """Return the route of a form: ``show`` draws it, ``answer`` answers it, within ``limiter``."""

    def respond(handler: Handler, request: Request, form: Form) -> Response:
        return handler(request, get_workspace(), form)

    async def endpoint(request: Request) -> Response:
        try:
            if request.method != "POST":
                return await to_thread.run_sync(respond, show, request, {})
            form = await _read_form(request)
            return await to_thread.run_sync(respond, answer, request, form, limiter=limiter)
        except StoreUnavailable as error:
            return message_page("The server cannot answer now", f"{error} Try again.", 503)
        except Rejected as error:
            return message_page("This form cannot be read", str(error), error.status)

    return Route(path, endpoint, methods=["GET", "POST"])


async def _read_form(request: Request) -> Form:
    """Return the fields of a form, the first of each name, whatever the headers say about its length."""
    if media_type(request) != "application/x-www-form-urlencoded":
        raise Rejected(415, "It is not one of this server's forms.")
    body = await read_body(request, MAX_FORM, f"It has more than {MAX_FORM:,} bytes. Write less.")
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=10)
    except ValueError as error:
        raise Rejected(400, "It is not one of this server's forms.") from error
    return {name: values[0] for name, values in fields.items()}


# Sign-in


def _show_sign_in(request: Request, workspace: Workspace, _form: Form) -> Response:
    wanted = safe_next(request.query_params.get("next", ""))
    if people.account_of(request.cookies) is not None:
        return go(wanted)
    return sign_in_page(wanted, has_accounts=workspace.team.accounts.exist())


def _sign_in(request: Request, workspace: Workspace, form: Form) -> Response:
    name, wanted = form.get("name", ""), safe_next(form.get("next", ""))
    refused = partial(sign_in_page, wanted, name=name, has_accounts=True)
    try:
        token = workspace.team.sessions.sign_in(
            name, form.get("password", ""), address=address_of(request), before=token_of(request)
        )
    except TooManyAttempts as error:
        return _later(refused(problem=str(error), status=429), error)
    except StoreUnavailable:
        raise
    except BamError as error:
        return refused(problem=str(error), status=403)
    people.forget()
    return signed_in(token, wanted)


def _show_sign_out(request: Request, _workspace: Workspace, _form: Form) -> Response:
    account = people.account_of(request.cookies)
    return go("/sign-in") if account is None else sign_out_page(account.name)


def _sign_out(request: Request, workspace: Workspace, _form: Form) -> Response:
    workspace.team.sessions.end(token_of(request))
    people.forget()
    response = go("/sign-in")
    response.delete_cookie(people.cookie_name(), path="/", secure=people.encrypted(), httponly=True, samesite="lax")
    return response


# Joining


def _show_invitation(request: Request, workspace: Workspace, _form: Form) -> Response:
    try:
        role = workspace.team.invitations.role(request.path_params["token"])
    except StoreUnavailable:
        raise
    except BamError as error:
        return message_page("This invitation does not hold", str(error), 404)
    return invitation_page(role, request.path_params["token"])


def _use_invitation(request: Request, workspace: Workspace, form: Form) -> Response:
    team, token, name = workspace.team, request.path_params["token"], form.get("name", "")
    try:
        role = team.invitations.role(token)
    except StoreUnavailable:
        raise
    except BamError as error:
        return message_page("This invitation does not hold", str(error), 404)
    try:
        account = team.invitations.use(token, name, typed_twice(form))
    except StoreUnavailable:
        raise
    except BamError as error:
        return invitation_page(role, token, name=name, problem=str(error), status=400)
    people.forget()
    return signed_in(team.sessions.begin(account, before=token_of(request)), "/")


def _show_ask(_request: Request, _workspace: Workspace, _form: Form) -> Response:
    return ask_page()


def _ask(request: Request, workspace: Workspace, form: Form) -> Response:
    name, note = form.get("name", ""), form.get("note", "")
    try:
        workspace.team.throttle.attempt(JOINING, address_of(request))
        workspace.team.requests.ask(name, typed_twice(form), note)
    except TooManyAttempts as error:
        return _later(ask_page(name=name, note=note, problem=str(error), status=429), error)
    except StoreUnavailable:
        raise
    except BamError as error:
        return ask_page(name=name, note=note, problem=str(error), status=400)
    return message_page(
        "Your request was sent", "An owner decides. Once they have, sign in with the name and the password you chose."
    )


def typed_twice(form: Form) -> str:
    """Return the password of a form, or raise :class:`BamError` where it was typed in two ways."""
    password = form.get("password", "")
    if password != form.get("again", ""):
        raise BamError("The two passwords are not the same. Type both again.")
    return password


# What all share


def address_of(connection: HTTPConnection) -> str:
    """Return the address of a browser: the last one that the proxy in front has written down, or the peer's."""
    peer = connection.client.host if connection.client is not None else ""
    if not people.behind_proxy():
        return peer
    last = ",".join(connection.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(last))
    except ValueError:
        return peer


def safe_next(wanted: str) -> str:
    """Return the address of the page that was wanted if it is one of ours, else that of the first page."""
    match = _NEXT.fullmatch(wanted[:2000])
    return wanted[:2000] if match is not None and match[1] in PAGES and "\\" not in wanted else "/"


def token_of(request: Request) -> str:
    """Return the token of the session that a browser says it has, or ""."""
    return request.cookies.get(people.cookie_name(), "")


def go(address: str) -> RedirectResponse:
    """Return the way to an address, which no cache keeps."""
    return RedirectResponse(URL(address), HTTPStatus.SEE_OTHER, NO_STORE)


def signed_in(token: str, address: str) -> Response:
    """Return the way to an address, with the cookie of a session."""
    response = go(address)
    response.set_cookie(
        people.cookie_name(),
        token,
        max_age=_SECONDS,
        path="/",
        secure=people.encrypted(),
        httponly=True,
        samesite="lax",
    )
    return response


def _later(response: Response, error: TooManyAttempts) -> Response:
    response.headers["Retry-After"] = str(error.seconds)
    return response
