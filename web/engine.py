"""The workspace of this process, shared by all pages and routes.

The environment names it. If the environment changes, as in tests, another workspace is opened.
"""

import functools
import os
import threading

from bam_engine.workspace import Workspace

_VARIABLES = ("BAM_WORKSPACE", "BAM_CACHE", "BAM_DATABASE_URL")
_opening = threading.Lock()  # the warm-up and the first page must not open one each


def workspace() -> Workspace:
    """Return the workspace that the environment names, opened once."""
    with _opening:
        return _open(tuple(os.environ.get(name) for name in _VARIABLES))


@functools.cache
def _open(_names: tuple[str | None, ...]) -> Workspace:
    return Workspace.from_environment()
