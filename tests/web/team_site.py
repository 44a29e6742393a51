"""A team's server in this process, and people of each role who are signed in to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.runtime import Runtime

from bam_engine.team import Account, Role
from bam_engine.workspace import Workspace
from web import engine, people
from web.server import middleware, routes

HERE = "http://localhost:8501"
SECRET = "a blue door in June"
FRAME = Path(people.__file__).with_name("frame.py")


@dataclass
class Site:
    """The server, its workspace, and the account and the token of a person of each role."""

    app: Starlette
    workspace: Workspace
    accounts: dict[Role, Account] = field(default_factory=dict)
    tokens: dict[Role, str] = field(default_factory=dict)

    def client(self, role: Role | None = None, *, token: str = "", base_url: str = HERE, **options: Any) -> TestClient:
        """Return a browser in which somebody of a role is signed in, or that has a token, or nothing."""
        browser = TestClient(
            self.app, base_url=base_url, raise_server_exceptions=False, follow_redirects=False, **options
        )
        token = token or (self.tokens[role] if role is not None else "")
        if token:
            browser.cookies.set(people.cookie_name(), token)
        browser.headers["origin"] = base_url
        return browser

    def cookie(self, role: Role) -> Mapping[str, str]:
        """Return the cookie of a person of a role."""
        return {people.cookie_name(): self.tokens[role]}


def start(workspace: Workspace, patch: pytest.MonkeyPatch, **environment: str) -> Site:
    """Serve a workspace to a team of one person of each role, called by their roles."""
    patch.setenv("BAM_WORKSPACE", str(workspace.folder))
    patch.setenv("BAM_CACHE", str(workspace.cache.parent))
    patch.setenv(people.TEAM, "1")
    for name, value in environment.items():
        patch.setenv(name, value)
    people.forget()
    patch.setattr(Runtime, "_instance", None)
    app = st.App(FRAME, routes=routes(), middleware=middleware())
    opened = engine.workspace()
    site = Site(app._build_starlette_app(), opened)
    for role in Role:
        site.accounts[role] = opened.team.accounts.add(str(role).capitalize(), role, SECRET)
        site.tokens[role] = opened.team.sessions.begin(site.accounts[role])
    return site
