"""The way to a provider of OpenID Connect and back, and what becomes of whoever it vouches for.

In:  a browser that goes to the provider, and what it brings back. Out: a session of the account that the identity signs
in; for a newcomer, the form with a name that makes one, by an invitation, by the role of newcomers, or by an owner who
is asked. On the way, a signed cookie keeps what the browser came for; it is good for one way of a few minutes.
"""

from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bam_engine.annotation.names import MAX_LENGTH as NAME_LENGTH
from bam_engine.errors import BamError, StoreUnavailable, TeamError
from bam_engine.team import Account, Identity, IdentityProvider, Role, TooManyAttempts, configured_provider
from bam_engine.team.identity_provider import check_installed
from bam_engine.workspace import Workspace
from web import openid, people
from web.openid import BACK, MINUTES, ProviderRefused, ProviderSilent
from web.routes.sign_in import JOINING, Form, address_of, form_route, go, safe_next, signed_in, token_of
from web.routes.sign_in_pages import connect_page, leaving_page, message_page, newcomer_page

_CONNECTING, _ON_THE_WAY, _ARRIVED = "connecting", "on the way", "arrived"  # what a cookie is good for
_ARRIVING = "arriving"  # in the throttle, like ``JOINING``
_AT_ONCE = 20  # conversations with the provider
_ASKED = "An owner decides. Once they have, sign in the same way again."
_LOST = (
    f"It took more than {MINUTES} minutes, it began in another browser or tab, or the server was started again "
    "meanwhile. Start again."
)

Kept = dict[str, Any]


def single_sign_on_routes(get_workspace: Callable[[], Workspace]) -> list[Route]:
    """Return the routes by which a provider signs people in; none without one, and none for one person."""
    provider = configured_provider() if people.team_mode() else None
    if provider is None:
        return []
    check_installed()
    doors, limiter = _Doors(provider, get_workspace), CapacityLimiter(2)
    return [
        Route("/sign-in/provider", doors.leave, methods=["GET"]),
        Route(BACK, doors.arrive, methods=["GET"]),
        form_route("/sign-in/name", get_workspace, limiter, doors.show_name, doors.join),
        form_route("/sign-in/connect", get_workspace, limiter, doors.show_connect, doors.connect),
    ]


