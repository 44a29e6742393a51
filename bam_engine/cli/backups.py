"""``backup`` and ``restore``: the database in one file, and back. ``check``: what is damaged, and its repair."""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

import sqlalchemy as sa

from bam_engine import maintenance
from bam_engine.cli.arguments import Commands, add_command, given_path
from bam_engine.cli.progress import bar
from bam_engine.database import backups
from bam_engine.errors import BamError
from bam_engine.formatting import count, file_size
from bam_engine.workspace import Workspace
from bam_engine.workspace.core import database_address, folder_from_environment


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the commands to the parser."""
    command = add_command(commands, "backup", back_up, "write everything that people have entered to one file")
    command.add_argument("file", type=given_path, help="file to write")
    command.add_argument("--replace", action="store_true", help="replace the file if it exists")
    command.description = (
        "Write everything that people have entered to one file, also while the app runs. Pictures and what can be "
        "recomputed are not in it. A SQLite database gives a SQLite file, a PostgreSQL database an archive of pg_dump."
    )
    command = add_command(commands, "restore", restore, "replace the database by a backup", opened=False)
    command.add_argument("file", type=given_path, help="backup or daily copy")
    command.add_argument(
        "--replace", action="store_true", help="replace a database that holds something; it is kept in another file"
    )
    command.description = (
        "Replace the database by a backup. The file is checked first and migrated if it is old; what the database held "
        "is kept beside it."
    )
    command = add_command(commands, "check", check, "find what is damaged, and repair what can be derived again")
    command.add_argument("--repair", action="store_true", help="delete what is damaged, and derive it again")
    command.add_argument("--skip-images", action="store_true", help="do not read the image files")
    command.description = (
        "Find what is damaged: the database and its copies, image files that are not those that were added, and "
        "derived files that are damaged, of other images, or belong to nothing. Say what was repaired, and which "
        "command mends the rest. The exit code is 0 if nothing is left to mend."
    )


def back_up(workspace: Workspace, options: Namespace) -> None:
    """Write a backup, and print its path and size."""
    file = backups.back_up(workspace.engine, options.file, replace=options.replace)
    print(f"{file}: {file_size(file.stat().st_size)}")


def restore(options: Namespace) -> None:
    """Restore a backup, and print what there is now, and where the rest is kept."""
    folder = folder_from_environment()
    address = database_address(folder, os.environ.get("BAM_DATABASE_URL"))
    backups.check_backup(address, options.file)
    if not options.replace:
        _refuse_to_replace(address)
    kept = backups.restore(address, options.file, folder.absolute())
    print(f"{options.file} is restored: {backups.contents(address)}.")
    if kept is not None:
        print(f"What the database held before is in {kept}.")
    print("If the app is running, start it again. Check the derived files with `bam check`.")


def check(workspace: Workspace, options: Namespace) -> None:
    """Print what is damaged, and repair it if that is asked for."""
    with bar("check", "files") as report:
        findings = maintenance.check(workspace, images=not options.skip_images, report=report)
    repairable = [finding for finding in findings if finding.repairable]
    for finding in findings:
        print(f"{finding.what}\n  {finding.cure}{f' Run `{finding.command}`.' if finding.command else ''}")
    if repairable and not options.repair:
        raise BamError(
            f"{count(len(findings), 'kind of damage was', 'kinds of damage were')} found. `bam check --repair` repairs "
            f"{len(repairable):,} of them."
        )
    left = len(findings) - _repair(repairable)
    if left:
        raise BamError(f"{count(left, 'kind of damage is', 'kinds of damage are')} left that only you can mend.")
    if not findings:
        print("Nothing is damaged.")


def _repair(findings: Sequence[maintenance.Finding]) -> int:
    """Repair and print what was repaired; return how many findings that were."""
    if not findings:
        return 0
    with bar("repair", "steps") as report:
        outcomes = maintenance.repair(findings, report=report)
    for outcome in outcomes:
        problem = f"\n  {outcome.problem}" if outcome.problem else ""
        print(f"{'Not repaired' if problem else 'Repaired'}: {outcome.finding.what}{problem}")
    return sum(not outcome.problem for outcome in outcomes)


def _refuse_to_replace(address: str | sa.URL) -> None:
    try:
        found = backups.contents(address)
    except BamError as error:
        raise BamError(f"{error} To put the backup in its place, add --replace; it is kept in another file.") from error
    if found:
        raise BamError(
            f"The database of this workspace holds {found}. To replace them by the backup, add --replace; they are "
            "kept in another file. To keep both, set BAM_WORKSPACE to another folder."
        )
