"""Makes ``workspace.sql.gz``, with the program of schema 5: see README.md in this folder."""

import gzip
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bam_engine.workspace import Workspace


def main(schema_4: Path, folder: Path, target: Path) -> None:
    """Migrate the workspace of schema 4 in ``folder``, fill the columns that came since, and dump it into ``target``.

    The vectors that would be needed to certify and to audit are a cache, and not stored.
    """
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "bam.sqlite")) as database:
        database.executescript(gzip.decompress(schema_4.read_bytes()).decode())
    Workspace(folder, folder.parent / "cache").close()
    with closing(sqlite3.connect(folder / "bam.sqlite")) as database:
        with database:
            database.execute(
                "UPDATE certifications SET risk_share = 0.5 WHERE id = (SELECT max(id) FROM certifications)"
            )
            for table in ("thresholds", "audits"):
                database.execute(f"UPDATE {table} SET images = 40 WHERE id = (SELECT max(id) FROM {table})")
        target.write_bytes(gzip.compress("\n".join(database.iterdump()).encode(), mtime=0))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
