"""The way back to a snapshot: the dataset as it was then, and people as they are.

In:  a workspace and the name of a snapshot. Out: the same workspace with that dataset, and a snapshot of what it had.
"""

from datetime import UTC, datetime

import sqlalchemy as sa

from bam_engine.database import sqlite_backups
from bam_engine.database.restored_tables import DatasetChanged, restore_tables
from bam_engine.errors import BamError
from bam_engine.freezing.snapshots import DatasetSnapshot, create_of_moment, digest_of, get, opened, remove
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace

_ATTEMPTS = 3  # while others write


def restore(
    workspace: Workspace, name: str, *, by: str = "", job: str = "", report: Report = silent
) -> DatasetSnapshot:
    """Bring the dataset back as it was in a snapshot; return a new snapshot of what the workspace had before.

    Images, labels, decisions and evidence are those of the snapshot; one of an earlier version of the program is
    brought up to date first. Accounts, sessions and the log of activity stay as they are, and so do the names of
    annotators and the places of files that have moved since. No image file is changed. Whoever has the workspace open
    sees it at once; assignments that were given out since then are gone.

    Parameters
    ----------
    by
        Who does it.
    job
        The name of the job that does it, which is the only one that may run.

    Raises
    ------
    BamError
        There is no such snapshot, it is damaged or of a later version, another job is running, or people went on
        working meanwhile; the dataset is as it was.
    """
    snapshot = get(workspace, name)
    check_idle(workspace, job)
    if digest_of(snapshot.tables) != snapshot.digest:
        raise BamError(f"The snapshot {name} is damaged: its tables are not those that were written. Remove it.")
    sqlite_backups.check(snapshot.tables)
    with opened(workspace, snapshot.tables) as frozen:
        for attempt in range(_ATTEMPTS):
            before, revisions = _freeze_before(workspace, name, by, report)
            check_idle(workspace, job)
            try:
                restore_tables(
                    workspace.engine,
                    frozen.engine,
                    unchanged_since=revisions,
                    action="restored snapshot",
                    subject=f"{name}; what was there before is {before.name}",
                )
            except DatasetChanged:
                remove(workspace, before.name)
                if attempt == _ATTEMPTS - 1:
                    raise
            except sa.exc.DBAPIError as error:
                remove(workspace, before.name)
                raise BamError(
                    f"The snapshot {name} cannot be restored: {error.orig}. The dataset is as it was."
                ) from error
            else:
                break
    return before


def check_idle(workspace: Workspace, job: str = "") -> None:
    """Raise ``BamError`` where a job other than ``job`` is running: it would write about rows of another dataset."""
    running = [each.title for each in workspace.jobs.running() if each.name != job]
    if running:
        raise BamError(f"A snapshot is restored while no job is running. Wait for this one, or stop it: {running[0]}.")


def _freeze_before(workspace: Workspace, name: str, by: str, report: Report) -> tuple[DatasetSnapshot, dict[str, int]]:
    moment = f"{datetime.now(UTC):%Y-%m-%d-%H%M%S-%f}"
    note = f"what was there before {name} was restored"
    return create_of_moment(workspace, f"before-restore-{moment}", note=note, by=by, report=report)
