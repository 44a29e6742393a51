"""Revisions: every committed write of every table is counted, once for a transaction, whoever made it."""

import ast
import shutil
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.database import open_database
from tests.database.counting import counted

MODULE = import_module("bam_engine.database.revisions")  # the package's name of it is that of the table
ROOT = Path(__file__).resolve().parents[2]
TABLES = [table for table in db.metadata.sorted_tables if table is not db.revisions]


def revisions(engine: sa.Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {row.name: row.number for row in connection.execute(sa.select(db.revisions))}


def increases(engine: sa.Engine, before: dict[str, int]) -> dict[str, int]:
    return {name: n - before.get(name, 0) for name, n in revisions(engine).items() if n != before.get(name, 0)}


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock, so that every number is one more than the last."""
    monkeypatch.setattr(MODULE, "_microseconds", lambda: 1)


def setting(key: str) -> sa.Insert:
    return sa.insert(db.settings).values(key=key, value="1")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.usefixtures("stopped_clock")
def test_each_kind_of_write_of_each_table_is_counted(database: sa.Engine, table: sa.Table) -> None:
    nothing, column = sa.false(), next(iter(table.c))
    insert = sa.insert(table).from_select([each.name for each in table.c], sa.select(table).where(nothing))
    for write in (insert, sa.update(table).where(nothing).values({column: column}), sa.delete(table).where(nothing)):
        before = revisions(database)
        with database.begin() as connection:
            connection.execute(write)
        assert increases(database, before) == {table.name: 1}


@pytest.mark.usefixtures("stopped_clock")
def test_a_transaction_counts_each_of_its_tables_once(database: sa.Engine) -> None:
    before = revisions(database)
    with database.begin() as connection:
        connection.execute(sa.insert(db.settings), [{"key": str(number), "value": "1"} for number in range(1000)])
        connection.execute(setting("one more"))
        connection.execute(sa.insert(db.annotators).values(name="ada", made_at=db.now()))
    assert increases(database, before) == {"settings": 1, "annotators": 1}


def test_reading_counts_nothing(database: sa.Engine) -> None:
    before = revisions(database)
    with counted(database) as statements, database.begin() as connection:
        connection.execute(sa.select(db.settings)).all()
    assert increases(database, before) == {}
    assert len(statements) == 1


@pytest.mark.usefixtures("stopped_clock")
def test_a_rollback_counts_nothing_and_leaves_nothing_to_the_next_transaction(database: sa.Engine) -> None:
    before = revisions(database)
    with database.begin() as connection:
        connection.execute(setting("lost"))
        connection.rollback()
    with database.connect() as connection:
        connection.execute(setting("left open"))
    with database.begin() as connection:
        connection.execute(sa.insert(db.annotators).values(name="ada", made_at=db.now()))
    assert increases(database, before) == {"annotators": 1}


def test_a_refused_write_rolls_back(database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.execute(setting("taken"))

    def write_twice() -> None:
        with database.begin() as connection:
            connection.execute(setting("new"))
            connection.execute(setting("taken"))

    before = revisions(database)
    with pytest.raises(sa.exc.IntegrityError):
        write_twice()
    assert increases(database, before) == {}


@pytest.mark.usefixtures("stopped_clock")
def test_threads_count_every_transaction(database: sa.Engine) -> None:
    def write(thread: int) -> None:
        for number in range(5):
            with database.begin() as connection:
                connection.execute(setting(f"{thread}-{number}"))
                connection.execute(sa.insert(db.annotators).values(name=f"{thread}-{number}", made_at=db.now()))

    before = revisions(database)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert increases(database, before) == {"settings": 20, "annotators": 20}


def test_another_process_counts_too(database: sa.Engine) -> None:
    program = (
        "import sys; from bam_engine.database import open_database, write_setting\n"
        "engine = open_database(sys.argv[1])\n"
        "for number in range(3): write_setting(engine, 'from afar', number)"
    )
    before = revisions(database)
    subprocess.run(
        [sys.executable, "-c", program, database.url.render_as_string(hide_password=False)], cwd=ROOT, check=True
    )
    assert increases(database, before).keys() == {"settings"}


@pytest.mark.usefixtures("stopped_clock")
def test_opening_a_database_again_counts_on(database: sa.Engine) -> None:
    again = open_database(database.url.render_as_string(hide_password=False))
    before = revisions(database)
    for engine in (database, again):
        db.write_setting(engine, "key", 1)
    assert increases(database, before) == {"settings": 2}
    again.dispose()


def test_a_copy_and_its_original_never_give_one_number_to_two_states(tmp_path: Path) -> None:
    original = open_database(f"sqlite:///{tmp_path / 'original.sqlite'}")
    db.write_setting(original, "key", 0)
    original.dispose()
    shutil.copy(tmp_path / "original.sqlite", tmp_path / "copy.sqlite")
    numbers = []
    for name in ("original", "copy"):
        engine = open_database(f"sqlite:///{tmp_path / name}.sqlite")
        for value in range(3):
            db.write_setting(engine, "key", value)
            numbers.append(revisions(engine)["settings"])
        engine.dispose()
    assert len(set(numbers)) == 6


def test_a_clock_that_was_set_back_does_not_set_back_the_numbers(
    database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.write_setting(database, "key", 1)
    before = revisions(database)
    monkeypatch.setattr(MODULE, "_microseconds", lambda: 1)
    db.write_setting(database, "key", 2)
    assert increases(database, before) == {"settings": 1}


OWN_FILES = ("bam_engine/exchange/bam_sqlite.py", "bam_engine/download/statuses.py")
"""They write a database that is no workspace's."""


def test_no_write_of_the_engine_is_written_as_text() -> None:
    """Text is not recognised as a write. Migrations may use it: they come before anything is read."""
    writes = ("INSERT ", "UPDATE ", "DELETE ", "REPLACE ", "MERGE ", "TRUNCATE ")
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("bam_engine", "web", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts and path.relative_to(ROOT).as_posix() not in OWN_FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lstrip().startswith(writes)
    ]
    assert found == []
