"""Snapshots: of one moment, whole or not there, with everything of the dataset and nothing of who signs in."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.database import frozen_tables, open_database
from bam_engine.errors import BamError, NotFound, Stopped
from bam_engine.freezing import moments, snapshots
from bam_engine.freezing.contents import contents_of
from bam_engine.team import Role
from bam_engine.training import thresholds
from bam_engine.training.delivered import delivered_of
from bam_engine.workspace import Workspace
from tests.freezing.server import moved_to_server
from tests.postgresql import PostgreSQL


def rows_of(engine: sa.Engine, table: sa.Table) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))]


def test_a_snapshot_holds_every_row_of_the_dataset_and_what_was_delivered(
    decided: Workspace, watercolor: Attribute
) -> None:
    made = snapshots.create(decided, "paper", note=" what the paper used ", by="Ada")
    assert (made.name, made.note, made.made_by) == ("paper", "what the paper used", "Ada")
    assert (made.images, made.answers) == (120, 64)
    with snapshots.opened(decided, made.tables) as frozen:
        for table in frozen_tables.FROZEN:
            assert rows_of(frozen.engine, table) == rows_of(decided.engine, table), table.name
    (stored,) = made.contents().attributes
    threshold = thresholds.current_threshold(decided, watercolor)
    assert threshold is not None
    assert (stored.facts.name, stored.facts.threshold) == ("media_watercolor", threshold.value)
    assert np.array_equal(stored.delivered, delivered_of(decided, watercolor).accepted)
    assert np.array_equal(stored.reasons, contents_of(decided).attributes[0].reasons)


def test_a_snapshot_stays_as_it_is_whatever_is_done_to_the_dataset(decided: Workspace, watercolor: Attribute) -> None:
    made = snapshots.create(decided, "paper")
    before = {path.name: path.read_bytes() for path in made.folder.iterdir()}
    decided.attributes.archive(watercolor.id)
    decided.removals.remove([0, 1], reason="a test")
    with snapshots.opened(decided, made.tables) as frozen:
        assert [one.name for one in frozen.attributes.all()] == ["media_watercolor"]
        assert contents_of(frozen).images == 120
        with pytest.raises(BamError, match="read-only"):
            frozen.attributes.add("kite", "own", "Is there a kite?")
    assert {path.name: path.read_bytes() for path in made.folder.iterdir()} == before
    assert snapshots.get(decided, "paper") == made


def test_nobody_who_signs_in_is_in_a_snapshot(decided: Workspace) -> None:
    account = decided.team.accounts.add("Olive", Role.OWNER, "a long password 1")
    made = snapshots.create(decided, "paper")
    with closing(sqlite3.connect(made.tables)) as file:
        for table in frozen_tables.OF_PEOPLE:
            assert file.execute(f"SELECT count(*) FROM {table.name}").fetchone() == (0,), table.name
    assert b"$argon2" not in made.tables.read_bytes()
    assert account is not None


def test_what_no_vectors_tell_is_not_frozen(decided: Workspace, tmp_path: Path) -> None:
    """As where another cache is named by mistake: nothing would seem to be delivered."""
    snapshots.create(decided, "paper")
    cold = Workspace(decided.folder, tmp_path / "another cache")
    with pytest.raises(BamError, match="no vectors"):
        snapshots.create(cold, "cold")
    with pytest.raises(BamError, match="no vectors"), moments.comparison(cold, "paper"):
        pass
    assert left_in(cold) == ["paper"]
    cold.close()


def test_what_a_later_version_or_another_hand_wrote_is_not_compared(workspace: Workspace) -> None:
    made = snapshots.create(workspace, "paper")
    about = json.loads((made.folder / "snapshot.json").read_text())
    (made.folder / "snapshot.json").chmod(0o600)
    for changed in ({"layout": 99}, {"schema": 9999}):
        (made.folder / "snapshot.json").write_text(json.dumps({**about, **changed}))
        with pytest.raises(BamError, match="made by a later version"), moments.comparison(workspace, "paper"):
            pass
    (made.folder / "snapshot.json").write_text(json.dumps(about))
    (made.folder / "contents.npz").chmod(0o600)
    np.savez_compressed(made.folder / "contents.npz", digests=np.zeros((1, 2), np.uint64), members=np.ones(1, bool))
    with pytest.raises(BamError, match="damaged"), moments.comparison(workspace, "paper"):
        pass


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../paper", "/tmp/paper", "a/b", "a\\b", ".hidden", "a b", "a\0", "now", "NOW", "x" * 65]
)
def test_a_name_that_is_a_path_or_means_something_else_is_refused(workspace: Workspace, name: str) -> None:
    for act in (snapshots.create, snapshots.get, snapshots.remove):
        with pytest.raises(BamError, match="cannot be called"):
            act(workspace, name)
    assert not (workspace.folder / "snapshots").exists()


def test_a_name_is_given_once(workspace: Workspace) -> None:
    made = snapshots.create(workspace, "paper")
    with pytest.raises(BamError, match="There is a snapshot paper already"):
        snapshots.create(workspace, "paper")
    assert snapshots.snapshots(workspace) == [made]


def test_an_empty_workspace_has_nothing_to_freeze(tmp_path: Path) -> None:
    empty = Workspace(tmp_path / "workspace", tmp_path / "cache")
    with pytest.raises(BamError, match="nothing to freeze"):
        snapshots.create(empty, "paper")
    assert snapshots.snapshots(empty) == []
    empty.close()


def left_in(workspace: Workspace) -> list[str]:
    return [path.name for path in (workspace.folder / "snapshots").iterdir()]


def test_a_stop_and_a_full_disk_leave_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(done: int, total: int | None, message: str = "") -> None:
        raise Stopped("stopped")

    with pytest.raises(Stopped):
        snapshots.create(workspace, "paper", report=stop)
    assert left_in(workspace) == []

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bam_engine.freezing.snapshots.write_arrays", full)
    with pytest.raises(BamError, match="No space left on device"):
        snapshots.create(workspace, "paper")
    assert left_in(workspace) == []


def test_what_a_killed_process_left_is_no_snapshot_and_is_removed_after_a_day(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed cannot tidy up: what it has written so far lies under another name."""
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    monkeypatch.setattr("bam_engine.freezing.snapshots._take_name", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        snapshots.create(workspace, "paper")
    monkeypatch.undo()
    (left,) = left_in(workspace)
    assert left.startswith(".paper-")
    assert (snapshots.snapshots(workspace), snapshots.damaged(workspace)) == ([], [])
    with pytest.raises(NotFound):
        snapshots.get(workspace, "paper")
    snapshots.create(workspace, "paper")
    assert sorted(left_in(workspace)) == [left, "paper"]  # somebody may be writing it
    monkeypatch.setattr("bam_engine.freezing.snapshots.ABANDONED", -1.0)
    snapshots.create(workspace, "thesis")
    assert sorted(left_in(workspace)) == ["paper", "thesis"]


def test_a_damaged_snapshot_is_named_and_can_be_removed(workspace: Workspace) -> None:
    made = snapshots.create(workspace, "paper")
    for content in ("", "{}", "[]", json.dumps({"attributes": [{}]})):
        (made.folder / "snapshot.json").chmod(0o600)
        (made.folder / "snapshot.json").write_text(content)
        assert snapshots.snapshots(workspace) == []
        assert snapshots.damaged(workspace) == [made.folder]
        with pytest.raises(BamError, match="The snapshot paper is damaged"):
            snapshots.get(workspace, "paper")
    snapshots.remove(workspace, "paper")
    assert left_in(workspace) == []
    with pytest.raises(NotFound, match=r"There is no snapshot paper\. There are: none yet"):
        snapshots.remove(workspace, "paper")


def test_a_damaged_file_of_a_snapshot_is_named(workspace: Workspace) -> None:
    made = snapshots.create(workspace, "paper")
    (made.folder / "contents.npz").chmod(0o600)
    whole = (made.folder / "contents.npz").read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"\0" * len(whole)):
        (made.folder / "contents.npz").write_bytes(content)
        with pytest.raises(BamError, match=r"contents\.npz of a snapshot is missing or damaged"):
            made.contents()


