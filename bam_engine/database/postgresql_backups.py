"""Backups of a PostgreSQL database: archives of its own ``pg_dump``, with our tables alone.

In:  an opened database, or its address, and a file. Out: the file, or the database with the content of the file.
PostgreSQL's client programs do the work; the password goes to them in their environment.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import sqlalchemy as sa

from bam_engine.database import postgresql_connections
from bam_engine.database.failures import LOCK_TIMEOUT
from bam_engine.database.opening import check_version, open_database
from bam_engine.database.revisions import count_restore
from bam_engine.database.schema import metadata, settings
from bam_engine.database.sqlite_files import beside
from bam_engine.errors import BamError
from bam_engine.files import replacing

_MAGIC = b"PGDMP"
_BARE = ("--no-owner", "--no-privileges")


def write(engine: sa.Engine, file: Path) -> None:
    """Write a backup in place of ``file``, flushed to the disk."""
    write_archive(engine.url, file)


def missing_program(program: str) -> str:
    """Return a sentence that says that a program of PostgreSQL is not installed; "" where it is."""
    return "" if shutil.which(program) else _not_installed(program)


def _not_installed(program: str) -> str:
    return (
        f"A PostgreSQL database is backed up and restored by its own programs, and {program} is not installed here. "
        "Install PostgreSQL's client programs, or do it on a machine that has them."
    )


def write_archive(url: sa.URL, file: Path) -> None:
    """Do what :func:`write` does, with the address of a database."""
    tables = [f"--table={name}" for name in metadata.tables]
    with replacing(file, flush=True) as temporary:
        temporary.touch(mode=0o600)
        _run("pg_dump", *_at(url), "--format=custom", *_BARE, *tables, f"--file={temporary}", url=url)
        check(temporary)


def check(file: Path) -> None:
    """Read a backup to its end; raise ``BamError`` where it is damaged or cannot be restored by this program."""
    with file.open("rb") as opened:
        if opened.read(len(_MAGIC)) != _MAGIC:
            raise BamError("it is no archive of PostgreSQL, and this workspace uses PostgreSQL.")
    _run("pg_restore", f"--file={os.devnull}", str(file))
    lines = _run("pg_restore", "--data-only", f"--table={settings.name}", "--file=-", str(file)).splitlines()
    stored = dict(line.split("\t", 1) for line in lines if line.count("\t") == 1)
    if "schema" not in stored:
        raise BamError("it holds no workspace.")
    check_version(int(json.loads(stored["schema"])))


def restore(url: sa.URL, file: Path, folder: Path) -> Path | None:
    """Replace the database by a backup in one step; return the file that holds what was there."""
    engine = open_database(url)
    kept = beside(folder / "bam.dump", "before-restore")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write(engine, kept)
    finally:
        engine.dispose()
    names = ", ".join(f'"{name}"' for name in metadata.tables)
    first = f"SET lock_timeout = '{LOCK_TIMEOUT}s'; DROP TABLE IF EXISTS {names}"
    with tempfile.TemporaryDirectory(prefix="bam-") as temporary:
        script = Path(temporary) / "backup.sql"
        _run("pg_restore", *_BARE, f"--file={script}", str(file))
        one_step = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
        _run("psql", *_at(url), *one_step, f"--command={first}", f"--file={script}", url=url)
    engine = open_database(url)  # migrates it
    with engine.begin() as connection:
        count_restore(connection)
    engine.dispose()
    return kept


def _at(url: sa.URL) -> list[str]:
    """Return the argument that names a database, without its password, which other users could see."""
    bare = sa.URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return [f"--dbname={bare.render_as_string()}"]


def _run(program: str, *arguments: str, url: sa.URL | None = None) -> str:
    """Run one of PostgreSQL's programs and return its output.

    Raises
    ------
    BamError
        It is not installed, or it failed.
    """
    settings = {"PGCONNECT_TIMEOUT": str(postgresql_connections.CONNECT_TIMEOUT), **os.environ}
    if url is not None and url.password is not None:
        settings["PGPASSWORD"] = str(url.password)
    try:
        done = subprocess.run([program, *arguments], env=settings, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise BamError(_not_installed(program)) from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it gave no reason"]
        raise BamError(f"{program} failed: {lines[0].partition('error: ')[2] or lines[0]}")
    return done.stdout
