"""Snapshots: what a flow reads stays as it is, what it writes is seen at once, and nothing unchanged is read twice."""

import threading
from contextvars import copy_context
from pathlib import Path

import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.database import open_database, read_setting, reading, snapshot_of, write_setting
from tests.database.counting import counted


@pytest.fixture
def other(database: sa.Engine):
    """The same database, opened a second time, as by another process."""
    engine = open_database(database.url.render_as_string(hide_password=False))
    yield engine
    engine.dispose()


def test_a_flow_reads_a_table_once(database: sa.Engine) -> None:
    write_setting(database, "key", 1)
    with counted(database) as statements, reading(database):
        assert [read_setting(database, "key") for _ in range(5)] == [1] * 5
    assert len(statements) == 2  # the revisions, the table


def test_what_has_not_changed_is_not_read_again(database: sa.Engine) -> None:
    write_setting(database, "key", 1)
    read_setting(database, "key")
    with counted(database) as statements:
        with reading(database):
            read_setting(database, "key")
        read_setting(database, "key")
    assert len(statements) == 2
    assert all("revisions" in statement for statement in statements)


def test_a_flow_does_not_see_what_others_write_and_the_next_one_does(database: sa.Engine, other: sa.Engine) -> None:
    write_setting(database, "key", 1)
    with reading(database):
        assert read_setting(database, "key") == 1
        write_setting(other, "key", 2)
        assert read_setting(database, "key") == 1
    assert read_setting(database, "key") == 2
    with reading(database):
        assert read_setting(database, "key") == 2


def test_a_flow_does_not_see_what_another_thread_writes(database: sa.Engine) -> None:
    with reading(database):
        assert read_setting(database, "key") is None
        thread = threading.Thread(target=write_setting, args=(database, "key", 1))
        thread.start()
        thread.join()
        assert read_setting(database, "key") is None
    assert read_setting(database, "key") == 1


def test_a_flow_sees_its_own_writes_at_once(database: sa.Engine) -> None:
    with reading(database):
        for value in range(3):
            write_setting(database, "key", value)
            assert read_setting(database, "key") == value


def test_a_write_that_is_rolled_back_is_not_seen(database: sa.Engine) -> None:
    with reading(database):
        assert read_setting(database, "key") is None
        with database.begin() as connection:
            connection.execute(sa.insert(db.settings).values(key="key", value="1"))
            connection.rollback()
        assert read_setting(database, "key") is None


def test_under_a_lock_a_flow_sees_what_others_wrote_before(database: sa.Engine, other: sa.Engine) -> None:
    with reading(database):
        assert read_setting(database, "key") is None
        write_setting(other, "key", 1)
        with database.begin() as connection:
            db.lock(connection, db.settings)
            assert read_setting(database, "key") == 1


def test_a_flow_inside_another_is_part_of_it(database: sa.Engine, other: sa.Engine) -> None:
    with reading(database):
        assert read_setting(database, "key") is None
        write_setting(other, "key", 1)
        with reading(database):
            assert read_setting(database, "key") is None
        assert read_setting(database, "key") is None


def test_what_was_started_in_a_flow_and_outlasts_it_is_in_no_flow(database: sa.Engine) -> None:
    with reading(database):
        assert read_setting(database, "key") is None
        inside = copy_context()
    write_setting(database, "key", 1)
    assert inside.run(read_setting, database, "key") == 1


def test_a_flow_of_one_database_is_none_of_another(database: sa.Engine, tmp_path: Path) -> None:
    second = open_database(f"sqlite:///{tmp_path / 'second.sqlite'}")
    with reading(database):
        assert read_setting(second, "key") is None
        write_setting(second, "key", 1)
        assert read_setting(database, "key") is None
        assert read_setting(second, "key") == 1
    second.dispose()


def test_rows_are_found_by_the_value_of_a_column(database: sa.Engine) -> None:
    with database.begin() as connection:
        for name, simulated in (("ada", False), ("robot", True), ("ben", False)):
            connection.execute(sa.insert(db.annotators).values(name=name, simulated=simulated, made_at=db.now()))
    with reading(database), counted(database) as statements:
        snapshot = snapshot_of(database)
        assert [row.name for row in snapshot.rows_with(db.annotators.c.simulated, False)] == ["ada", "ben"]
        assert snapshot.rows_with(db.annotators.c.name, "eve") == ()
        assert [row.name for row in snapshot.rows(db.annotators)] == ["ada", "robot", "ben"]
    assert len(statements) == 2


def test_versions_change_with_the_tables_that_they_name(database: sa.Engine) -> None:
    before = snapshot_of(database)
    write_setting(database, "key", 1)
    after = snapshot_of(database)
    assert before.version(db.settings) != after.version(db.settings)
    assert before.version(db.rounds, db.models) == after.version(db.rounds, db.models)


def test_an_older_database_that_is_restored_is_read_anew(database: sa.Engine) -> None:
    write_setting(database, "key", 1)
    with database.connect() as connection:
        older = connection.execute(sa.select(db.revisions)).all()
    write_setting(database, "key", 2)
    assert read_setting(database, "key") == 2
    with database.begin() as connection:  # in a transaction of its own, uncounted, as a copied file would be
        connection.exec_driver_sql("UPDATE settings SET value = '1' WHERE key = 'key'")
        for name, number in older:
            connection.exec_driver_sql(f"UPDATE revisions SET number = {number} WHERE name = '{name}'")
    assert read_setting(database, "key") == 1


def test_simultaneous_readers_read_a_table_once(database: sa.Engine) -> None:
    started = threading.Barrier(4)

    def load(connection: sa.Connection, _: object) -> object:
        return connection.execute(sa.select(db.images)).all()

    def read() -> None:
        started.wait()
        snapshot_of(database).read("images", [db.images], load)

    with counted(database) as statements:
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum("FROM images" in statement for statement in statements) == 1
