"""Makes ``workspace.sql.gz``, with the program of schema 7: see README.md in this folder."""

import gzip
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bam_engine.workspace import Workspace

MOMENT = "2026-11-30T01:00:00.000000+00:00"


def main(schema_6: Path, folder: Path, target: Path) -> None:
    """Migrate the workspace of schema 6 in ``folder``, fill what came since, and dump it into ``target``."""
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "bam.sqlite")) as database:
        database.executescript(gzip.decompress(schema_6.read_bytes()).decode())
    Workspace(folder, folder.parent / "cache").close()
    with closing(sqlite3.connect(folder / "bam.sqlite")) as database:
        with database:
            (attribute,) = database.execute("SELECT min(attribute_id) FROM models").fetchone()
            (model,) = database.execute("SELECT max(id) FROM models WHERE attribute_id = ?", [attribute]).fetchone()
            for position, kind in enumerate(("good", "bad", "corner")):
                database.execute(
                    "INSERT INTO guideline_examples (attribute_id, row, kind, note, position, made_at) "
                    "VALUES (?, ?, ?, ?, 0, ?)",
                    [attribute, position, kind, f"{kind}: why", MOMENT],
                )
            database.execute("UPDATE certification_images SET made_at = ?, teaches = 1 WHERE position = 0", [MOMENT])
            for boundary in (None, 0.5):
                cursor = database.execute(
                    "INSERT INTO recall_samples (attribute_id, model_id, value, boundary, seed, known, images, "
                    "left_out, asked, made_at) VALUES (?, ?, 0.75, ?, 7, ?, 100, 0, 2, ?)",
                    [attribute, model, boundary, b"", MOMENT],
                )
                for position in range(3):
                    database.execute(
                        "INSERT INTO recall_images (recall_sample_id, row, position, batch, made_at) "
                        "VALUES (?, ?, ?, 0, ?)",
                        [cursor.lastrowid, 10 + position, position, MOMENT],
                    )
        target.write_bytes(gzip.compress("\n".join(database.iterdump()).encode(), mtime=0))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
