"""The dataset that is opened to the team: an export that whoever has enough accepted answers may download.

In:  the files of an export and the number of accepted answers that open it. Out: one file, in a folder of the
workspace, and who may have it. Owners and reviewers always may. BAM gave its dataset to those who had annotated.
"""

import contextlib
import os
import shutil
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bam_engine.database import log_activity, put_setting, read_setting
from bam_engine.errors import ExchangeError, NotFound, TeamError
from bam_engine.files import ABANDONED, replacing
from bam_engine.formatting import count
from bam_engine.labelling import gold
from bam_engine.labelling.accepted import all_accepted_answers
from bam_engine.progress import Report, silent
from bam_engine.team import Account, Role
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

FOLDER = "opened"
MAX_AFTER = 1_000_000
_SETTING = "opened_dataset"


@dataclass(frozen=True)
class OpenedDataset:
    """The file that is opened, after how many accepted answers of a person, and when it was opened."""

    path: Path
    size: int
    after: int
    opened_at: str


@dataclass(frozen=True)
class Progress:
    """How far one person is: their ``accepted`` answers, of the number ``after`` which the dataset is opened.

    They are ``told`` of so many: in tens where gold is mixed in, since one more would tell that an answer was no miss.
    """

    accepted: int
    after: int
    told: int

    @property
    def reached(self) -> bool:
        """Whether the dataset is open to them."""
        return self.accepted >= self.after


def open_dataset(
    workspace: Workspace, files: Sequence[Path], *, after: int = 0, report: Report = silent
) -> OpenedDataset:
    """Open an export to the team, in place of the one before.

    It is copied, so that it stays the same whatever becomes of the export; several files, and a folder, become one zip.
    Where two are opened at once, the one that is ready last stays.

    Parameters
    ----------
    files
        The files of one export, or its folder.
    after
        How many accepted answers a person needs; 0 opens it at once to whoever is signed in.

    Raises
    ------
    ExchangeError
        There are no such files, they cannot be copied, or ``after`` is out of range. Nothing has changed.
    """
    _check_after(after)
    missing = [str(path) for path in files if not path.exists()]
    if missing or not files:
        raise ExchangeError(f"There is no export at {', '.join(missing) or 'no path'}. Write one, and open it then.")
    moment = datetime.now(UTC)
    single = len(files) == 1 and files[0].is_file()
    name = files[0].name if single else f"{_common_name(files)}.zip"
    target = workspace.folder / FOLDER / f"{moment:%Y%m%d%H%M%S%f}" / name
    try:
        with replacing(target) as temporary:
            if single:
                shutil.copyfile(files[0], temporary)
            else:
                _zip(files, temporary, report)
    except OSError as error:
        raise ExchangeError(f"Cannot copy the export to {target.parent}: {error.strerror or error}.") from error
    before = read_setting(workspace.engine, _SETTING)
    _store(workspace, target, after, moment.isoformat(timespec="seconds"), "opened the dataset")
    _clear(workspace, before, target.parent)
    opened = opened_dataset(workspace)
    if opened is None:
        raise ExchangeError("The dataset was closed while it was opened. Open it again.")
    return opened


def open_after(workspace: Workspace, after: int) -> None:
    """Ask for another number of accepted answers.

    Raises
    ------
    ExchangeError
        The number is out of range.
    NotFound
        No dataset is opened.
    """
    _check_after(after)
    opened = opened_dataset(workspace)
    if opened is None:
        raise NotFound("No dataset is opened. Open an export first.")
    _store(workspace, opened.path, after, opened.opened_at, "changed who gets the dataset:")


def close_dataset(workspace: Workspace) -> None:
    """Take the opened dataset back; the exports stay where they are."""
    before = read_setting(workspace.engine, _SETTING)
    with workspace.engine.begin() as connection:
        put_setting(connection, _SETTING, None)
        log_activity(connection, "closed the dataset", "nobody downloads it any more")
    _clear(workspace, before)