class _Doors:
    def __init__(self, provider: IdentityProvider, get_workspace: Callable[[], Workspace]) -> None:
        self._provider, self._get_workspace = provider, get_workspace
        self._conversations = CapacityLimiter(_AT_ONCE)

    async def leave(self, request: Request) -> Response:
        """Send a browser to the provider."""
        connecting = _kept(request, _CONNECTING) or {}
        session: Kept = {}
        scheme = "https" if people.encrypted() else "http"
        try:
            async with self._conversations:
                address = await openid.leave(
                    self._provider, _with_session(request, session), f"{scheme}://{request.headers['host']}{BACK}"
                )
        except (ProviderSilent, ProviderRefused) as error:
            return self._refused(error)
        kept = {
            "next": safe_next(request.query_params.get("next", "")),
            "invitation": request.query_params.get("invitation", "")[:200],
            "account": connecting.get("account"),
            "session": session,
        }
        return _keeping(go(address), kept, _ON_THE_WAY)

    async def arrive(self, request: Request) -> Response:
        """Receive a browser from the provider."""
        kept = _kept(request, _ON_THE_WAY)
        if kept is None:
            return _forgetting(message_page("This did not work", _LOST, 400))
        try:
            team, place = (await to_thread.run_sync(self._get_workspace)).team, address_of(request)
            team.throttle.attempt(_ARRIVING, place)
            async with self._conversations:
                identity = await openid.arrive(self._provider, _with_session(request, kept["session"]))
            team.throttle.succeeded(_ARRIVING, place)
            return await to_thread.run_sync(self._admit, request, kept, identity)
        except StoreUnavailable as error:
            return message_page("The server cannot answer now", f"{error} Try again.", 503)
        except BamError as error:
            return self._refused(error)

    def _admit(self, request: Request, kept: Kept, identity: Identity) -> Response:
        """Sign in whoever the provider vouches for, or ask a newcomer for a name."""
        team = self._get_workspace().team
        if kept["account"] is not None:
            return self._connect(request, kept["account"], identity)
        account = team.identities.account(identity)
        if account is None:
            newcomer = {"identity": identity.values, "invitation": kept["invitation"]}
            return _keeping(go("/sign-in/name"), newcomer, _ARRIVED)
        return self._sign_in(request, account, kept["next"])

    def _sign_in(self, request: Request, account: Account, wanted: str) -> Response:
        token = self._get_workspace().team.sessions.begin(account, before=token_of(request))
        people.forget()
        return _forgetting(signed_in(token, wanted))

    def _refused(self, error: BamError) -> Response:
        title = "You are not signed in"
        return _forgetting(message_page(title, str(error), 503 if isinstance(error, ProviderSilent) else 403))

    # Newcomers

    def show_name(self, request: Request, workspace: Workspace, _form: Form) -> Response:
        """Ask somebody whom the provider vouches for, and nobody here knows, for a name."""
        kept = _kept(request, _ARRIVED)
        if kept is None:
            return message_page("This did not work", _LOST, 400)
        identity = Identity(**kept["identity"])
        name = identity.label.partition("@")[0][:NAME_LENGTH]
        try:
            role = self._role_of(workspace, identity, kept["invitation"])
        except TeamError as error:
            return message_page("This invitation does not hold", str(error), 404)
        return newcomer_page(identity, self._provider.name, role, name=name)

    def join(self, request: Request, workspace: Workspace, form: Form) -> Response:
        """Make the account of a newcomer, or ask the owners for it."""
        kept = _kept(request, _ARRIVED)
        if kept is None:
            return message_page("This did not work", _LOST, 400)
        team, identity = workspace.team, Identity(**kept["identity"])
        name, note = form.get("name", ""), form.get("note", "")
        try:
            role = self._role_of(workspace, identity, kept["invitation"])
        except TeamError as error:
            return message_page("This invitation does not hold", str(error), 404)
        try:
            if role is None:
                team.throttle.attempt(JOINING, address_of(request))
                team.requests.ask(name, note=note, identity=identity)
                return _forgetting(message_page("Your request was sent", _ASKED))
            if kept["invitation"]:
                account = team.invitations.use(kept["invitation"], name, identity=identity)
            else:
                account = team.identities.join(identity, name, role)
        except StoreUnavailable:
            raise
        except BamError as error:
            status = 429 if isinstance(error, TooManyAttempts) else 400
            return newcomer_page(
                identity, self._provider.name, role, name=name, note=note, problem=str(error), status=status
            )
        return self._sign_in(request, account, "/")

    def _role_of(self, workspace: Workspace, identity: Identity, invitation: str) -> Role | None:
        """Return the role that a newcomer gets, or None if an owner decides, as of whoever has left.

        Raises
        ------
        TeamError
            The invitation does not hold.
        """
        if invitation:
            return workspace.team.invitations.role(invitation)
        return None if workspace.team.identities.has_left(identity) else self._provider.role

    # Accounts that have a password

    def show_connect(self, request: Request, _workspace: Workspace, _form: Form) -> Response:
        """Ask whoever is signed in for their password, before the provider may sign them in."""
        account = people.account_of(request.cookies)
        return go("/sign-in") if account is None else connect_page(account.name, self._provider.name)

    def connect(self, request: Request, workspace: Workspace, form: Form) -> Response:
        """Send whoever knows the password of their account to the provider, to connect it."""
        account = people.account_of(request.cookies)
        if account is None:
            return go("/sign-in")
        try:
            confirmed = workspace.team.sessions.confirms(account, form.get("password", ""))
        except TooManyAttempts as error:
            return connect_page(account.name, self._provider.name, problem=str(error), status=429)
        if not confirmed:
            words = "The password is another one. Nothing has changed."
            return connect_page(account.name, self._provider.name, problem=words, status=403)
        response = leaving_page(self._provider.name, "/sign-in/provider")
        return _keeping(response, {"account": account.id}, _CONNECTING)

    def _connect(self, request: Request, account_id: int, identity: Identity) -> Response:
        account = people.account_of(request.cookies)
        if account is None or account.id != account_id:
            return _forgetting(message_page("This did not work", "You have signed out meanwhile. Start again.", 403))
        try:
            self._get_workspace().team.identities.connect(account, identity)
        except TeamError as error:
            return _forgetting(message_page("This did not work", str(error), 409))
        return _forgetting(go("/people"))


# The cookie


def _with_session(request: Request, session: Kept) -> Request:
    """Return a request whose session is what Authlib keeps on the way; the app's is Streamlit's."""
    return Request({**request.scope, "session": session}, request.receive)


def _cookie() -> str:
    return "__Host-bam-sign-on" if people.encrypted() else "bam-sign-on"


def _kept(request: Request, purpose: str) -> Kept | None:
    return openid.unsealed(request.cookies.get(_cookie(), ""), purpose)


def _keeping(response: Response, kept: Kept, purpose: str) -> Response:
    response.set_cookie(
        _cookie(),
        openid.sealed(kept, purpose),
        max_age=MINUTES * 60,
        path="/",
        secure=people.encrypted(),
        httponly=True,
        samesite="lax",
    )
    return response


def _forgetting(response: Response) -> Response:
    response.delete_cookie(_cookie(), path="/", secure=people.encrypted(), httponly=True, samesite="lax")
    return response
