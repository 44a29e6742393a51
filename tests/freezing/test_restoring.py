"""The way back to a snapshot: the dataset as it was then, people as they are, and nothing lost."""

import json
import shutil
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from bam_engine import database as db
from bam_engine.annotation import NEGATIVE, Attribute
from bam_engine.annotation.answer_log import answer_log
from bam_engine.collection import ingest_folder
from bam_engine.database import frozen_tables, open_database
from bam_engine.database.restored_tables import restore_tables
from bam_engine.errors import BamError, StoreUnavailable
from bam_engine.freezing import restoring, snapshots
from bam_engine.freezing.exporting import export_snapshot
from bam_engine.freezing.snapshots import DatasetSnapshot, digest_of
from bam_engine.labelling import direct_answers
from bam_engine.progress import Report
from bam_engine.reporting.export import export
from bam_engine.team import Role
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.database.old_workspace import write_old
from tests.freezing.server import moved_to_server
from tests.labelling.team import vote
from tests.postgresql import PostgreSQL

Rows = dict[str, list[tuple[object, ...]]]
KEPT = {"annotators", "merged_annotators", "settings"}


def dataset(engine: sa.Engine) -> Rows:
    """Return the rows of the dataset but those that stay as they are today."""
    with engine.connect() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in frozen_tables.FROZEN
            if table.name not in KEPT
        }


def go_on(workspace: Workspace, attribute: Attribute) -> None:
    """Do what people do after a snapshot was made."""
    vote(workspace, attribute, "Carl", {50: 1, 51: 0})
    direct_answers.answer(workspace, attribute, 7, NEGATIVE, annotator="Carl")
    workspace.removals.remove([0, 1], reason="a test")
    workspace.attributes.add("kite", "own", "Is there a kite?")
    workspace.redundancy = 2


def test_the_dataset_is_as_it_was_and_what_was_there_before_is_kept(decided: Workspace, watercolor: Attribute) -> None:
    snapshots.create(decided, "paper")
    then, delivered = dataset(decided.engine), delivered_of(decided, watercolor).reasons
    go_on(decided, watercolor)
    later = dataset(decided.engine)
    assert later != then
    before = restoring.restore(decided, "paper", by="Olive")
    assert dataset(decided.engine) == then
    assert decided.redundancy == 1
    assert np.array_equal(delivered_of(decided, watercolor).reasons, delivered)
    assert (before.made_by, before.note) == ("Olive", "what there was before a restore of paper")
    restoring.restore(decided, before.name)
    assert dataset(decided.engine) == later
    assert decided.redundancy == 2


def test_whoever_has_the_workspace_open_sees_it(decided: Workspace, watercolor: Attribute) -> None:
    """Another process would have its own engine and memory, as a second workspace has."""
    snapshots.create(decided, "paper")
    then = delivered_of(decided, watercolor).reasons
    other = Workspace(decided.folder, decided.cache.parent)
    go_on(decided, watercolor)
    assert not np.array_equal(delivered_of(other, watercolor).reasons, then)
    restoring.restore(decided, "paper")
    for one in (decided, other):
        assert np.array_equal(delivered_of(one, watercolor).reasons, then)
        assert [each.name for each in one.attributes.all()] == ["media_watercolor"]
    vote(other, watercolor, "Dora", {60: 1, 61: 0, 62: 1})  # under ids that answers had which are gone
    for one in (decided, other):
        assert {"Dora"} <= {each.name for each in one.annotators.all()}
        assert delivered_of(one, watercolor).reasons[7] == then[7]
    other.close()


def test_people_and_sign_ins_stay_as_they_are(workspace: Workspace, watercolor: Attribute) -> None:
    team = workspace.team
    olive = team.accounts.add("Olive", Role.OWNER, "a blue door in June")
    old = team.sessions.begin(olive)
    snapshots.create(workspace, "paper")
    team.sessions.end_all(olive)
    team.accounts.set_password(olive.id, "a red door in July")
    paul = team.accounts.add("Paul", Role.REVIEWER, "a green door in May")
    new = team.sessions.begin(paul)
    vote(workspace, watercolor, "Paul", {1: 1})
    restoring.restore(workspace, "paper")
    assert team.accounts.is_password(team.accounts.find("Olive"), "a red door in July")
    assert not team.accounts.is_password(team.accounts.find("Olive"), "a blue door in June")
    assert team.sessions.account(old) is None
    assert team.sessions.account(new) == paul
    assert dataset(workspace.engine)["annotations"] == []
    log = [(row.action, row.subject.split(";")[0]) for row in workspace.snapshot.rows(db.activity)]
    assert ("restored snapshot", "paper") in log


