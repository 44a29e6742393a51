"""``remove`` and ``return``: take images out of the collection, and bring them back."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

import numpy as np

from bam_engine.cli.arguments import Commands, add_command
from bam_engine.cli.progress import bar
from bam_engine.collection.removals import Removal
from bam_engine.errors import CollectionError
from bam_engine.formatting import count
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import missing_member_rows, rows_at


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the commands to the parser."""
    command = add_command(commands, "remove", remove, "remove images from the collection; their answers are kept")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("paths", nargs="*", default=[], metavar="PATH", help="an image, or a folder of them")
    which.add_argument("--missing", action="store_true", help="the images whose files do not exist any more")
    which.add_argument("--list", action="store_true", help="remove nothing; list what was removed, and by whom")
    _add_name(command, "who removes them")
    command = add_command(commands, "return", bring_back, "bring removed images back into the collection")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("paths", nargs="*", default=[], metavar="PATH", help="an image, or a folder of them")
    which.add_argument("--removal", type=int, metavar="NUMBER", help="all images of one removal")
    _add_name(command, "who brings them back")


def _add_name(command: ArgumentParser, who: str) -> None:
    command.add_argument("--as", dest="name", metavar="NAME", help=f"{who}: the name of an annotator, for the list")


def _actor(workspace: Workspace, options: Namespace) -> int | None:
    return None if options.name is None else workspace.annotators.actor(options.name)


def remove(workspace: Workspace, options: Namespace) -> None:
    """Remove images, or list the removals."""
    if options.list:
        names = workspace.annotators.names()
        for one in workspace.removals.all():
            print(_words(one, names))
        return
    if options.missing:
        with bar("remove", "files") as report:
            rows = missing_member_rows(workspace, report=report)
        if not len(rows):
            print("every file of the collection is where it was; nothing was removed")
            return
        reason = "missing files"
    else:
        rows = _rows(workspace, options.paths)
        reason = ", ".join(options.paths)
    removal = workspace.removals.remove(rows, reason=reason, by=_actor(workspace, options))
    print(f"{count(removal.images, 'image')} removed (undo: bam return --removal {removal.id})")


@one_flow
def _rows(workspace: Workspace, paths: list[str]) -> np.ndarray:
    return np.unique(np.concatenate([rows_at(workspace, path) for path in paths]))


def bring_back(workspace: Workspace, options: Namespace) -> None:
    """Bring images back."""
    by = _actor(workspace, options)
    if options.removal is not None:
        images = workspace.removals.undo(options.removal, by=by)
    else:
        images = workspace.removals.bring_back(_rows(workspace, options.paths), by=by)
    if not images:
        raise CollectionError("None of these images is removed, so nothing came back.")
    print(f"{count(images, 'image')} back in the collection")


def _words(removal: Removal, names: Mapping[int, str]) -> str:
    left = count(removal.images, "image") if removal.images else "all back"
    return f"{removal.id}: {left}, {removal.reason}, {removal.history(names)}"
