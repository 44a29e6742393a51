"""``attribute``: define, list, rename and archive the questions."""

from argparse import ArgumentParser, Namespace

from bam_engine.annotation import KINDS
from bam_engine.annotation.templates import template
from bam_engine.cli.arguments import EPILOG, Commands, add_command
from bam_engine.errors import AnnotationError
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    command = commands.add_parser(
        "attribute",
        help="define, list, rename or archive attributes",
        description="Define, list, rename or archive attributes.",
        epilog=EPILOG,
    )
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "add", add, "define an attribute, or add one of BAM's twenty by name")
    action.add_argument("name")
    action.add_argument("--question", help="yes/no question; optional for one of BAM's twenty")
    action.add_argument("--kind", choices=KINDS, default="own", help="category (default: own)")
    action.add_argument("--instructions", default="", help="guidelines for annotators")
    add_command(actions, "list", list_all, "list the attributes")
    action = add_command(actions, "rename", rename, "give an attribute another name; the old one still finds it")
    action.add_argument("name")
    action.add_argument("new", metavar="new-name")
    action = add_command(actions, "archive", archive, "put an attribute out of the way; everything about it is kept")
    action.add_argument("name")
    action = add_command(actions, "restore", restore, "bring an archived attribute back")
    action.add_argument("name")


def add(workspace: Workspace, options: Namespace) -> None:
    """Define an attribute from its question, or from BAM's template of that name."""
    if options.question:
        attribute = workspace.attributes.add(options.name, options.kind, options.question, options.instructions)
    else:
        try:
            known = template(options.name)
        except AnnotationError as error:
            raise AnnotationError(f"{error} Give one with --question.") from error
        attribute = workspace.attributes.add(known.name, known.kind, known.question, known.instructions)
    print(f"{attribute.name} ({attribute.kind}): {attribute.question}")


@one_flow
def list_all(workspace: Workspace, _options: Namespace) -> None:
    """Print the attributes."""
    for attribute in workspace.attributes.all():
        print(f"{attribute.name:30} {attribute.kind:8} {attribute.question}")
    for attribute in workspace.attributes.archived():
        print(f"{attribute.name:30} archived {attribute.question}")


def rename(workspace: Workspace, options: Namespace) -> None:
    """Give an attribute another name."""
    before = workspace.attributes.get(options.name)
    after = workspace.attributes.rename(before.id, options.new)
    print(f"{before.name} is called {after.name} (undo: bam attribute rename {after.name} {before.name})")


def archive(workspace: Workspace, options: Namespace) -> None:
    """Archive an attribute."""
    attribute = workspace.attributes.archive(workspace.attributes.get(options.name).id)
    print(f"{attribute.name} is archived (undo: bam attribute restore {attribute.name})")


def restore(workspace: Workspace, options: Namespace) -> None:
    """Bring an archived attribute back."""
    attribute = workspace.attributes.restore(workspace.attributes.get_archived(options.name).id)
    print(f"{attribute.name} is in use again (undo: bam attribute archive {attribute.name})")