def test_who_goes_on_after_a_pause_is_judged_by_what_they_answer_after_the_restore(
    workspace: Workspace, watercolor: Attribute
) -> None:
    """The answers after it are counted on from those of the snapshot."""
    vote(workspace, watercolor, "paul", {1: 1})
    snapshots.create(workspace, "paper")
    vote(workspace, watercolor, "paul", {2: 1, 3: 1})
    paul = workspace.annotators.get("paul").id
    workspace.pauses.pause(paul, "")
    workspace.pauses.resume(paul)
    restoring.restore(workspace, "paper")
    last = workspace.pauses.last(paul)
    assert last is not None
    assert last.resumed_after == answer_log(workspace.engine, watercolor.id).last
    vote(workspace, watercolor, "paul", {2: 1})
    assert answer_log(workspace.engine, watercolor.id).last > last.resumed_after


def test_answers_that_come_back_from_before_a_pause_are_not_judged_again(
    workspace: Workspace, watercolor: Attribute
) -> None:
    vote(workspace, watercolor, "paul", {1: 1})
    snapshots.create(workspace, "paper")
    vote(workspace, watercolor, "paul", {2: 1, 3: 1})
    paul = workspace.annotators.get("paul").id
    workspace.pauses.pause(paul, "")
    workspace.pauses.resume(paul)
    before = workspace.pauses.last(paul)
    restoring.restore(workspace, restoring.restore(workspace, "paper").name)
    assert workspace.pauses.last(paul) == before


def test_an_annotator_keeps_the_name_of_today_and_nobody_takes_the_number_of_another(
    workspace: Workspace, watercolor: Attribute
) -> None:
    vote(workspace, watercolor, "Ann", {1: 1})
    snapshots.create(workspace, "paper")
    workspace.annotators.rename(workspace.annotators.get("Ann").id, "Anna")
    vote(workspace, watercolor, "Carl", {2: 1})
    carl = workspace.annotators.get("Carl").id
    restoring.restore(workspace, "paper")
    (answer,) = dataset(workspace.engine)["annotations"]
    assert workspace.annotators.get("Anna").id in answer
    vote(workspace, watercolor, "Dora", {3: 1})
    assert workspace.annotators.get("Carl").id == carl != workspace.annotators.get("Dora").id


def test_a_person_whose_number_is_another_ones_is_found_by_name(workspace: Workspace, watercolor: Attribute) -> None:
    """As after a backup was restored: the numbers of Ann and Ben are given again, the other way round."""
    vote(workspace, watercolor, "Ann", {1: 1})
    vote(workspace, watercolor, "Ben", {2: 0})
    snapshots.create(workspace, "paper")
    then = names_of_answers(workspace)
    table = db.annotators
    with workspace.engine.begin() as connection:
        for number, name, moment in ((1, "x", "3"), (2, "Ann", "2"), (1, "Ben", "1")):
            changed = sa.update(table).where(table.c.id == number).values(name=name, made_at=moment)
            connection.execute(changed)
    restoring.restore(workspace, "paper")
    assert names_of_answers(workspace) == then == {(1, "Ann"), (2, "Ben")}


def names_of_answers(workspace: Workspace) -> set[tuple[int, str]]:
    table = db.annotations
    query = sa.select(table.c.row, db.annotators.c.name).join(db.annotators, db.annotators.c.id == table.c.annotator_id)
    with workspace.engine.connect() as connection:
        return {tuple(row) for row in connection.execute(query)}


def test_files_that_have_moved_stay_where_they_are_and_later_images_leave(pictures: tuple[Workspace, Path]) -> None:
    workspace, folder = pictures
    snapshots.create(workspace, "paper")
    elsewhere = folder.with_name("elsewhere")
    shutil.move(folder, elsewhere)
    (elsewhere / "0.png").rename(elsewhere / "1-was-0.png")
    Image.new("RGB", (8, 8), "white").save(elsewhere / "a.png")
    ingest_folder(workspace.catalogue, workspace.thumbnails, elsewhere)
    digests = workspace.catalogue.digests().array[:3].copy()
    restoring.restore(workspace, "paper")
    assert np.array_equal(workspace.catalogue.digests().array, digests)
    assert [Path(uri).name for uri in workspace.catalogue.uris()] == ["1-was-0.png", "1.png", "2.png"]
    assert {image.status for image in workspace.catalogue.images(range(3))} == {"ok"}
    assert all(Path(uri).exists() for uri in workspace.catalogue.uris())
    assert ingest_folder(workspace.catalogue, workspace.thumbnails, elsewhere).added == 1


