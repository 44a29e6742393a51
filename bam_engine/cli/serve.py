"""``serve``: start the app, from any folder, installed or in a checkout.

The app is not part of the engine. An installed package has it in the folder ``bam_app``, a checkout has it around the
engine. ``streamlit run app.py`` puts the app's folder first on the module path and reads its
``.streamlit/config.toml``, for the server's process only.
"""

import os
import runpy
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

import bam_engine
from bam_engine.cli.arguments import Commands, add_command, given_path
from bam_engine.errors import BamError


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


def run(options: Namespace) -> None:
    """Run the server in this process until it is stopped."""
    app = app_file()
    for name, folder in (("BAM_WORKSPACE", options.workspace), ("BAM_CACHE", options.cache)):
        if folder is not None:
            os.environ[name] = str(folder)
    if options.allow_host:
        known = os.environ.get("BAM_ALLOWED_HOSTS", "").split(",")
        os.environ["BAM_ALLOWED_HOSTS"] = ",".join(filter(None, [*known, *options.allow_host]))
    sys.argv = [
        *("streamlit", "run", str(app)),
        *("--server.address", options.address),
        *("--server.port", str(options.port)),
        *(("--server.headless", "true") if options.no_browser else ()),
    ]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


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
