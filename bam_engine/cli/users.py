"""``user``: the people who sign in to a team's server: add, list, invite and remove them, and what each may do."""

import getpass
import sys
from argparse import ArgumentParser, Namespace

from bam_engine.cli.arguments import EPILOG, Commands, add_command
from bam_engine.errors import TeamError
from bam_engine.team import Role, recent_activity, role_of
from bam_engine.team.invitations import DAYS
from bam_engine.team.passwords import MAX_LENGTH
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow

_ROLES = tuple(map(str, Role))


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    text = "add, list, invite or remove the people who sign in to a team's server"
    command = commands.add_parser("user", help=text, description=f"{text.capitalize()}.", epilog=EPILOG)
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "add", add, "give a person an account")
    action.add_argument("name")
    _add_role(action)
    _add_password(action)
    add_command(actions, "list", list_all, "list the accounts with their roles")
    action = add_command(actions, "role", set_role, "give an account another role")
    action.add_argument("name")
    action.add_argument("role", choices=_ROLES)
    action = add_command(actions, "reset", reset, "give an account another password, and sign it out everywhere")
    action.add_argument("name")
    _add_password(action)
    action = add_command(actions, "remove", remove, "remove an account; the person's answers are kept")
    action.add_argument("name")
    action = add_command(actions, "invite", invite, "make a link by which one person joins")
    _add_role(action)
    action.add_argument(
        "--days", type=float, default=DAYS, metavar="N", help="how long the link holds (default: %(default)s days)"
    )
    action = add_command(actions, "log", log, "list what people changed and exported, the newest first")
    action.add_argument("--limit", type=int, default=50, metavar="N", help="how many entries (default: %(default)s)")


def _add_role(action: ArgumentParser) -> None:
    action.add_argument("--role", choices=_ROLES, default=str(Role.ANNOTATOR), help="default: %(default)s")


def _add_password(action: ArgumentParser) -> None:
    action.add_argument(
        "--password-stdin", action="store_true", help="read the password from the standard input, not from the keyboard"
    )


def add(workspace: Workspace, options: Namespace) -> None:
    """Give a person an account."""
    account = workspace.team.accounts.add(options.name, role_of(options.role), read_password(options.password_stdin))
    print(f"{account.name} can sign in as {account.role}")


@one_flow
def list_all(workspace: Workspace, _options: Namespace) -> None:
    """Print the accounts with their roles."""
    for account in workspace.team.accounts.all():
        known = ", ".join(one.label for one in workspace.team.identities.of(account))
        print(f"{account.name}: {account.role}" + (f" (single sign-on as {known})" if known else ""))


def set_role(workspace: Workspace, options: Namespace) -> None:
    """Give an account another role."""
    before = workspace.team.accounts.get(options.name)
    after = workspace.team.accounts.set_role(before.id, role_of(options.role))
    print(f"{after.name} is {after.role} (undo: bam user role {after.name!r} {before.role})")


def reset(workspace: Workspace, options: Namespace) -> None:
    """Give an account another password."""
    account = workspace.team.accounts.get(options.name)
    workspace.team.accounts.set_password(account.id, read_password(options.password_stdin), reset=True)
    print(f"{account.name} has another password, which alone signs them in, and is signed out everywhere")


def remove(workspace: Workspace, options: Namespace) -> None:
    """Remove an account."""
    account = workspace.team.accounts.get(options.name)
    workspace.team.accounts.remove(account.id)
    print(f"{account.name} cannot sign in any more; their answers are kept")


def invite(workspace: Workspace, options: Namespace) -> None:
    """Print the path of a new invitation."""
    token = workspace.team.invitations.invite(role_of(options.role), days=options.days)
    print(f"one person can join as {options.role} within {options.days:g} days; add this to your server's address:")
    print(f"/join/{token}")


@one_flow
def log(workspace: Workspace, options: Namespace) -> None:
    """Print the activity log."""
    for one in recent_activity(workspace.engine, most=max(0, options.limit)):
        print(f"{one.made_at[:16].replace('T', ' ')} {one.by or 'command line'} {one.action}: {one.subject}")


def add_owner(workspace: Workspace) -> None:
    """Ask on the console for the first owner of a team.

    Raises
    ------
    TeamError
        There is no keyboard, or the password is refused.
    """
    if not sys.stdin.isatty():
        raise TeamError(
            "This workspace has no owner yet. Name one first: bam user add NAME --role owner --password-stdin"
        )
    print("This workspace has no owner yet. Name one, who may do everything and invites the others.")
    account = workspace.team.accounts.add(input("Name: "), Role.OWNER, read_password(False))
    print(f"{account.name} can sign in as {account.role}")


def read_password(from_input: bool) -> str:
    """Return a password: the standard input without the line's end, or what is typed twice.

    Raises
    ------
    TeamError
        There is no keyboard, or both are not the same.
    """
    if from_input:
        return sys.stdin.read(MAX_LENGTH + 3).removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        raise TeamError("There is no keyboard to type a password with. Hand it in with --password-stdin.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise TeamError("The two passwords are not the same. Nothing has changed.")
    return password