def test_nothing_is_restored_while_a_job_runs(workspace: Workspace) -> None:
    snapshots.create(workspace, "paper")
    go, end = threading.Event(), threading.Event()

    def work(report: Report) -> None:
        go.set()
        end.wait(60)

    workspace.jobs.start("embed", "Embedding", work, least=Role.OWNER)
    go.wait(60)
    with pytest.raises(BamError, match=r"while no job is running\..*Embedding"):
        restoring.restore(workspace, "paper")
    end.set()
    assert [one.name for one in snapshots.snapshots(workspace)] == ["paper"]


def test_what_is_written_meanwhile_is_kept_or_nothing_is_restored(
    workspace: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots.create(workspace, "paper")
    attempts: list[int] = []

    def slow(engine: sa.Engine, *args: object, **options: object) -> None:
        attempts.append(len(attempts))
        if len(attempts) == 1 or always:
            vote(workspace, watercolor, "Carl", {len(attempts): 1})
        restore_tables(engine, *args, **options)  # type: ignore[arg-type]

    always = False
    monkeypatch.setattr(restoring, "restore_tables", slow)
    before = restoring.restore(workspace, "paper")
    assert before.answers == 1  # the second attempt froze what was written during the first
    assert [one.name for one in snapshots.snapshots(workspace)] == [before.name, "paper"]
    always = True
    attempts.clear()
    with pytest.raises(BamError, match="Somebody has changed the dataset meanwhile"):
        restoring.restore(workspace, "paper")
    assert len(dataset(workspace.engine)["annotations"]) == 3
    assert [one.name for one in snapshots.snapshots(workspace)] == [before.name, "paper"]


def test_no_job_starts_while_the_dataset_is_replaced(
    workspace: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots.create(workspace, "paper")

    def start_one(*args: object, **options: object) -> None:
        for start in (workspace.jobs.start, workspace.jobs.start_once):
            with pytest.raises(BamError, match="is being replaced by a snapshot"):
                start("embed", "Embedding", lambda report: None, least=Role.OWNER)
        restore_tables(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(restoring, "restore_tables", start_one)
    restoring.restore(workspace, "paper")
    assert workspace.jobs.get("embed") is None
    workspace.jobs.start("embed", "Embedding", lambda report: None, least=Role.OWNER)


@pytest.mark.parametrize("error", [MemoryError(), StoreUnavailable("locked"), KeyboardInterrupt()])
def test_a_restore_that_fails_leaves_no_snapshot_of_its_own(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    snapshots.create(workspace, "paper")
    attempts: list[int] = []

    def fail(*args: object, **options: object) -> None:
        attempts.append(1)
        raise error

    monkeypatch.setattr(restoring, "restore_tables", fail)
    with pytest.raises(type(error)):
        restoring.restore(workspace, "paper")
    assert len(attempts) == (3 if isinstance(error, StoreUnavailable) else 1)
    assert [one.name for one in snapshots.snapshots(workspace)] == ["paper"]


def test_settings_of_operation_and_merged_names_stay(workspace: Workspace, watercolor: Attribute) -> None:
    vote(workspace, watercolor, "Ann", {1: 1})
    vote(workspace, watercolor, "Anne", {2: 1})
    ann, anne = (workspace.annotators.get(name).id for name in ("Ann", "Anne"))
    workspace.annotators.merge(anne, ann)
    snapshots.create(workspace, "paper")
    workspace.annotators.separate(anne)
    workspace.lease_minutes, workspace.assignment_size, workspace.captions_asked = 7, 12, 3
    known = {"other": {"spec": "timm:resnet18"}}
    db.write_setting(workspace.engine, "encoders", known)
    restoring.restore(workspace, "paper")
    assert (workspace.lease_minutes, workspace.assignment_size, workspace.captions_asked) == (7, 12, 3)
    assert workspace.annotators.merged() == []
    assert db.read_setting(workspace.engine, "encoders", {}).items() >= known.items()


def with_tables(made: DatasetSnapshot, change: Mapping[str, str]) -> None:
    """Change settings in the tables of a snapshot, as another version of the program would have written it."""
    made.tables.chmod(0o600)
    with closing(sqlite3.connect(made.tables)) as file:
        file.executemany("UPDATE settings SET value = ? WHERE key = ?", [(value, key) for key, value in change.items()])
        file.commit()
    about = json.loads((made.folder / "snapshot.json").read_text())
    (made.folder / "snapshot.json").chmod(0o600)
    (made.folder / "snapshot.json").write_text(json.dumps({**about, "digest": digest_of(made.tables)}))


def test_a_snapshot_of_a_later_version_and_a_damaged_one_are_refused(
    workspace: Workspace, watercolor: Attribute
) -> None:
    made = snapshots.create(workspace, "paper")
    vote(workspace, watercolor, "Carl", {1: 1})
    there = dataset(workspace.engine)
    with_tables(made, {"schema": "9999"})
    with pytest.raises(BamError, match="schema version 9999, but this program reads"):
        restoring.restore(workspace, "paper")
    made.tables.write_bytes(made.tables.read_bytes()[:-4096])
    with pytest.raises(BamError, match="damaged"):
        restoring.restore(workspace, "paper")
    assert dataset(workspace.engine) == there
    assert [one.name for one in snapshots.snapshots(workspace)] == ["paper"]


def test_a_snapshot_of_an_earlier_schema_is_brought_up_to_date(workspace: Workspace, tmp_path: Path) -> None:
    """The tables are those that the program of schema 7 left; opened by themselves, they are migrated likewise."""
    write_old(tmp_path / "old.sqlite", 7)
    migrated = open_database(f"sqlite:///{tmp_path / 'old.sqlite'}")
    made = snapshots.create(workspace, "paper")
    made.tables.unlink()
    write_old(made.tables, 7)
    with_tables(made, {})
    tables = made.tables.read_bytes()
    restoring.restore(workspace, "paper")
    assert dataset(workspace.engine) == dataset(migrated)
    assert made.tables.read_bytes() == tables
    migrated.dispose()


def test_a_server_gets_its_dataset_back_and_counts_on(
    postgresql: PostgreSQL, decided: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    with postgresql.database() as url:
        there = moved_to_server(decided, url, tmp_path / "there")
        snapshots.create(there, "paper")
        then = dataset(there.engine)
        said: list[str] = []
        sa.event.listen(there.engine, "before_cursor_execute", lambda *event: said.append(event[2]))
        restoring.restore(there, "paper")
        assert dataset(there.engine) == then
        there.attributes.add("kite", "own", "Is there a kite?")
        vote(there, watercolor, "Dora", {60: 1})
        there.removals.remove([3], reason="a test")
        before = restoring.restore(there, "paper")
        assert dataset(there.engine) == then
        assert before.answers == 65
        locks = [words for words in said if words.startswith("LOCK TABLE")]
        assert locks[0].startswith("LOCK TABLE leases ")  # as whoever takes images does, or the two wait for each other
        assert any(words.startswith("ANALYZE places_of_today") for words in said)
        there.close()


def test_a_snapshot_is_exported_as_the_dataset_was(decided: Workspace, watercolor: Attribute, tmp_path: Path) -> None:
    snapshots.create(decided, "paper")
    export(decided, tmp_path / "then", form="csv")
    go_on(decided, watercolor)
    export_snapshot(decided, "paper", tmp_path / "now", form="csv")
    for file in (tmp_path / "then").iterdir():
        assert (tmp_path / "now" / file.name).read_bytes() == file.read_bytes(), file.name
    export_snapshot(decided, "paper", tmp_path / "dataset.parquet", form="parquet")
    assert (tmp_path / "dataset.parquet").exists()


def test_a_snapshot_without_its_vectors_is_not_exported_as_something_else(
    decided: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    snapshots.create(decided, "paper")
    decided.close()
    shutil.rmtree(decided.cache)
    again = Workspace(decided.folder, decided.cache.parent)
    with pytest.raises(BamError, match=r"no vectors, so none has a score\. Embed"):
        export_snapshot(again, "paper", tmp_path / "now", form="csv")
    assert not (tmp_path / "now").exists()
    again.close()


def test_a_snapshot_with_other_vectors_is_not_exported_although_they_decide_the_same(
    decided: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    snapshots.create(decided, "paper")
    scores = scores_of(decided, watercolor)
    surest = int(np.nanargmax(scores))
    vectors = decided.vectors()
    vectors.replace([surest], vectors.array()[[surest]].astype(np.float32) * 1.05)
    with pytest.raises(
        BamError, match=rf"give other scores to 1 of {len(scores):,} images of media_watercolor than then\. Emb"
    ):
        export_snapshot(decided, "paper", tmp_path / "now", form="csv")
    assert not (tmp_path / "now").exists()
