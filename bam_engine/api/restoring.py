"""Bringing a backup back, for Python; see :func:`bam_engine.restore`."""

from pathlib import Path

from bam_engine.database import backups
from bam_engine.errors import BamError
from bam_engine.workspace.core import database_address


def restore(folder: Path, file: Path, *, replace: bool, database_url: str | None) -> Path | None:
    """Replace the database of a folder by a backup; return the file that keeps what it held."""
    address = database_address(folder, database_url)
    backups.check_backup(address, file)
    if not replace and (found := backups.contents(address)):
        raise BamError(
            f"The database of {folder} holds {found}. To replace them by the backup, give replace=True; they are kept "
            "in another file."
        )
    return backups.restore(address, file, folder.absolute())
