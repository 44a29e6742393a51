"""The workspace of this process, shared by all pages and routes.

The environment names it. If the environment changes, as in tests, another workspace is opened.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bam_engine.errors import BamError
from bam_engine.workspace import Workspace
from bam_engine.workspace.core import folder_from_environment

_VARIABLES = ("BAM_WORKSPACE", "BAM_CACHE", "BAM_DATABASE_URL")
_Names = tuple[str | None, ...]


@dataclass(frozen=True)
class _Failure:
    """Why a workspace could not be opened, and when that was known."""

    error: BamError
    at: float


_opening = threading.Lock()  # the warm-up and the first page must not open one each
_opened: dict[_Names, Workspace] = {}
_failed: dict[_Names, _Failure] = {}
_when_opened: list[Callable[[Workspace], None]] = []


def when_opened(prepare: Callable[[Workspace], None]) -> None:
    """Call ``prepare`` with each workspace that is opened from here on, before anybody has it."""
    _when_opened.append(prepare)


def workspace() -> Workspace:
    """Return the workspace that the environment names, opened once.

    Whoever waits while another one fails to open it is told the same, and does not try in turn: the database may take
    seconds to fail.
    """
    names, asked = _names(), time.monotonic()
    with _opening:
        if names not in _opened:
            failure = _failed.get(names)
            if failure is not None and failure.at > asked:
                raise failure.error
            try:
                opened = Workspace.from_environment()
            except BamError as error:
                _failed[names] = _Failure(error, time.monotonic())
                raise
            for prepare in _when_opened:
                prepare(opened)
            _opened[names] = opened
        return _opened[names]


def opened_workspace() -> Workspace | None:
    """Return the workspace that the environment names if it was opened."""
    return _opened.get(_names())


def workspace_name() -> str:
    """Return the name of the workspace for people, that of its folder, whether or not it can be opened."""
    return folder_from_environment().absolute().name or "workspace"


def _names() -> _Names:
    return tuple(os.environ.get(name) for name in _VARIABLES)
