"""``tag``: words of people's own on images, to find them again."""

from argparse import ArgumentParser, Namespace

import numpy as np
from numpy.typing import NDArray

from bam_engine.cli.arguments import EPILOG, Commands, add_command
from bam_engine.formatting import count
from bam_engine.gallery.tag_facet import tag_counts
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import members, rows_at


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    command = commands.add_parser(
        "tag",
        help="list tags, give images a tag, or take it off",
        description="List tags, give images a tag, or take it off. A tag is no label: it teaches and judges nothing.",
        epilog=EPILOG,
    )
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    add_command(actions, "list", list_all, "print how many images have each tag")
    action = add_command(actions, "add", add, "give images a tag")
    _add_arguments(action)
    action.add_argument("--as", dest="name", metavar="NAME", help="who tags them: the name of an annotator")
    _add_arguments(add_command(actions, "remove", remove, "take a tag off images"))


def _add_arguments(action: ArgumentParser) -> None:
    action.add_argument("tag", help='such as "to check"')
    action.add_argument("images", nargs="+", metavar="IMAGE", help="number of an image, its path, or a folder of them")


@one_flow
def list_all(workspace: Workspace, options: Namespace) -> None:
    """Print how many images have each tag."""
    for tag, images in tag_counts(workspace, members(workspace)).items():
        print(f"{images:8,}  {tag}")


def add(workspace: Workspace, options: Namespace) -> None:
    """Give images a tag."""
    by = None if options.name is None else workspace.annotators.actor(options.name)
    new = workspace.tags.add(_rows(workspace, options.images), options.tag, by)
    print(f"{count(len(new), 'image')} tagged “{options.tag}”")


def remove(workspace: Workspace, options: Namespace) -> None:
    """Take a tag off images."""
    had = workspace.tags.remove(_rows(workspace, options.images), options.tag)
    print(f"“{options.tag}” taken off {count(len(had), 'image')}")


@one_flow
def _rows(workspace: Workspace, images: list[str]) -> NDArray[np.int64]:
    return np.concatenate(
        [np.array([int(each)], np.int64) if each.isdecimal() else rows_at(workspace, each) for each in images]
    )
