"""Makes ``workspace.sql.gz``, with the program of schema 6: see README.md in this folder."""

import gzip
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import numpy as np

from bam_engine.workspace import Workspace


def main(schema_5: Path, folder: Path, target: Path) -> None:
    """Migrate the workspace of schema 5 in ``folder``, fill the columns that came since, and dump it into ``target``.

    The vectors that would be needed to certify are a cache, and not stored.
    """
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "bam.sqlite")) as database:
        database.executescript(gzip.decompress(schema_5.read_bytes()).decode())
    Workspace(folder, folder.parent / "cache").close()
    with closing(sqlite3.connect(folder / "bam.sqlite")) as database:
        with database:
            for table, key in (("thresholds", "id"), ("measured_thresholds", "measurement_id")):
                newest = f"SELECT max({key}) FROM {table}"
                database.execute(f"UPDATE {table} SET known_positives = 3 WHERE {key} = ({newest})")
            database.execute(
                "UPDATE certifications SET counted = ?, since = 40 WHERE id = (SELECT max(id) FROM certifications)",
                [np.array([2, 3, 5], np.int64).tobytes()],
            )
        target.write_bytes(gzip.compress("\n".join(database.iterdump()).encode(), mtime=0))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
