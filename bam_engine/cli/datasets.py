"""``dataset``: the export that is open to a team, and after how many accepted answers."""

from argparse import ArgumentParser, Namespace

from bam_engine.cli.arguments import EPILOG, Commands, add_command, given_path
from bam_engine.cli.progress import bar
from bam_engine.formatting import count, file_size
from bam_engine.reporting import opened_dataset
from bam_engine.workspace import Workspace


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    text = "open an export to a team, or close it"
    command = commands.add_parser("dataset", help=text, description=f"{text.capitalize()}.", epilog=EPILOG)
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "open", open_export, "let the team download an export, in place of the one before")
    action.add_argument("files", nargs="+", type=given_path, metavar="FILE", help="the files of an export, or a folder")
    action.add_argument(
        "--after",
        type=int,
        default=0,
        metavar="N",
        help="how many accepted answers a viewer or an annotator needs (default: %(default)s)",
    )
    add_command(actions, "show", show, "print which export is open, and to how many people")
    add_command(actions, "close", close, "let nobody download it any more")


def open_export(workspace: Workspace, options: Namespace) -> None:
    """Open an export to the team."""
    with bar("pack", "files") as report:
        opened_dataset.open_dataset(workspace, options.files, after=options.after, report=report)
    show(workspace, options)


def show(workspace: Workspace, _options: Namespace) -> None:
    """Print which export is open."""
    opened = opened_dataset.opened_dataset(workspace)
    if opened is None:
        print("No dataset is opened.")
        return
    have, everybody = opened_dataset.reached(workspace)
    print(f"{opened.path.name} ({file_size(opened.size)}) is open after {count(opened.after, 'accepted answer')}")
    print(f"{have:,} of {count(everybody, 'viewer or annotator', 'viewers and annotators')} may download it")


def close(workspace: Workspace, _options: Namespace) -> None:
    """Close the dataset."""
    opened_dataset.close_dataset(workspace)
    print("No dataset is opened; the exports stay where they are")
