"""A provider of OpenID Connect on this computer, which signs in whoever it is told to, and lies if it is told to."""

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.browser import free_port

ADA = {"sub": "17", "email": "ada@uni.example", "email_verified": True}
CLIENT, SECRET = "bam", "a secret of the server"


@dataclass
class IdentityProvider:
    """The provider: ``person`` is signed in by it, ``lies`` are claims that it gets wrong, None for one left out."""

    issuer: str
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "17", "email": "ada@uni.example", "email_verified": True}
    )
    lies: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signs_with: RSAKey | None = None
    denies: bool = False
    broken: bool = False
    given: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> Starlette:
        """The provider as an ASGI app."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.about),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
            ]
        )

    async def about(self, _request: Request) -> Response:
        """Say where everything is."""
        if self.broken:
            return JSONResponse({})
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return JSONResponse(
            {"issuer": self.issuer, "id_token_signing_alg_values_supported": ["RS256"]}
            | {name: f"{self.issuer}/{place}" for name, place in places.items()}
        )

    async def authorize(self, request: Request) -> Response:
        """Sign the person in at once, and send the browser back with a code."""
        query = dict(request.query_params)
        self.asked.append(query)
        if self.denies:
            answer = {"error": "access_denied", "error_description": "not <b>today</b>", "state": query["state"]}
        else:
            code = secrets.token_urlsafe(8)
            self.given[code] = query
            answer = {"code": code, "state": query["state"]}
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer)}", 302)

    async def token(self, request: Request) -> Response:
        """Exchange a code, once, for what is known of the person."""
        async with request.form() as form:
            sent = {name: str(value) for name, value in form.items()}
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".replace(" ", "+").encode()).decode()
        plain = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") not in (expected, plain):
            return JSONResponse({"error": "invalid_client"}, 401)
        query = self.given.pop(sent.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        if query is None or challenge.decode().rstrip("=") != query["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": query["nonce"]}
        told = {name: value for name, value in (claims | self.person | self.lies).items() if value is not None}
        word = jwt.encode({"alg": "RS256", "kid": "one"}, told, self.signs_with or self.key)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": word})

    async def keys(self, _request: Request) -> Response:
        """Give the public keys."""
        return JSONResponse(json.loads(json.dumps({"keys": [self.key.as_dict(private=False)]})))


@contextlib.contextmanager
def running() -> Iterator[IdentityProvider]:
    """A provider that listens on a port of this computer."""
    port = free_port()
    provider = IdentityProvider(f"http://127.0.0.1:{port}")
    server = uvicorn.Server(uvicorn.Config(provider.app(), port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("The provider of the tests did not start.")
        time.sleep(0.01)
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join()
