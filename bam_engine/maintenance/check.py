"""The check of a workspace, and the repair of what it finds.

Everything is judged by the functions that read it, so what the check accepts is what the program uses. Nothing that
people have entered is changed, and no image file is.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bam_engine.database import backups
from bam_engine.errors import BamError, Stopped
from bam_engine.formatting import count
from bam_engine.maintenance import derived_files
from bam_engine.maintenance.finding import Finding, first_of
from bam_engine.progress import Report, silent
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import member_rows

_DAMAGED_DATABASE = "Restore a backup or a daily copy. The damaged database is kept."


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
    total, done = len(rows) + len(files) + 1, 0

    def step(message: str) -> None:
        nonlocal done
        done += 1
        report(done, total, message)

    step("database")
    findings = list(_database(workspace))
    findings += _image_files(workspace, rows, step)
    findings += derived_files.check(workspace, files, step)
    return findings


def repair(findings: Iterable[Finding], *, report: Report = silent) -> list[str]:
    """Delete what is damaged and derive it again; return why some of it could not be, in words.

    Raises
    ------
    Stopped
        A stop was requested; what was mended stays so.
    """
    problems = []
    for finding in findings:
        try:
            for file in finding.files:
                _delete(file)
            if finding.remake is not None:
                finding.remake(report)
        except Stopped:
            raise
        except OSError as error:
            problems.append(f"{error.filename} cannot be deleted: {error.strerror}.")
        except BamError as error:
            problems.append(str(error))
    return problems


def _database(workspace: Workspace) -> Iterator[Finding]:
    try:
        backups.check_database(workspace.engine)
    except BamError as error:
        yield Finding(f"The database is damaged: {error}", _DAMAGED_DATABASE)


def _image_files(workspace: Workspace, rows: Sequence[int], step: derived_files.Step) -> Iterator[Finding]:
    """Compare every image file with the digest that it had when it was added."""
    uris, digests = workspace.catalogue.uris(), workspace.catalogue.digests()
    missing, changed, unreadable = [], [], []
    for row in rows:
        uri = uris[row]
        try:
            with Path(uri).open("rb") as file:
                if not hashlib.file_digest(file, "sha256").hexdigest().startswith(digests.text(row)):
                    changed.append(uri)
        except (FileNotFoundError, NotADirectoryError):
            missing.append(uri)
        except (OSError, ValueError):
            unreadable.append(uri)
        step("image files")
    if changed:
        yield Finding(
            f"{count(len(changed), 'file is', 'files are')} not the image that was added{first_of(changed)}.",
            "Add the folder again: the labels stay with the images that were labelled.",
        )
    if missing:
        yield Finding(
            f"{count(len(missing), 'image file is', 'image files are')} missing{first_of(missing)}.",
            "Add the folder again where the files are; labels are kept meanwhile.",
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
