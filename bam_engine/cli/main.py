"""The parser of the command line and its exit codes.

0: success. 1: the command failed; the message says why. 2: the command line is wrong. 130: interrupted from the
keyboard; finished work is saved, and the same command resumes.
"""

import argparse
import sys
from collections.abc import Sequence

from bam_engine.cli import agreement, attributes, collection, demo, layouts, results, simulation, status, training
from bam_engine.cli.arguments import EPILOG
from bam_engine.errors import BamError
from bam_engine.workspace import Workspace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    workspace = None
    try:
        workspace = Workspace.from_environment()
        options.run(workspace, options)
    except BamError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Finished work is saved; run the same command again to resume.", file=sys.stderr)
        return 130
    finally:
        if workspace is not None:
            workspace.close()
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser with all commands, in the order of the work."""
    top = argparse.ArgumentParser(
        prog="python -m bam_engine", description="Turn unlabelled images into a dataset you can trust.", epilog=EPILOG
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (demo, collection, attributes, simulation, training, agreement, layouts, results, status):
        module.add_commands(commands)
    return top
