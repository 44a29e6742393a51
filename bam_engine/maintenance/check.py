"""The check of a workspace, and the repair of what it finds.

Everything is judged by the functions that read it, so what the check accepts is what the program uses. Nothing that
people have entered is changed, and no image file is.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bam_engine.collection.originals import open_original
from bam_engine.collection.records import last_path
from bam_engine.database import backups
from bam_engine.errors import BamError, Stopped
from bam_engine.formatting import count
from bam_engine.maintenance import derived_files
from bam_engine.maintenance.finding import Finding, Outcome, Step, first_of
from bam_engine.progress import Report, silent
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import member_rows

_DAMAGED_DATABASE = "Restore a backup or a daily copy. The damaged database is kept."
_DAMAGED_COPIES = "Nothing can be restored from it. Write a backup, best to another disk, and delete what is damaged."


def check(workspace: Workspace, *, images: bool = True, report: Report = silent) -> list[Finding]:
    """Return what is damaged in a workspace, worst first; nothing is changed.

    Parameters
    ----------
    images
        Whether every image file is read and compared with its digest.

    Raises
    ------
    Stopped
        A stop was requested.
    """
    rows = member_rows(workspace).tolist() if images else []
    files = derived_files.files_of(workspace)
    copies = backups.copies_of(workspace.engine, workspace.folder)
    total, done = len(rows) + len(files) + len(copies) + 1, 0

    def step(message: str) -> None:
        nonlocal done
        done += 1
        report(done, total, message)

    step("database")
    findings = list(_database(workspace))
    findings += _copies(workspace, copies, step)
    findings += _image_files(workspace, rows, step)
    findings += derived_files.check(workspace, files, step)
    return findings


def repair(findings: Iterable[Finding], *, report: Report = silent) -> list[Outcome]:
    """Delete what is damaged and derive it again; return what became of each finding.

    Raises
    ------
    Stopped
        A stop was requested; what was mended stays so.
    """
    outcomes = []
    for finding in findings:
        problem = ""
        try:
            for file in finding.files:
                _delete(file)
            if finding.remake is not None:
                finding.remake(report)
        except Stopped:
            raise
        except OSError as error:
            problem = f"{error.filename} cannot be deleted: {error.strerror}."
        except BamError as error:
            problem = str(error)
        outcomes.append(Outcome(finding, problem))
    return outcomes


def _database(workspace: Workspace) -> Iterator[Finding]:
    try:
        backups.check_database(workspace.engine)
    except BamError as error:
        yield Finding(f"The database is damaged: {error}", _DAMAGED_DATABASE, command="bam restore FILE --replace")


def _copies(workspace: Workspace, copies: Sequence[Path], step: Step) -> Iterator[Finding]:
    damaged = []
    for copy in copies:
        try:
            backups.check_backup(workspace.engine.url, copy)
        except BamError:
            if copy.exists():  # the oldest daily copy is removed for a new one
                damaged.append(copy)
        step("copies of the database")
    if damaged:
        yield Finding(
            f"{count(len(damaged), 'copy', 'copies')} of the database {'is' if len(damaged) == 1 else 'are'} damaged"
            f"{first_of(damaged)}.",
            _DAMAGED_COPIES,
            command="bam backup FILE",
        )


def _image_files(workspace: Workspace, rows: Sequence[int], step: Step) -> Iterator[Finding]:
    """Compare every image file with the digest that it had when it was added."""
    paths, digests = workspace.catalogue.paths(), workspace.catalogue.digests()
    missing, replaced, changed, unreadable = [], [], [], []
    for row in rows:
        uri = str(paths[row])
        try:
            with open_original(paths[row]) as file:
                if not hashlib.file_digest(file, "sha256").hexdigest().startswith(digests.text(row)):
                    changed.append(uri)
        except (FileNotFoundError, NotADirectoryError):
            path = last_path(uri)
            if path == uri:
                missing.append(path)
            else:
                replaced.append(path)
        except (OSError, ValueError):
            unreadable.append(uri)
        step("image files")
    if changed:
        yield Finding(
            f"{count(len(changed), 'file is', 'files are')} not the image that was added{first_of(changed)}.",
            "Add the folder again: the labels stay with the images that were labelled.",
            command="bam ingest FOLDER --verify",
        )
    if missing:
        yield Finding(
            f"{count(len(missing), 'image file is', 'image files are')} missing{first_of(missing)}.",
            "Add the folder again where the files are, or remove the images: their answers are kept.",
            command="bam ingest FOLDER",
        )
    if replaced:
        yield Finding(
            f"{count(len(replaced), 'image has', 'images have')} no file, since another is in its place"
            f"{first_of(replaced)}.",
            "Add the folder where the old picture is, or remove the image: its answers are kept.",
            command="bam remove --missing",
        )
    if unreadable:
        yield Finding(
            f"{count(len(unreadable), 'image file', 'image files')} cannot be read{first_of(unreadable)}.",
            "Make them readable, or connect the disk that they are on.",
        )


def _delete(file: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
        return
    with contextlib.suppress(FileNotFoundError):
        file.unlink()
