"""Servers of other workspaces: a server has one workspace, and opens another one by starting a server for it.

Each workspace has an address of its own, so that no tab, no cached picture and no answer that waits in a browser can
meet another workspace's images. The servers that this one started stop when it does.

In:  the folder of a workspace. Out: the port at which it is served.
"""

import contextlib
import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import bam_engine
from bam_engine.cli.serve import is_this_computer
from bam_engine.errors import BamError
from bam_engine.workspace.core import cache_from_environment, folder_from_environment
from bam_engine.workspace.recent import RecentWorkspace, recent_workspaces, remember
from web import people
from web.routes.caching import NO_STORE

PATIENCE = 90.0
"""Seconds in which a new server has to answer."""

_ADDRESS = "/api/workspace"
_ANSWERS_IN = 0.5  # seconds, on this computer
_LAST_WORDS = 600  # characters of what a server wrote before it failed


@dataclass(frozen=True)
class _Started:
    process: "subprocess.Popen[bytes]"
    port: int
    log: Path


_started: dict[Path, _Started] = {}
_starting = threading.Lock()


def may_switch() -> bool:
    """Return whether visitors may open other workspaces: those of a server for this computer alone.

    On a server that others reach, and on a team's, whoever runs it chooses the workspace: no visitor opens folders of
    that computer.
    """
    if people.team_mode():
        return False
    return is_this_computer(str(st.get_option("server.address") or ""))


def own_folder() -> Path:
    """Return the folder of this server's workspace, absolute."""
    return folder_from_environment().absolute()


def own_cache() -> Path:
    """Return the folder that derived data of workspaces go to, absolute."""
    return cache_from_environment().absolute()


def other_workspaces() -> list[RecentWorkspace]:
    """Return the workspaces that were opened on this computer but for this server's, the last one first."""
    return [one for one in recent_workspaces() if one.folder != own_folder()]


def remember_own() -> None:
    """Put this server's workspace on the list of recent ones, unless its database is elsewhere."""
    if not os.environ.get("BAM_DATABASE_URL"):
        remember(own_folder(), own_cache(), port=int(st.get_option("server.port") or 0))


def serve(folder: Path, cache: Path) -> int:
    """Return the port at which a workspace is served; start a server for it if there is none.

    Raises
    ------
    BamError
        The server did not start; the message ends with what it wrote last.
    """
    with _starting:
        port = _running(folder)
        return port if port else _start(folder, cache)


def stop_all() -> None:
    """Stop the servers that this one started."""
    for one in _started.values():
        one.process.terminate()
    for one in _started.values():
        with contextlib.suppress(subprocess.TimeoutExpired):
            one.process.wait(5)
        one.log.unlink(missing_ok=True)
    _started.clear()


def workspace_routes() -> list[Route]:
    """Return the route that tells which workspace a server has, by a digest of its folder."""
    return [Route(_ADDRESS, _tell)]


async def _tell(_request: Request) -> JSONResponse:
    return JSONResponse({"folder": _digest(own_folder())}, headers=NO_STORE)


def _digest(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()


def _running(folder: Path) -> int:
    """Return the port of a server that has this workspace; 0 if none answers."""
    known = [one.port for one in recent_workspaces() if one.folder == folder]
    if folder in _started:
        known.insert(0, _started[folder].port)
    return next((port for port in known if port and _serves(port, folder)), 0)


def _serves(port: int, folder: Path) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWERS_IN)
    try:
        connection.request("GET", _ADDRESS)
        answer = connection.getresponse()
        return answer.status == 200 and json.loads(answer.read()) == {"folder": _digest(folder)}
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _start(folder: Path, cache: Path) -> int:
    port = _free_port()
    with tempfile.NamedTemporaryFile(prefix="bam-server-", suffix=".log", delete=False) as made:
        log = Path(made.name)
    address = st.get_option("server.address")
    options = ["--workspace", folder, "--cache", cache, "--port", port, "--address", address, "--no-browser"]
    environment = {name: value for name, value in os.environ.items() if name != "BAM_DATABASE_URL"}
    search = [str(Path(bam_engine.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, search))
    # browsers send the cookies of one port to all others of a computer: the servers have to understand them
    environment["STREAMLIT_SERVER_COOKIE_SECRET"] = str(st.get_option("server.cookieSecret"))
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "bam_engine", "serve", *map(str, options)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
        )
    _started[folder] = _Started(process, port, log)
    end = time.monotonic() + PATIENCE
    while not _serves(port, folder):
        if process.poll() is not None or time.monotonic() > end:
            raise _failed(folder)
        time.sleep(0.2)
    return port


def _failed(folder: Path) -> BamError:
    failed = _started.pop(folder)
    failed.process.terminate()
    words = failed.log.read_text(encoding="utf-8", errors="replace").strip()[-_LAST_WORDS:]
    failed.log.unlink(missing_ok=True)
    return BamError(f"No server could be started for the workspace {folder}. It wrote: {words or 'nothing'}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