def test_a_read_only_workspace_makes_none(workspace: Workspace) -> None:
    read = Workspace(workspace.folder, workspace.cache.parent, only_read=True)
    with pytest.raises(BamError, match="read-only"):
        snapshots.create(read, "paper")
    read.close()


def test_the_log_says_who_made_and_removed_it(workspace: Workspace) -> None:
    workspace.team.accounts.add("Olive", Role.OWNER, "a long password 1")
    snapshots.create(workspace, "paper")
    snapshots.remove(workspace, "paper")
    actions = [(row.action, row.subject) for row in workspace.snapshot.rows(db.activity)]
    assert actions[-2:] == [("made snapshot", "paper"), ("removed snapshot", "paper")]


def test_a_snapshot_of_a_server_is_a_file_with_the_same_rows(
    postgresql: PostgreSQL, decided: Workspace, tmp_path: Path
) -> None:
    """The dataset is moved to a PostgreSQL database, row by row, and frozen there."""
    with postgresql.database() as url:
        there = moved_to_server(decided, url, tmp_path / "there")
        made = snapshots.create(there, "paper")
        with snapshots.opened(there, made.tables) as frozen:
            for table in frozen_tables.FROZEN:
                assert rows_of(frozen.engine, table) == rows_of(decided.engine, table), table.name
        assert np.array_equal(made.contents().attributes[0].reasons, contents_of(decided).attributes[0].reasons)
        there.close()


def test_a_snapshot_is_of_one_moment_while_others_write(database: sa.Engine, tmp_path: Path) -> None:
    """Somebody adds an annotator and an attribute in one transaction while the tables are copied: neither is there."""
    wrote: list[bool] = []

    def write(done: int, total: int | None, message: str = "") -> None:
        if not wrote:
            wrote.append(True)
            with database.begin() as connection:
                values = {"name": "late", "made_at": db.now()}
                connection.execute(sa.insert(db.annotators).values(values))
                connection.execute(sa.insert(db.attributes).values({**values, "kind": "own", "question": "?"}))

    frozen_tables.freeze(database, tmp_path / "frozen.sqlite", report=write)
    assert wrote
    frozen = open_database(f"sqlite:///{tmp_path / 'frozen.sqlite'}")
    assert (rows_of(frozen, db.annotators), rows_of(frozen, db.attributes)) == ([], [])
    frozen.dispose()
    assert len(rows_of(database, db.attributes)) == 1


def test_a_linked_snapshot_is_removed_and_what_it_links_to_stays(workspace: Workspace, tmp_path: Path) -> None:
    made = snapshots.create(workspace, "paper")
    shutil.move(made.folder, tmp_path / "elsewhere")
    made.folder.symlink_to(tmp_path / "elsewhere")
    assert [one.name for one in snapshots.snapshots(workspace)] == ["paper"]
    snapshots.remove(workspace, "paper")
    assert left_in(workspace) == []
    assert (tmp_path / "elsewhere" / "dataset.sqlite").exists()


def test_what_cannot_be_logged_is_not_made(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object) -> None:
        raise BamError("the database is locked")

    monkeypatch.setattr(db, "log_activity", locked)
    with pytest.raises(BamError, match="locked"):
        snapshots.create(workspace, "paper")
    assert left_in(workspace) == []