def opened_dataset(workspace: Workspace) -> OpenedDataset | None:
    """Return the dataset that is opened; None where there is none, or its file has gone."""
    stored = read_setting(workspace.engine, _SETTING)
    if stored is None:
        return None
    path = workspace.folder / FOLDER / stored["folder"] / stored["name"]
    try:
        size = path.stat().st_size
    except OSError:
        return None
    return OpenedDataset(path, size, int(stored["after"]), stored["opened_at"])


@one_flow
def progress(workspace: Workspace, annotator_id: int) -> Progress:
    """Return how far a person is on the way to the opened dataset; where none is opened, nothing is asked of them."""
    opened = opened_dataset(workspace)
    accepted, after = all_accepted_answers(workspace)[annotator_id], 0 if opened is None else opened.after
    return Progress(accepted, after, gold.coarse(workspace, accepted))


@one_flow
def download(workspace: Workspace, account: Account | None) -> OpenedDataset:
    """Return the opened dataset, for somebody who may have it; None is one person at their own computer.

    Raises
    ------
    NotFound
        No dataset is opened.
    TeamError
        The person has too few accepted answers.
    """
    opened = opened_dataset(workspace)
    if opened is None:
        raise NotFound("No dataset is opened just now. Ask an owner to open one.")
    if account is None or account.role >= Role.REVIEWER or opened.after == 0:
        return opened
    known = progress(workspace, account.annotator_id)
    if not known.reached:
        raise TeamError(
            f"The dataset opens after {count(opened.after, 'accepted answer')}, and you have {known.told:,}."
        )
    return opened


@one_flow
def reached(workspace: Workspace) -> tuple[int, int]:
    """Return how many viewers and annotators have reached the number, and how many there are."""
    people = [one for one in workspace.team.accounts.all() if one.role < Role.REVIEWER]
    opened, accepted = opened_dataset(workspace), all_accepted_answers(workspace)
    after = 0 if opened is None else opened.after
    return sum(accepted[one.annotator_id] >= after for one in people), len(people)


def _check_after(after: int) -> None:
    if not 0 <= after <= MAX_AFTER:
        raise ExchangeError(f"Cannot ask for {after:,} accepted answers. Choose a number from 0 to {MAX_AFTER:,}.")


def _common_name(files: Sequence[Path]) -> str:
    return files[0].name if len(files) == 1 else files[0].parent.name


def _store(workspace: Workspace, path: Path, after: int, opened_at: str, action: str) -> None:
    value = {"folder": path.parent.name, "name": path.name, "after": after, "opened_at": opened_at}
    with workspace.engine.begin() as connection:
        put_setting(connection, _SETTING, value)
        log_activity(connection, action, f"{path.name} after {count(after, 'accepted answer')}")


def _clear(workspace: Workspace, before: dict[str, Any] | None, kept: Path | None = None) -> None:
    """Delete the copy that was opened ``before``, and what a process that was killed has left.

    Other folders stay: another process may be opening a dataset just now.
    """
    old = time.time() - ABANDONED
    for folder in (workspace.folder / FOLDER).glob("*"):
        replaced = before is not None and folder.name == before["folder"]
        with contextlib.suppress(OSError):
            if folder != kept and (replaced or folder.stat().st_mtime < old):
                shutil.rmtree(folder, ignore_errors=True)


def _zip(files: Sequence[Path], target: Path, report: Report) -> None:
    """Write files and what folders hold into a zip, by their paths below the folder that holds them all."""
    paths = [path.resolve() if path.is_dir() else path.parent.resolve() / path.name for path in files]
    base = paths[0] if len(paths) == 1 else Path(os.path.commonpath([path.parent for path in paths]))
    found = [
        file
        for path in dict.fromkeys(paths)
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.is_file()
    ]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for done, file in enumerate(found):
            report(done, len(found), "packing the export")
            archive.write(file, file.relative_to(base))
