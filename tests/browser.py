"""What browser tests share: where Chromium is, how it is started, and a server that runs while a test does."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from bam_engine.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120_000
"""Milliseconds for one step of a person, on a machine that may be busy."""
CHROMIUM = Path("/usr/bin/chromium")
NO_BROWSER = "the browser is not here"
"""The start of the reason of a skip for lack of Chromium."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def served(app: str, folder: Path, environment: Mapping[str, str], *, ask: str = "/_stcore/health") -> Iterator[str]:
    """Run the ASGI app ``app`` (``module:name``) from ``folder`` and give its URL once ``ask`` answers."""
    port = free_port()
    if folder != ROOT:  # the app's settings: without them, what watches the folders for changes holds up the server
        (folder / ".streamlit").mkdir(exist_ok=True)
        shutil.copy(ROOT / ".streamlit" / "config.toml", folder / ".streamlit")
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "warning"]
    path = os.pathsep.join([str(ROOT), str(folder)])
    log = folder / "server.log" if folder != ROOT else Path(environment["SERVER_LOG"])
    with log.open("w") as written:
        server = subprocess.Popen(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": path, **environment}, stdout=written, stderr=written
        )
    try:
        wait_for(f"http://127.0.0.1:{port}{ask}", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


@contextlib.contextmanager
def app_page(
    browser: "Browser",
    workspace: "Workspace",
    folder: Path,
    *,
    width: int = 1300,
    height: int = 1000,
    timeout: int = 60_000,
) -> Iterator["Page"]:
    """Run the app on a workspace, its log in ``folder``, and give a page that goes to paths of it ("/gallery")."""
    environment = {
        "BAM_WORKSPACE": str(workspace.folder),
        "BAM_CACHE": str(workspace.cache.parent),
        "SERVER_LOG": str(folder / "server.log"),
    }
    with served("app:app", ROOT, environment) as url:
        context = browser.new_context(viewport={"width": width, "height": height}, base_url=url)
        context.set_default_timeout(timeout)
        yield context.new_page()
        context.close()


@contextlib.contextmanager
def small_app(
    folder: Path,
    server: str,
    script: str,
    environment: Mapping[str, str] | None = None,
    *,
    ask: str = "/_stcore/health",
) -> Iterator[str]:
    """Write the two programs of a small app into ``folder``, run it as :func:`served` does, and give its URL."""
    (folder / "server.py").write_text(textwrap.dedent(server), encoding="utf-8")
    (folder / "script.py").write_text(textwrap.dedent(script), encoding="utf-8")
    with served("server:app", folder, environment or {}, ask=ask) as url:
        yield url


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until ``url`` answers; fail with the log if the server ends first or takes a minute."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
    pytest.fail(f"the test's server did not start: {log.read_text()}")


def somebody(browser: "Browser", address: str) -> "Page":
    """A browser of its own, with nobody signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=address)
    context.set_default_timeout(PATIENCE)
    return context.new_page()
