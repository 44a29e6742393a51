"""Where pages write what people ask for: in the workspace, or, where it is read-only, in a temporary folder."""

import tempfile
from pathlib import Path

from bam_engine.database import read_only
from web.engine import workspace


class _Temporary:
    """A folder that is removed when the server ends."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bam-")
        self.path = Path(self._folder.name)


def output_folder(name: str) -> Path:
    """Return the folder ``name`` for what pages write; it need not exist yet."""
    ws = workspace()
    return (ws.state(_Temporary).path if read_only(ws.engine) else ws.folder) / name
