"""Single sign-on: people sign in as whom a provider of OpenID Connect knows, such as a university's or a company's.

In:  a provider, and a browser on its way there and back. Out: an :class:`Identity` that the
provider has vouched for. Authlib speaks the protocol (the authorization code flow, with PKCE and a nonce). What has to
be known on the way back travels in a signed cookie of the browser, so that strangers cannot fill the server's memory.
"""

import re
import secrets
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from starlette.requests import Request

from bam_engine.annotation.names import MAX_LENGTH, check_annotator_name
from bam_engine.errors import AnnotationError, BamError
from bam_engine.team import Identity, IdentityProvider

BACK = "/sign-in/provider/back"
"""The address to which the provider sends browsers back; it has to be registered there."""

MINUTES = 10
"""How long a browser may be on its way."""

_PATIENCE = 10.0  # seconds for one answer of the provider
_SUBJECT = re.compile(r"[!-~]{1,255}")  # OpenID Connect Core 1.0, section 2; blanks are in no name of a provider's


class ProviderRefused(BamError):
    """The provider did not vouch for anybody, or its answer cannot be trusted."""


class ProviderSilent(BamError):
    """The provider does not answer."""


async def leave(provider: IdentityProvider, request: Request, back: str) -> str:
    """Return the address at the provider to which the browser goes; ``request.session`` has what it needs after.

    Raises
    ------
    ProviderSilent, ProviderRefused
        The provider does not answer, or is not what was configured.
    """
    response = await _asking(provider, _client(provider).authorize_redirect(request, back))
    return str(response.headers["location"])


async def arrive(provider: IdentityProvider, request: Request) -> Identity:
    """Return whom the provider vouches for, by what a browser brings back.

    Raises
    ------
    ProviderSilent, ProviderRefused
        The provider does not answer; it vouches for nobody; or what was brought is not its word to this browser.
    """
    options = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
    }
    if f"_state_provider_{request.query_params.get('state')}" not in request.session:
        raise ProviderRefused("This is not the answer to what this browser asked. Start again.")
    answer = await _asking(provider, _client(provider).authorize_access_token(request, claims_options=options))
    claims = answer.get("userinfo")
    subject = claims.get("sub") if isinstance(claims, Mapping) else None
    if not isinstance(claims, Mapping) or not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise ProviderRefused("The provider did not say who you are. Tell whoever runs this server.")
    return Identity(provider.issuer, subject, _label(claims) or subject)


def _label(claims: Mapping[str, Any]) -> str:
    """Return words by which people recognise somebody, or ""; an address of mail only if the provider checked it."""
    known = [claims.get("email") if claims.get("email_verified") is True else None]
    for word in [*known, claims.get("preferred_username"), claims.get("name")]:
        with suppress(AnnotationError):
            if isinstance(word, str):
                return check_annotator_name(word[:MAX_LENGTH])
    return ""


async def _asking(provider: IdentityProvider, asked: Awaitable[Any]) -> Any:
    from authlib.integrations.base_client import OAuthError
    from httpx2 import HTTPError, InvalidURL
    from joserfc.errors import JoseError

    name = provider.name[:1].upper() + provider.name[1:]
    try:
        return await asked
    except HTTPError as error:
        raise ProviderSilent(f"{name} does not answer. Try again in a while.") from error
    except OAuthError as error:
        raise ProviderRefused(f"{name} did not sign you in ({_words(error)}). Start again.") from error
    except (JoseError, InvalidURL, AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        _client.cache_clear()  # with what it remembers of the provider
        raise ProviderRefused(
            f"What {name} answered cannot be trusted ({_words(error)}). Start again, and if it happens twice, tell "
            "whoever runs the server."
        ) from error


def sealed(values: Mapping[str, Any], purpose: str) -> str:
    """Return a text that a browser keeps for this process and cannot change."""
    return str(_seal(purpose).dumps(dict(values)))


def unsealed(text: str, purpose: str) -> dict[str, Any] | None:
    """Return what :func:`sealed` was given for the same purpose, or None if the text is not that, or too old."""
    from itsdangerous import BadData

    try:
        values = _seal(purpose).loads(text[:8000], max_age=MINUTES * 60)
    except BadData:
        return None
    return values if isinstance(values, dict) else None


def _seal(purpose: str) -> Any:
    from itsdangerous import URLSafeTimedSerializer

    return URLSafeTimedSerializer(_key(), salt=purpose)


@cache
def _key() -> bytes:
    """Return the key of this process: whoever is on their way when it ends starts again."""
    return secrets.token_bytes(32)


@cache
def _client(known: IdentityProvider) -> Any:
    """Return Authlib's client, which remembers what the provider says of itself."""
    from authlib.integrations.starlette_client import OAuth

    return OAuth().register(
        "provider",
        client_id=known.client_id,
        client_secret=known.client_secret,
        server_metadata_url=f"{known.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile email",
            "code_challenge_method": "S256",
            "timeout": _PATIENCE,
            "verify": _certificates(),
        },
    )


@cache
def _certificates() -> Any:
    """Return the certificates that are trusted, read once."""
    from httpx2 import create_ssl_context

    return create_ssl_context()


def _words(error: Exception) -> str:
    """Return what an error says, in one short line: part of it is the provider's text."""
    return " ".join(str(error).split())[:200] or type(error).__name__
