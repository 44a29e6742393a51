"""``annotator``: list, rename, merge and archive the people who answer, and undo each."""

from argparse import ArgumentParser, Namespace

from bam_engine.cli.arguments import EPILOG, Commands, add_command
from bam_engine.formatting import count
from bam_engine.labelling.agreement import answers_by_annotator
from bam_engine.labelling.flags import flags
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    text = "list, rename, merge or archive annotators"
    command = commands.add_parser("annotator", help=text, description=f"{text.capitalize()}.", epilog=EPILOG)
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    add_command(actions, "list", list_all, "list the annotators with their answers")
    action = add_command(actions, "rename", rename, "give an annotator another name")
    action.add_argument("name")
    action.add_argument("new", metavar="new-name")
    action = add_command(actions, "merge", merge, "let the answers of an annotator count for another, the same person")
    action.add_argument("name")
    action.add_argument("into")
    action = add_command(actions, "separate", separate, "undo a merge")
    action.add_argument("name")
    action = add_command(actions, "archive", archive, "let an annotator answer no more; their answers count as before")
    action.add_argument("name")
    action = add_command(actions, "restore", restore, "bring an archived annotator back")
    action.add_argument("name")


@one_flow
def list_all(workspace: Workspace, _options: Namespace) -> None:
    """Print the annotators with their answers and flags, who is merged into whom, and which names may be one's."""
    answers, flagged = answers_by_annotator(workspace), flags(workspace)
    for one in workspace.annotators.all():
        facts = [count(answers.get(one.id, 0), "answer"), *["simulated"] * one.simulated, *["archived"] * one.archived]
        print(f"{one.name}: {', '.join(facts)}")
        if one.id in flagged:
            print(f"  {flagged[one.id].text}")
    for one, other in workspace.annotators.merged():
        print(f"{one.name}: merged into {other.name}")
    print_spellings(workspace)


def print_spellings(workspace: Workspace) -> None:
    """Print which annotators are probably one person, with the command that merges them."""
    for first, *others in workspace.annotators.spellings():
        for other in others:
            print(
                f"{first.name!r} and {other.name!r} are spellings of one name, but count as two people; if they are "
                f"one, merge them: bam annotator merge {other.name!r} {first.name!r}"
            )


def rename(workspace: Workspace, options: Namespace) -> None:
    """Give an annotator another name."""
    before = workspace.annotators.get(options.name)
    after = workspace.annotators.rename(before.id, options.new)
    print(f"{before.name} is called {after.name} (undo: bam annotator rename {after.name!r} {before.name!r})")


def merge(workspace: Workspace, options: Namespace) -> None:
    """Merge an annotator into another one."""
    one, other = workspace.annotators.get(options.name), workspace.annotators.get(options.into)
    workspace.annotators.merge(one.id, other.id)
    print(f"the answers of {one.name} count for {other.name} (undo: bam annotator separate {one.name!r})")


def separate(workspace: Workspace, options: Namespace) -> None:
    """Undo a merge."""
    one, other = workspace.annotators.get_merged(options.name)
    workspace.annotators.separate(one.id)
    print(f"{one.name} and {other.name} are two people (undo: bam annotator merge {one.name!r} {other.name!r})")


def archive(workspace: Workspace, options: Namespace) -> None:
    """Archive an annotator."""
    annotator = workspace.annotators.get(options.name)
    workspace.annotators.archive(annotator.id)
    print(f"{annotator.name} is archived (undo: bam annotator restore {annotator.name!r})")


def restore(workspace: Workspace, options: Namespace) -> None:
    """Bring an archived annotator back."""
    annotator = workspace.annotators.get(options.name)
    workspace.annotators.restore(annotator.id)
    print(f"{annotator.name} can answer again (undo: bam annotator archive {annotator.name!r})")
