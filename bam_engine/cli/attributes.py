"""``attribute``: define and list the questions."""

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
        "attribute", help="define or list attributes", description="Define or list attributes.", epilog=EPILOG
    )
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "add", add, "define an attribute, or add one of BAM's twenty by name")
    action.add_argument("name")
    action.add_argument("--question", help="yes/no question; optional for one of BAM's twenty")
    action.add_argument("--kind", choices=KINDS, default="own", help="category (default: own)")
    action.add_argument("--instructions", default="", help="guidelines for annotators")
    add_command(actions, "list", list_all, "list the attributes")


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
