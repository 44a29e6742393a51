"""The parser of the command line and its exit codes.

0: success. 1: the command failed; the message says why. 2: the command line is wrong. 130: interrupted from the
keyboard; finished work is saved, and the same command resumes. 141: the program that reads the output has ended.
"""

import argparse
import contextlib
import errno
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bam_engine import __version__
from bam_engine.cli import (
    agreement,
    annotators,
    attributes,
    backups,
    bam_file,
    collection,
    datasets,
    demo,
    duplicates,
    encoders,
    guidelines,
    labels,
    layouts,
    problems,
    proposals,
    recall,
    removals,
    results,
    search,
    serve,
    simulation,
    slices,
    snapshots,
    status,
    tags,
    training,
    urls,
    users,
    weights,
)
from bam_engine.cli.arguments import EPILOG
from bam_engine.errors import BamError
from bam_engine.files import private_files
from bam_engine.workspace import Workspace

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
BROKEN_PIPE = 128 + 13
"""The exit code of a program that the signal SIGPIPE ends."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console may lack a letter of a name
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has all that it wants
        _write_no_more()
        return BROKEN_PIPE
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        _write_no_more()
        print(f"error: Cannot write: {error.strerror}. Free some space, or write elsewhere.", file=sys.stderr)
        return 1


def _write_no_more() -> None:
    """Send standard output nowhere: Python flushes it once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: Sequence[str] | None) -> int:
    options = parser().parse_args(arguments)
    try:
        with private_files():
            if not options.opened:
                options.run(options)
            else:
                with contextlib.closing(Workspace.from_environment()) as workspace:
                    options.run(workspace, options)
                    workspace.sweep()
    except BamError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Finished work is saved; run the same command again to resume.", file=sys.stderr)
        return 130
    return 0


def parser(program: str | None = None) -> argparse.ArgumentParser:
    """Return the parser with all commands, in the order of the work; ``program`` replaces the name in its help."""
    top = argparse.ArgumentParser(
        prog=program or ("bam" if Path(sys.argv[0]).stem == "bam" else "python -m bam_engine"),
        description="Turn unlabelled images into a dataset you can trust.",
        epilog=EPILOG,
    )
    top.add_argument("--version", action="version", version=f"bam {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    setup = (serve, demo, collection, bam_file, urls, removals, tags, attributes, guidelines, labels)
    team = (users, annotators, proposals)
    ways = (weights, search, problems, duplicates, encoders, simulation, training, recall, slices, agreement)
    for module in (*setup, *team, *ways, layouts, results, datasets, snapshots, backups, status):
        module.add_commands(commands)
    return top
