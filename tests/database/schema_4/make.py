"""Makes ``workspace.sql.gz``, with the program of schema 4: see README.md in this folder."""

import gzip
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bam_engine.workspace import Workspace


def main(schema_3: Path, folder: Path, target: Path) -> None:
    """Migrate the workspace of schema 3 in ``folder``, fill the tables that came since, and dump it into ``target``."""
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "bam.sqlite")) as database:
        database.executescript(gzip.decompress(schema_3.read_bytes()).decode())
    workspace = Workspace(folder, folder.parent / "cache")
    person = workspace.annotations.annotator("ada")
    workspace.removals.remove([21, 34], reason="a selection", by=person)
    workspace.removals.bring_back([34], by=person)
    workspace.close()
    with closing(sqlite3.connect(folder / "bam.sqlite")) as database:
        target.write_bytes(gzip.compress("\n".join(database.iterdump()).encode(), mtime=0))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
