"""The way back to a snapshot: the dataset as it was then, and people as they are.

In:  a workspace and the name of a snapshot. Out: the same workspace with that dataset, and a snapshot of what it had.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import sqlalchemy as sa

from bam_engine.database import sqlite_backups
from bam_engine.database.restored_tables import DatasetChanged, restore_tables
from bam_engine.database.revisions import RESTORED, read_revisions
from bam_engine.errors import BamError, StoreUnavailable
from bam_engine.freezing.snapshots import DatasetSnapshot, create_of_moment, digest_of, discard, get, opened
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
    with workspace.jobs.alone(job):
        if digest_of(snapshot.tables) != snapshot.digest:
            raise BamError(f"The snapshot {name} is damaged: its tables are not those that were written. Remove it.")
        sqlite_backups.check(snapshot.tables)
        with opened(workspace, snapshot.tables) as frozen:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    return _replace(workspace, frozen, name, by, report)
                except (DatasetChanged, StoreUnavailable):
                    if attempt == _ATTEMPTS:
                        raise
    raise AssertionError("unreachable")


def _replace(workspace: Workspace, frozen: Workspace, name: str, by: str, report: Report) -> DatasetSnapshot:
    """Freeze what there is, and replace it; where it stays, its snapshot is removed again."""
    before, revisions = _freeze_before(workspace, name, by, report)
    try:
        restore_tables(
            workspace.engine,
            frozen.engine,
            unchanged_since=revisions,
            action="restored snapshot",
            subject=f"{name}; what was there before is {before.name}",
        )
    except BaseException as error:
        if _is_as_it_was(workspace, revisions):
            discard(before.folder)
        if isinstance(error, sa.exc.DBAPIError):
            raise BamError(
                f"The snapshot {name} cannot be restored: {error.orig}. The dataset is as it was."
            ) from error
        raise
    return before


def _is_as_it_was(workspace: Workspace, revisions: Mapping[str, int]) -> bool:
    """Return whether nothing was restored since; False where the database does not say."""
    try:
        with workspace.engine.connect() as connection:
            return read_revisions(connection).get(RESTORED, 0) == revisions.get(RESTORED, 0)
    except (BamError, sa.exc.SQLAlchemyError):
        return False


def _freeze_before(workspace: Workspace, name: str, by: str, report: Report) -> tuple[DatasetSnapshot, dict[str, int]]:
    moment = f"{datetime.now(UTC):%Y-%m-%d-%H%M%S-%f}"
    note = f"what there was before a restore of {name}"
    return create_of_moment(workspace, f"before-restore-{moment}", note=note, by=by, report=report)
