"""What the commands share: how one is added to the parser, and the types of its arguments."""

import argparse
from collections.abc import Callable
from pathlib import Path

from bam_engine.errors import BamError
from bam_engine.typed_paths import typed_path
from bam_engine.workspace import Workspace

Commands = argparse._SubParsersAction  # the only name that argparse gives to this type
Run = Callable[[Workspace, argparse.Namespace], None] | Callable[[argparse.Namespace], None]

EPILOG = (
    "The workspace is the folder BAM_WORKSPACE (default: workspace); derived files go to BAM_CACHE (default: cache). "
    "The app uses the same folders."
)


def add_command(
    commands: "Commands[argparse.ArgumentParser]", name: str, run: Run, summary: str, *, opened: bool = True
) -> argparse.ArgumentParser:
    """Add a command and return its parser.

    Parameters
    ----------
    summary
        A lower-case phrase without a full stop.
    opened
        Whether ``run`` takes the opened workspace.
    """
    command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".", epilog=EPILOG)
    command.set_defaults(run=run, opened=opened)
    return command


def add_raw_text(command: argparse.ArgumentParser) -> None:
    """Add the option that writes texts into CSV files unchanged."""
    command.add_argument(
        "--raw-text",
        action="store_true",
        help="write texts into CSV files unchanged; by default, an apostrophe precedes what a spreadsheet would take "
        "for a formula",
    )


def positive_integer(text: str) -> int:
    """Parse an integer of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def proportion(text: str) -> float:
    """Parse a number strictly between 0 and 1."""
    number = float(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def given_path(text: str) -> Path:
    """Parse a path, which may not be empty, as that of a variable that is not set would be."""
    try:
        return typed_path(text)
    except BamError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
