"""The parser of the command line and its exit codes.

0: success. 1: the command failed; the message says why. 2: the command line is wrong. 130: interrupted from the
keyboard; finished work is saved, and the same command resumes.
"""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from bam_engine import __version__
from bam_engine.cli import (
    agreement,
    annotators,
    attributes,
    backups,
    collection,
    demo,
    labels,
    layouts,
    removals,
    results,
    serve,
    simulation,
    status,
    training,
)
from bam_engine.cli.arguments import EPILOG
from bam_engine.errors import BamError
from bam_engine.files import private_files
from bam_engine.workspace import Workspace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    try:
        with private_files():
            if not options.opened:
                options.run(options)
            else:
                with contextlib.closing(Workspace.from_environment()) as workspace:
                    options.run(workspace, options)
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
    setup = (serve, demo, collection, removals, attributes, annotators, labels)
    for module in (*setup, simulation, training, agreement, layouts, results, backups, status):
        module.add_commands(commands)
    return top
