"""A private PostgreSQL server for the tests: a temporary folder, a Unix socket that only its user sees, no TCP port."""

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

NO_POSTGRESQL = "PostgreSQL is not here"
_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "listen_addresses": "''"}
_LOCALE = ("--no-locale", "--locale-provider=icu", "--icu-locale=en")  # text is sorted by language, not as Python does
_OLDEST = 15  # the first version whose databases sort with ICU
_PLACES = (
    Path("/usr/local/bin"),
    *sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name),
)
_CLEAR_AWAY = """
cat  # to the end of the input
folder=$1
shift
[ ! -e "$folder/data/postmaster.pid" ] || "$@"
rm -rf "$folder"
"""


class PostgreSQL:
    """A running server."""

    def __init__(self, socket: Path) -> None:
        self._address = sa.URL.create("postgresql", "bam", database="postgres", query={"host": str(socket)})
        self._numbers = itertools.count(1)

    @contextlib.contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """Give the URL of a new database, empty or a copy of the one at the URL ``template``; drop it afterwards."""
        name = f"bam{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {sa.make_url(template).database if template else 'template1'}")
        yield self._address.set(database=name).render_as_string()
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        engine = sa.create_engine(self._address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()


@contextlib.contextmanager
def run_server() -> Iterator[PostgreSQL]:
    """Run a server, or skip the test if its programs are not installed."""
    programs = _programs()
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="bam-pg-"))  # short: the path of a socket is limited to 107 bytes
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    server = [programs / "pg_ctl", "-D", data, "-w", "-s"]
    with _cleared_away(folder, [*server, "-m", "immediate", "stop"], user) as held_open:
        initdb = [programs / "initdb", "-D", data, "-U", "bam", "-A", "trust", "-E", "UTF8", "--no-sync", *_LOCALE]
        _call(initdb, user, pass_fds=[held_open])
        options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items()) + f" -k {folder}"
        _call([*server, "-l", folder / "log", "-o", options, "start"], user)
        yield PostgreSQL(folder)


@contextlib.contextmanager
def _cleared_away(folder: Path, stop: list[str | Path], user: str | None) -> Iterator[int]:
    """Stop the server and remove its folder at the end, and also if this process is killed before.

    A shell of its own session waits for the end of its input, which comes when this process closes it or ends. The
    descriptor given keeps that input open: a program that inherits it has ended before its folder is removed.
    """
    command = ["sh", "-c", _CLEAR_AWAY, "sh", folder, *stop]
    with subprocess.Popen(command, cwd="/", stdin=subprocess.PIPE, start_new_session=True, **_identity(user)) as shell:
        assert shell.stdin
        yield shell.stdin.fileno()


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs, the newest where several are installed."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else [place for place in _PLACES if (place / "initdb").exists()]
    if not places:
        pytest.skip(f"{NO_POSTGRESQL}: no initdb. `make test` installs it where it can")
    version = subprocess.run([places[-1] / "initdb", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.split()[2].split(".")[0]) < _OLDEST:
        pytest.skip(f"{NO_POSTGRESQL}: {version.strip()} is too old. The tests need version {_OLDEST}")
    return places[-1]


def _user() -> str | None:
    """Return the user to run the server as: PostgreSQL refuses root, everybody else runs it as they are."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _identity(user: str | None) -> dict[str, Any]:
    """Return the arguments with which ``subprocess`` runs a command as ``user``."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def _call(command: list[str | Path], user: str | None, pass_fds: Sequence[int] = ()) -> None:
    subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, pass_fds=pass_fds, **_identity(user))
