"""``serve``: start the app, from any folder, installed or in a checkout.

The app is not part of the engine. An installed package has it in the folder ``bam_app``, a checkout has it around the
engine. ``streamlit run app.py`` puts the app's folder first on the module path and reads its
``.streamlit/config.toml``, for the server's process only.

With ``--team``, people sign in: there has to be an owner, and what travels between them and the server is encrypted, by
the server or by a proxy in front of it.
"""

import contextlib
import ipaddress
import os
import runpy
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

import bam_engine
from bam_engine.cli.arguments import Commands, add_command, given_path
from bam_engine.cli.users import add_owner
from bam_engine.errors import BamError
from bam_engine.team import configured_provider
from bam_engine.team.identity_provider import check_installed
from bam_engine.workspace import Workspace


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(commands, "serve", run, "start the app and open it in the browser", opened=False)
    command.add_argument(
        "--address",
        default="localhost",
        help="address to listen on (default: %(default)s, this computer only; 0.0.0.0 opens the app to the network)",
    )
    command.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name under which browsers reach the server, beside localhost, IP addresses and ADDRESS; repeatable",
    )
    command.add_argument("--port", type=_port, default=8501, help="port to listen on (default: %(default)s)")
    command.add_argument("--workspace", type=given_path, metavar="DIR", help="the workspace, instead of BAM_WORKSPACE")
    command.add_argument(
        "--cache", type=given_path, metavar="DIR", help="folder of derived files, instead of BAM_CACHE"
    )
    command.add_argument("--no-browser", action="store_true", help="do not open the browser")
    team = command.add_argument_group(
        "a team", "people sign in, and each does what their role allows: see docs/team.md"
    )
    team.add_argument("--team", action="store_true", help="let nobody in who is not signed in")
    team.add_argument(
        "--behind-proxy",
        action="store_true",
        help="a proxy in front of the server encrypts, and writes the addresses of browsers into X-Forwarded-For",
    )
    team.add_argument("--certificate", type=given_path, metavar="FILE", help="certificate of the server (TLS), in PEM")
    team.add_argument("--key", type=given_path, metavar="FILE", help="private key of the certificate, in PEM")


def run(options: Namespace) -> None:
    """Run the server in this process until it is stopped."""
    app = app_file()
    for name, folder in (("BAM_WORKSPACE", options.workspace), ("BAM_CACHE", options.cache)):
        if folder is not None:
            os.environ[name] = str(folder)
    if options.allow_host:
        known = os.environ.get("BAM_ALLOWED_HOSTS", "").split(",")
        os.environ["BAM_ALLOWED_HOSTS"] = ",".join(filter(None, [*known, *options.allow_host]))
    tls = _tls(options)
    if options.team:
        prepare_team(options)
    sys.argv = [
        *("streamlit", "run", str(app)),
        *("--server.address", options.address),
        *("--server.port", str(options.port)),
        *(("--server.headless", "true") if options.no_browser or options.team else ()),
        *tls,
    ]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


def prepare_team(options: Namespace) -> None:
    """Check that a team can be served, ask for an owner where there is none, and tell the server.

    Raises
    ------
    BamError
        Passwords would travel unencrypted, the provider that signs people in is not named whole, or there is no owner
        and no keyboard to name one with.
    """
    if not (options.behind_proxy or options.certificate or is_this_computer(options.address)):
        raise BamError(
            f"A team's server on {options.address} would send passwords unencrypted. Give it a certificate "
            "(--certificate FILE --key FILE), or put a proxy in front that encrypts (--behind-proxy): docs/team.md "
            "shows how."
        )
    if configured_provider() is not None:
        check_installed()
    with contextlib.closing(Workspace.from_environment()) as workspace:
        if not workspace.team.accounts.exist():
            add_owner(workspace)
    os.environ["BAM_TEAM"] = "1"
    os.environ["BAM_BEHIND_PROXY"] = "1" if options.behind_proxy else ""
    os.environ["FORWARDED_ALLOW_IPS"] = ""  # the app itself reads what a proxy says, and nobody else's word


def _tls(options: Namespace) -> tuple[str, ...]:
    files = (options.certificate, options.key)
    if not any(files):
        return ()
    if not all(files):
        raise BamError("A certificate needs its private key: give both --certificate FILE and --key FILE.")
    for file in files:
        if not file.is_file():
            raise BamError(f"There is no file {file}. Name the certificate and its key, both in PEM.")
    return "--server.sslCertFile", str(options.certificate), "--server.sslKeyFile", str(options.key)


def is_this_computer(address: str) -> bool:
    """Return whether a server that listens on this address can be reached from its own computer alone."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def app_file(engine: Path = Path(bam_engine.__file__).parent) -> Path:
    """Return the path of the app's ``app.py``.

    Raises
    ------
    BamError
        The app is not installed.
    """
    installed, checkout = engine.parent / "bam_app", engine.parent
    for folder in (installed, checkout):
        if (folder / "web" / "server.py").is_file():
            return folder / "app.py"
    raise BamError(f"The app is neither in {installed} nor in {checkout}. Install the package with `pip install .`.")


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise ArgumentTypeError(f"{text} is not a port from 1 to 65535")
    return int(text)
