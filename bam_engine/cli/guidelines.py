"""``guidelines``: what counts as an attribute, in words and in example pictures."""

from argparse import ArgumentParser, Namespace

from bam_engine.cli.arguments import EPILOG, Commands, add_command
from bam_engine.collection.matching import rows_of_paths
from bam_engine.formatting import count
from bam_engine.labelling.guideline_examples import KINDS, add_examples, examples_of, remove_example
from bam_engine.labelling.tasks import attribute_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow

_IMAGE = "number of an image, or its path, which may be shortened to its end where that is unique"


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    command = commands.add_parser(
        "guidelines",
        help="list, add or remove example pictures of an attribute",
        description="List, add or remove the example pictures in the guidelines of an attribute.",
        epilog=EPILOG,
    )
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "list", list_all, "print the guidelines of an attribute and its example pictures")
    action.add_argument("attribute")
    action = add_command(actions, "add", add, "make images examples: good ones, bad ones or corner cases")
    action.add_argument("attribute")
    action.add_argument("kind", choices=list(KINDS))
    action.add_argument("images", nargs="+", metavar="IMAGE", help=_IMAGE)
    action.add_argument("--note", default="", help="what to see in them")
    action.description = (
        "Make images examples: good ones, bad ones or corner cases. Annotators see them above the images that they "
        "label. No sample that is drawn afterwards holds them; one that a sample holds already is not shown until it "
        "is labelled there."
    )
    action = add_command(actions, "remove", remove, "take images out of the examples")
    action.add_argument("attribute")
    action.add_argument("images", nargs="+", metavar="IMAGE", help=_IMAGE)


@one_flow
def list_all(workspace: Workspace, options: Namespace) -> None:
    """Print the guidelines of an attribute and its examples."""
    attribute = attribute_of(workspace, options.attribute)
    print(attribute.question)
    if attribute.instructions:
        print(attribute.instructions)
    uris = workspace.catalogue.uris()
    for example in examples_of(workspace, attribute):
        print(f"{example.row:8}  {KINDS[example.kind]:12}  {uris[example.row]}")
        for words in filter(None, (example.note, example.remark)):
            print(f"{'':8}  {'':12}  {words}")


def add(workspace: Workspace, options: Namespace) -> None:
    """Make images examples."""
    attribute, rows = attribute_of(workspace, options.attribute), _rows(workspace, options.images)
    add_examples(workspace, attribute, rows, options.kind, options.note)
    print(f"{count(len(rows), KINDS[options.kind])} added to the guidelines of {attribute.name}")
    for example in examples_of(workspace, attribute):
        if example.row in rows and example.remark:
            print(f"  {example.row}: {example.remark}")


def remove(workspace: Workspace, options: Namespace) -> None:
    """Take images out of the examples."""
    attribute, rows = attribute_of(workspace, options.attribute), _rows(workspace, options.images)
    for row in rows:
        old = remove_example(workspace, attribute, row)
        note = f' --note "{old.note}"' if old.note else ""
        print(f"{row} is no example any more (undo: bam guidelines add {attribute.name} {old.kind} {row}{note})")


def _rows(workspace: Workspace, images: list[str]) -> list[int]:
    """Return the rows that numbers and paths name, each once."""
    paths = [image for image in images if not image.isdecimal()]
    found = rows_of_paths(workspace.catalogue, paths)
    return list(dict.fromkeys(found[image] if image in found else int(image) for image in images))
