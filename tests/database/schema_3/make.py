"""Makes ``workspace.sql.gz``, with the program of schema 3: see README.md in this folder."""

import gzip
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bam_engine.workspace import Workspace


def main(schema_1: Path, folder: Path, target: Path) -> None:
    """Migrate the workspace of schema 1 in ``folder``, fill the tables that came since, and dump it into ``target``."""
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "bam.sqlite")) as database:
        database.executescript(gzip.decompress(schema_1.read_bytes()).decode())
    workspace = Workspace(folder, folder.parent / "cache")
    first = workspace.removals.remove([3, 5, 8], reason="a selection")
    workspace.removals.remove([13], reason="missing files")
    workspace.removals.bring_back([5])
    assert first.images == 3
    _, attribute = workspace.attributes.all()
    workspace.attributes.rename(attribute.id, "media_vectors")
    workspace.attributes.archive(attribute.id)
    person = workspace.annotations.annotator("ada ")
    other = workspace.annotations.annotator("Ben")
    workspace.annotators.merge(other, person)
    workspace.annotators.archive(workspace.annotations.annotator("Clara"))
    workspace.close()
    with closing(sqlite3.connect(folder / "bam.sqlite")) as database:
        target.write_bytes(gzip.compress("\n".join(database.iterdump()).encode(), mtime=0))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
