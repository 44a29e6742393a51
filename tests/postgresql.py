"""A private PostgreSQL server for the tests: a temporary folder, a Unix socket that only its user sees, no TCP port."""

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

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
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        initdb = [programs / "initdb", "-D", data, "-U", "bam", "-A", "trust", "-E", "UTF8", "--no-sync", *_LOCALE]
        _call(initdb, user)
        options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items()) + f" -k {folder}"
        server = [programs / "pg_ctl", "-D", data, "-w", "-s"]
        _call([*server, "-l", folder / "log", "-o", options, "start"], user)
        try:
            yield PostgreSQL(folder)
        finally:
            _call([*server, "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs, the newest where several are installed."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else [place for place in _PLACES if (place / "initdb").exists()]
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


def _call(command: list[str | Path], user: str | None) -> None:
    as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, **as_user)
