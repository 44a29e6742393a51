"""The workspaces that were opened on this computer, and the folder of a new one.

In:  a workspace that a server opens. Out: which ones were opened, the last one first. The list is a file of the user,
``bam/workspaces.json`` in ``XDG_STATE_HOME`` (by default ``~/.local/state``). It is a convenience: where it cannot be
read or written, nothing is listed and nothing fails. A workspace whose database is on a server is not listed, since
that needs an address, which may hold a password.
"""

import json
import logging
import os
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bam_engine.errors import BamError
from bam_engine.files import replacing
from bam_engine.typed_paths import typed_path
from bam_engine.workspace.core import DATABASE

LONGEST_LIST = 30
"""How many workspaces are remembered."""

_FORBIDDEN = re.compile(r'[\x00-\x1f/\\:*?"<>|]')  # what a folder's name may not hold on one system or another
_LONGEST_NAME = 100  # letters

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecentWorkspace:
    """A workspace that was opened on this computer.

    Attributes
    ----------
    folder
        Its folder, absolute.
    cache
        The folder of derived data that was used with it, absolute.
    opened
        When it was last opened, as an ISO time in UTC.
    port
        The port of the server that opened it last; 0 if unknown. The server may have stopped since.
    """

    folder: Path
    cache: Path
    opened: str
    port: int

    @property
    def name(self) -> str:
        """Its name for people: that of its folder."""
        return self.folder.name


def recent_workspaces() -> list[RecentWorkspace]:
    """Return the workspaces that were opened and are still there, the last one first."""
    return [one for one in _read() if is_workspace(one.folder)]


def remember(folder: Path, cache: Path, *, port: int = 0) -> None:
    """Put a workspace at the top of the list."""
    opened = RecentWorkspace(folder.absolute(), cache.absolute(), datetime.now(UTC).isoformat(timespec="seconds"), port)
    others = [one for one in _read() if one.folder != opened.folder]
    entries = [asdict(one) for one in [opened, *others][:LONGEST_LIST]]
    try:
        with replacing(list_file()) as file:
            file.write_text(json.dumps(entries, indent=1, default=str), encoding="utf-8")  # paths as texts
    except (OSError, RuntimeError) as error:  # RuntimeError: the user has no home
        log.info("the list of workspaces cannot be written: %s", error)


def is_workspace(folder: Path) -> bool:
    """Return whether a folder holds a workspace."""
    try:
        return (folder / DATABASE).is_file()
    except OSError:
        return False


def existing_workspace(typed: str) -> Path:
    """Return the folder of the workspace that a text names.

    Raises
    ------
    BamError
        There is no workspace.
    """
    folder = typed_path(typed).absolute()
    if not is_workspace(folder):
        there = "has no workspace in it" if folder.is_dir() else "does not exist"
        raise BamError(
            f"The folder {folder} {there}. A workspace is a folder with a file {DATABASE}: choose one, or make a new "
            "workspace."
        )
    return folder


def new_workspace(name: str, *, beside: Path) -> Path:
    """Return the folder of a new workspace; it is made when the workspace is first opened.

    Parameters
    ----------
    name
        Its name, that of its folder.
    beside
        The folder of another workspace; the new one lies in the same folder.

    Raises
    ------
    BamError
        No folder can have this name, or one has it.

    Examples
    --------
    >>> new_workspace("birds", beside=Path("/data/flowers")).as_posix()
    '/data/birds'
    """
    name = name.strip()
    if not name or name.startswith(".") or _FORBIDDEN.search(name) or len(name) > _LONGEST_NAME:
        raise BamError(
            f"“{name}” cannot be the name of a workspace: it is that of a folder, has 1 to {_LONGEST_NAME} letters, "
            'does not begin with a full stop and holds none of / \\ : * ? " < > |. Choose another name.'
        )
    folder = beside.absolute().parent / name
    if is_workspace(folder):
        raise BamError(f"There is a workspace {folder} already. Open it, or choose another name.")
    if folder.exists():
        raise BamError(f"There is a folder or file {folder} already. Choose another name.")
    return folder


def list_file() -> Path:
    """Return the file that the list is kept in."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (state if state.is_absolute() else Path.home() / ".local" / "state") / "bam" / "workspaces.json"


def _read() -> list[RecentWorkspace]:
    try:
        entries = json.loads(list_file().read_text(encoding="utf-8"))
        return [
            RecentWorkspace(Path(one["folder"]), Path(one["cache"]), str(one["opened"]), int(one["port"]))
            for one in entries
        ]
    except FileNotFoundError:
        return []
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        log.info("the list of workspaces cannot be read: %s", error)
        return []
