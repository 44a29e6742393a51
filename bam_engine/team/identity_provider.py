"""The provider of OpenID Connect that signs a team's people in, as the environment of the server names it.

In:  environment variables. Out: an :class:`IdentityProvider`, or what is wrong with them. Speaks to nobody.
"""

import importlib.util
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from bam_engine.errors import TeamError
from bam_engine.team.roles import Role, role_of

ISSUER, CLIENT, SECRET = "BAM_OIDC_ISSUER", "BAM_OIDC_CLIENT_ID", "BAM_OIDC_CLIENT_SECRET"
SECRET_FILE, NAME, ROLE = "BAM_OIDC_CLIENT_SECRET_FILE", "BAM_OIDC_NAME", "BAM_OIDC_ROLE"
"""Environment variables: where the provider is and as what it knows this server; what people call it; and the role of
whoever comes from it for the first time, who otherwise has to be invited or approved."""

_THIS_COMPUTER = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class IdentityProvider:
    """The provider: its address, as what it knows this server, and what people call it.

    ``role`` is that of newcomers, None if an owner decides about each.
    """

    issuer: str
    client_id: str
    client_secret: str
    name: str
    role: Role | None


def configured_provider() -> IdentityProvider | None:
    """Return the provider that the environment names, or None.

    Raises
    ------
    TeamError
        Something is missing or invalid.

    Examples
    --------
    >>> configured_provider() is None
    True
    """
    return _provider(*(os.environ.get(each, "") for each in (ISSUER, CLIENT, SECRET, SECRET_FILE, NAME, ROLE)))


@cache
def _provider(issuer: str, client: str, secret: str, file: str, name: str, role: str) -> IdentityProvider | None:
    """Return the provider of these settings; the file with the secret is read once, and may be unreadable later."""
    if not issuer:
        return None
    try:
        address = urlsplit(issuer)
        host = address.hostname or ""
    except ValueError:
        host = ""
    if not host or not (address.scheme == "https" or (address.scheme == "http" and host in _THIS_COMPUTER)):
        raise TeamError(f"{ISSUER} is {issuer}. Name the provider's address, which begins with https://.")
    secret = _read(file) if file else secret
    if not client or not secret:
        raise TeamError(
            f"{ISSUER} names a provider, and {CLIENT} and {SECRET} (or {SECRET_FILE}) must say as what it knows this "
            "server. The provider gives both when the server is registered there."
        )
    newcomers = role_of(role) if role else None
    if newcomers is Role.OWNER:
        raise TeamError(f"{ROLE} cannot be owner: whoever {issuer} knows could do everything. Choose a lower role.")
    return IdentityProvider(issuer, client, secret, name or host, newcomers)


def check_installed() -> None:
    """Raise :class:`TeamError` where what speaks to a provider is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("authlib", "httpx2", "itsdangerous")):
        raise TeamError(
            f"{ISSUER} names a provider, and what speaks to one is not installed: pip install 'bam-engine[oidc]'"
        )


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TeamError(f"{SECRET_FILE} names {file}, which cannot be read: {error}.") from error
