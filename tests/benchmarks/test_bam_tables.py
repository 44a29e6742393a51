"""The generated file of BAM's tables: as many rows of each as asked for, and the same from the same seed."""

import sqlite3
from contextlib import closing
from pathlib import Path

from benchmarks.bam_tables import ATTRIBUTES, Size, write_bam_file
from tests.labelling.test_bam_answers import TABLES


def test_a_share_of_bams_file_has_its_tables_and_sizes(tmp_path: Path) -> None:
    size = Size().times(0.002)
    assert size.modules == int(0.002 * 2_289_817)
    write_bam_file(tmp_path / "bam.sqlite", size)
    with closing(sqlite3.connect(tmp_path / "bam.sqlite")) as file:
        tables = ("modules", "scores", "crowd_raw_choices", "crowd_raw_hits", "crowd_raw_captions", "automatic_labels")
        counts = {name: file.execute(f"select count(*) from {name}").fetchone()[0] for name in tables}
        assert list(counts.values()) == [size.modules] * 2 + [size.choices, size.hits, size.captions, size.modules]
        for name, columns in TABLES.items():
            there = file.execute(f"select sql from sqlite_master where name = '{name}'").fetchone()[0]
            assert there == f"CREATE TABLE {name} ({columns})"
        (without,) = file.execute(
            "select count(*) from crowd_labels l where not exists (select 1 from crowd_raw_choices c where "
            "c.mid = l.mid and c.attribute = l.attribute)"
        ).fetchone()
        assert without == 0, "each label stems from choices"
        (alien,) = file.execute(
            "select count(*) from crowd_raw_choices c join crowd_raw_hits h using (assignment_id) where "
            "h.attribute = c.attribute"
        ).fetchone()
        assert alien == size.choices, "each choice has one assignment, about its attribute"
        assert len(ATTRIBUTES) == 20


def test_the_same_seed_gives_the_same_contents(tmp_path: Path) -> None:
    dumps = []
    for name in ("a", "b"):
        write_bam_file(tmp_path / name, Size().times(0.0001), seed=3)
        with closing(sqlite3.connect(tmp_path / name)) as file:
            dumps.append(list(file.iterdump()))
    assert dumps[0] == dumps[1]
