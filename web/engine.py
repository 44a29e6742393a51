"""The one workspace of this process, shared by every page and route.

The environment names it; a process that changes the environment (tests do) gets another one.
"""

import functools
import os
import threading

from bam_engine.workspace import Workspace

_NAMES = ("BAM_WORKSPACE", "BAM_CACHE", "BAM_DATABASE_URL")
_opening = threading.Lock()  # else what is made beforehand and the first page would open one each


def workspace() -> Workspace:
    """Return the workspace that the environment names, opened once."""
    with _opening:
        return _open(tuple(os.environ.get(name) for name in _NAMES))


@functools.cache
def _open(_names: tuple[str | None, ...]) -> Workspace:
    return Workspace.from_environment()
