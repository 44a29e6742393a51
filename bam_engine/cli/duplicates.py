"""``duplicates``: groups of exact and near duplicates, listed, and all but one of each dropped."""

import json
from argparse import ArgumentParser, Namespace
from typing import Any

import numpy as np

from bam_engine.cli.arguments import EPILOG, Commands, add_command, positive_integer
from bam_engine.cli.progress import bar
from bam_engine.formatting import count, file_size
from bam_engine.gallery import duplicates, near_duplicates
from bam_engine.gallery.duplicate_facts import DescribedGroup, Duplicate, describe
from bam_engine.gallery.duplicates import DuplicateGroups
from bam_engine.workspace import Workspace

_LISTED = 20
"""How many groups are listed by default."""

_IMAGES = 100
"""How many images of a group are listed; the others are counted."""


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    text = "list groups of duplicates, and keep one image of each"
    command = commands.add_parser("duplicates", help=text, description=f"{text.capitalize()}.", epilog=EPILOG)
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "list", list_groups, "list the groups, those with disagreeing labels first")
    _add_choice(action)
    action.add_argument("--state", choices=duplicates.STATES, default="open", help="which groups (default: open)")
    action.add_argument("--sort", choices=duplicates.ORDERS, default="size", help="what comes first (default: size)")
    most = f"how many groups (default: {_LISTED})"
    action.add_argument("--most", type=positive_integer, default=_LISTED, metavar="NUMBER", help=most)
    action.description = (
        "List the groups, those with disagreeing labels first. Images are searched where some have not been. The image "
        f"that is suggested to be kept comes first in each group: {duplicates.RULE}."
    )
    action = add_command(actions, "drop", drop, "keep the suggested image of each group, and remove the others")
    _add_choice(action)
    action.add_argument(
        "--with-disagreeing", action="store_true", help="also groups in which one image is labelled yes and another no"
    )
    action.add_argument("--as", dest="name", metavar="NAME", help="who drops them: the name of an annotator")
    action.description = (
        "Keep the suggested image of each group, and remove the others from the collection. Files stay, answers stay "
        "stored with their images, and `bam return` brings everything back. Groups whose labels disagree are left for "
        "a person, unless asked for; so are those that somebody keeps whole."
    )


def _add_choice(action: ArgumentParser) -> None:
    action.add_argument(
        "--exact", action="store_true", help="only images that the encoder cannot tell apart (default: near ones, too)"
    )
    action.add_argument("--json", action="store_true", help="print JSON")


def _groups(workspace: Workspace, options: Namespace) -> DuplicateGroups:
    """Return the groups of the level that was asked for, after a search where images have not been searched."""
    with bar("duplicates", "steps") as report:
        near_duplicates.search_where_needed(workspace, report=report)
    return duplicates.duplicate_groups(workspace, "exact" if options.exact else "near")


def list_groups(workspace: Workspace, options: Namespace) -> None:
    """Print the groups."""
    groups = _groups(workspace, options).only(options.state)
    shown = groups.ordered(options.sort).take(np.arange(min(options.most, len(groups))))
    described = describe(workspace, shown, most=_IMAGES)
    if options.json:
        about = {"groups": len(groups), "images": len(groups.rows), "disagreeing": int(groups.disagreeing.sum())}
        print(json.dumps({**about, "listed": [_document(group) for group in described]}, indent=1))
        return
    words = f"{count(len(groups), 'group')} of {count(len(groups.rows), 'image')}"
    print(f"{words}, {groups.disagreeing.sum():,} with disagreeing labels")
    for group in described:
        disagree = f"; labels disagree: {', '.join(group.disagreeing)}" if group.disagreeing else ""
        print(f"\n{count(len(group.rows), 'image')}, distance {group.distance:.2f}{disagree}")
        for place, one in enumerate(group.duplicates):
            print(f"  {'keep' if not place else 'drop'}  {_words(one)}")
        if len(group.rows) > len(group.duplicates):
            print(f"  drop  {len(group.rows) - len(group.duplicates):,} more")
        if group.only_others:
            print(f"  only those to drop have: {', '.join(group.only_others)}")
    if len(groups) > len(described):
        print(f"\n{count(len(groups) - len(described), 'more group')}: --most shows them")


def _words(one: Duplicate) -> str:
    labels = [f"{name} {mark}" for name, mark in one.labels]
    captions = [count(one.captions, "caption")] if one.captions else []
    size = "no file" if one.size is None else file_size(one.size)
    facts = [f"{one.image.width}×{one.image.height}", size, *labels, *captions, *(f"“{tag}”" for tag in one.tags)]
    return f"{one.image.uri} ({', '.join(facts)})"


def _document(group: DescribedGroup) -> dict[str, Any]:
    return {
        "images": len(group.rows),
        "distance": round(group.distance, 4),
        "kept": group.kept,
        "disagreeing": list(group.disagreeing),
        "reason": group.reason,
        "only_others_have": list(group.only_others),
        "rows": group.rows.tolist(),
        "listed": [
            {
                "row": one.image.row,
                "path": one.image.uri,
                "width": one.image.width,
                "height": one.image.height,
                "bytes": one.size,
                "labels": dict(one.labels),
                "captions": one.captions,
                "tags": list(one.tags),
            }
            for one in group.duplicates
        ],
    }


def drop(workspace: Workspace, options: Namespace) -> None:
    """Keep one image of each group."""
    groups = _groups(workspace, options).only("open")
    left = 0 if options.with_disagreeing else int(groups.disagreeing.sum())
    if left:
        groups = groups.take(np.flatnonzero(~groups.disagreeing))
    if not len(groups):
        removed, undo = 0, None
    else:
        by = None if options.name is None else workspace.annotators.actor(options.name)
        removal = duplicates.keep_suggested(workspace, groups, by=by)
        removed, undo = removal.images, removal.id
    if options.json:
        print(json.dumps({"groups": len(groups), "removed": removed, "left_disagreeing": left, "removal": undo}))
        return
    if undo is None:
        print("there are no duplicates to drop; nothing was removed")
    else:
        kept = f"one image of {count(len(groups), 'group')} kept"
        print(f"{kept}, {count(removed, 'image')} removed (undo: bam return --removal {undo})")
    if left:
        print(f"{count(left, 'group')} with disagreeing labels left: bam duplicates list --state disagreeing")
