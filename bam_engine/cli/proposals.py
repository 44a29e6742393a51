"""``proposal``: the attributes that people of a team propose, and what is decided about them."""

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from bam_engine.annotation import KINDS
from bam_engine.annotation.proposals import OPEN, Proposal
from bam_engine.cli.arguments import EPILOG, Commands, add_command
from bam_engine.formatting import count
from bam_engine.labelling.proposed_attributes import accept_proposal
from bam_engine.labelling.tasks import attribute_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    text = "list the attributes that people propose, and accept, merge or decline them"
    command = commands.add_parser("proposal", help=text, description=f"{text.capitalize()}.", epilog=EPILOG)
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "list", list_all, "list the open proposals, those with the most votes first")
    action.add_argument("--all", action="store_true", help="also those that were decided or withdrawn")
    action.add_argument("--json", action="store_true", help="print them as JSON")
    action = add_command(actions, "add", add, "propose an attribute")
    action.add_argument("name")
    action.add_argument("question")
    action.add_argument("--reason", default="", metavar="TEXT", help="why it should be asked")
    action.add_argument(
        "--examples", type=int, nargs="+", default=[], metavar="IMAGE", help="numbers of images in which it is a yes"
    )
    _add_person(action)
    for name, run, summary in (
        ("vote", vote, "vote for a proposal"),
        ("take-back", take_back, "take a vote back"),
        ("withdraw", withdraw, "withdraw one's own proposal"),
    ):
        action = add_command(actions, name, run, summary)
        _add_number(action)
        _add_person(action)
    action = add_command(actions, "accept", accept, "make an attribute of a proposal")
    _add_number(action)
    action.add_argument("--name", metavar="NAME", help="its name (default: as proposed)")
    action.add_argument("--question", metavar="TEXT", help="its question (default: as proposed)")
    action.add_argument("--kind", choices=KINDS, default="own", help="default: %(default)s")
    action = add_command(actions, "merge", merge, "merge a proposal into another, or into an attribute")
    _add_number(action)
    into = action.add_mutually_exclusive_group(required=True)
    into.add_argument("--into", type=int, metavar="NUMBER", help="another open proposal, for which its votes count")
    into.add_argument("--attribute", metavar="NAME", help="an attribute that asks the same")
    action.add_argument("--note", default="", metavar="TEXT", help="what to tell whoever wants it")
    action = add_command(actions, "decline", decline, "decline a proposal")
    _add_number(action)
    action.add_argument("reason", help="why; whoever wants it reads this")
    _add_number(add_command(actions, "reopen", reopen, "open a declined or merged proposal again"))


def _add_person(action: ArgumentParser) -> None:
    action.add_argument("--as", dest="annotator", metavar="NAME", required=True, help="who does it")


def _add_number(action: ArgumentParser) -> None:
    action.add_argument("number", type=int, help="as `bam proposal list` prints it")


@one_flow
def list_all(workspace: Workspace, options: Namespace) -> None:
    """Print the proposals with their votes."""
    listed = [one for one in workspace.proposals.all() if options.all or one.state == OPEN]
    names = workspace.annotators.names()
    if options.json:
        payload = [
            {**asdict(one), "by": names[one.annotator_id], "voters": [names[each] for each in one.voters]}
            for one in listed
        ]
        print(json.dumps(payload, indent=2, ensure_ascii=False))
        return
    for one in listed:
        state = "" if one.state == OPEN else f"; {one.state}"
        print(f"{one.id}: {one.name}: {one.question} ({count(len(one.voters), 'vote')}{state})")


def add(workspace: Workspace, options: Namespace) -> None:
    """Propose an attribute."""
    person = workspace.annotators.actor(options.annotator)
    one = workspace.proposals.propose(person, options.name, options.question, options.reason, options.examples)
    _tell(one, "is proposed")


def vote(workspace: Workspace, options: Namespace) -> None:
    """Vote for a proposal."""
    one = workspace.proposals.vote(options.number, workspace.annotators.actor(options.annotator))
    _tell(one, f"has {count(len(one.voters), 'vote')}")


def take_back(workspace: Workspace, options: Namespace) -> None:
    """Take a vote back."""
    one = workspace.proposals.take_back(options.number, workspace.annotators.actor(options.annotator))
    _tell(one, f"has {count(len(one.voters), 'vote')}")


def withdraw(workspace: Workspace, options: Namespace) -> None:
    """Withdraw one's own proposal."""
    _tell(workspace.proposals.withdraw(options.number, workspace.annotators.actor(options.annotator)), "is withdrawn")


def accept(workspace: Workspace, options: Namespace) -> None:
    """Make an attribute of a proposal."""
    attribute = accept_proposal(
        workspace, options.number, name=options.name, question=options.question, kind=options.kind
    )
    print(f"{attribute.name} is an attribute: {attribute.question}")


def merge(workspace: Workspace, options: Namespace) -> None:
    """Merge a proposal."""
    into = workspace.proposals.get(options.into) if options.attribute is None else None
    target = attribute_of(workspace, options.attribute) if into is None else into
    _tell(workspace.proposals.merge(options.number, target, options.note), f"is merged into “{target.name}”", undo=True)


def decline(workspace: Workspace, options: Namespace) -> None:
    """Decline a proposal."""
    _tell(workspace.proposals.decline(options.number, options.reason), "is declined", undo=True)


def reopen(workspace: Workspace, options: Namespace) -> None:
    """Open a proposal again."""
    _tell(workspace.proposals.reopen(options.number), "is open")


def _tell(one: Proposal, words: str, *, undo: bool = False) -> None:
    print(f"proposal {one.id}, “{one.name}”, {words}" + (f" (undo: bam proposal reopen {one.id})" if undo else ""))
