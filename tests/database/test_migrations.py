"""The migrations: every row of a workspace of schema 1 is found again, and the tables are those of a new workspace."""

import json
import math
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bam_engine import database as db
from bam_engine.database.migrating import MIGRATIONS
from bam_engine.errors import BamError
from bam_engine.gallery import saved_views
from bam_engine.gallery.query import Query
from bam_engine.training.models import latest_model
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace import Workspace
from tests.database.old_workspace import Rows, in_order, read, read_from, write_old, write_old_to
from tests.postgresql import PostgreSQL

CHANGED = {"settings", "models", "thresholds", "certifications", "audits", "saved_views"}
ADDED: dict[str, dict[str, Any]] = {
    "annotators": {"archived_at": None},
    "attributes": {"archived_at": None},
    "images": {"stamp": None, "url": None},
    "captions": {"hidden_at": None, "hidden_by": None},
    "certification_images": {"made_at": None, "teaches": None},
}
COMPOSED = re.compile(r"audit-\d+-people|validation-\d+-\d+-seed")
OPTIONAL = {"covers": None, "known_positives": None, "recall_target": None, "promise": ""}
RENAMED = {"strength": "regularisation", "separation": "decision_threshold"}
LEFT_OUT = {"measured", "flipped", "calibration", "round"}  # tables of their own; the round is a column already


@pytest.fixture
def old(tmp_path: Path) -> Rows:
    """The rows of schema 1, whose file is ``old.sqlite``."""
    return write_old(tmp_path / "old.sqlite")


@pytest.fixture
def migrated(database_url: str, old: Rows, tmp_path: Path) -> sa.Engine:
    """The workspace of schema 1, on either kind of database, opened."""
    if database_url.startswith("sqlite"):
        (tmp_path / "old.sqlite").rename(tmp_path / "bam.sqlite")
    else:
        write_old_to(database_url, old)
    return db.open_database(database_url)


@pytest.fixture
def rows(migrated: sa.Engine) -> Rows:
    found = read_from(migrated)
    migrated.dispose()
    return found


def number(value: Any) -> Any:
    """Return null for nan, which a database does not store."""
    return None if isinstance(value, float) and math.isnan(value) else value


def evidence(details: dict[str, Any]) -> dict[str, Any]:
    return OPTIONAL | {name: number(value) for name, value in details.items()}


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def test_the_stored_workspace_has_rows_in_every_table(old: Rows) -> None:
    assert [table for table, lines in old.items() if not lines] == []


def test_tables_that_did_not_change_hold_the_same_rows(old: Rows, rows: Rows) -> None:
    for table in old.keys() - CHANGED:
        assert rows[table] == [row | ADDED.get(table, {}) for row in old[table]], table


def test_settings_keep_all_but_the_composed_keys(old: Rows, rows: Rows) -> None:
    kept = {row["key"]: row["value"] for row in old["settings"] if not COMPOSED.fullmatch(row["key"])}
    assert {row["key"]: row["value"] for row in rows["settings"]} == kept | {"schema": str(db.SCHEMA_VERSION)}


def test_the_details_of_a_threshold_are_its_columns(old: Rows, rows: Rows) -> None:
    expected = [
        without(row, "details") | evidence(json.loads(row["details"])) | {"images": None} for row in old["thresholds"]
    ]
    assert {row["id"]: row for row in rows["thresholds"]} == {row["id"]: row for row in expected}
    assert any(row["precision"] is None for row in expected)


def test_the_details_of_a_model_are_its_columns(old: Rows, rows: Rows) -> None:
    found = {row["id"]: row for row in rows["models"]}
    assert found.keys() == {row["id"] for row in old["models"]}
    for row in old["models"]:
        details = without(json.loads(row["details"]), *LEFT_OUT)
        recorded = {RENAMED.get(name, name): value for name, value in details.items()}
        assert found[row["id"]] == {"imported": None, **without(row, "details"), **recorded}


def test_what_was_measured_on_a_model_is_a_row_of_its_own(old: Rows, rows: Rows) -> None:
    details = {row["id"]: json.loads(row["details"]) for row in old["models"]}
    made_at = {row["id"]: row["made_at"] for row in old["models"]}
    limits = {row["measurement_id"]: without(row, "measurement_id") for row in rows["measured_thresholds"]}
    assert [row["model_id"] for row in rows["measurements"]] == [key for key in details if "measured" in details[key]]
    for row in rows["measurements"]:
        said = details[row["model_id"]]
        measured, average = said["measured"], said["measured"].get("average_precision", {})
        assert row == {
            "id": row["id"],
            "model_id": row["model_id"],
            "n": measured.get("n"),
            "average_precision": average.get("value"),
            "average_precision_low": average.get("low"),
            "average_precision_high": average.get("high"),
            "problem": measured["problem"],
            "flipped": said["flipped"],
            "made_at": made_at[row["model_id"]],
        }
        threshold = measured.get("threshold")
        assert limits.pop(row["id"], None) == (evidence(threshold) if threshold else None)
    assert limits == {}


def test_calibrations_keep_their_curve_and_the_labels_that_they_saw(old: Rows, rows: Rows) -> None:
    for row in old["models"]:
        before = json.loads(row["details"]).get("calibration")
        after = [line for line in rows["calibrations"] if line["model_id"] == row["id"]]
        assert len(after) == (before is not None)
        for line in after:
            assert without(json.loads(line["fit"]), "version") == before["fit"]
            assert json.loads(line["labels_seen"]) == before["seen"]
            assert line["problem"] == before["problem"]


def test_cuts_votes_draws_and_queries_have_columns(old: Rows, rows: Rows) -> None:
    settings = {row["key"]: json.loads(row["value"]) for row in old["settings"]}
    cuts = [
        {"certification_id": row["id"], "position": position, "value": value}
        for row in old["certifications"]
        for position, value in enumerate(json.loads(row["cuts"] or "[]"))
    ]
    assert rows["certification_cuts"] == in_order(cuts)
    uncounted = {"left_out": None, "images": None}
    certifications = [
        without(row, "cuts") | uncounted | {"risk_share": None, "counted": None, "since": None}
        for row in old["certifications"]
    ]
    assert {row["id"]: row for row in rows["certifications"]} == {row["id"]: row for row in certifications}
    votes = [row | {"votes": settings[f"audit-{row['id']}-people"]} | uncounted for row in old["audits"]]
    assert {row["id"]: row for row in rows["audits"]} == {row["id"]: row for row in votes}
    draws = {(row["attribute_id"], row["draw"]) for row in old["validation_images"]}
    assert {(row["attribute_id"], row["number"], row["seed"]) for row in rows["validation_draws"]} == {
        (attribute, draw, settings[f"validation-{attribute}-{draw}-seed"]) for attribute, draw in draws
    }
    views = [row | {"version": 1} for row in old["saved_views"]]
    assert {row["id"]: row for row in rows["saved_views"]} == {row["id"]: row for row in views}


def test_a_migrated_database_has_the_tables_of_a_new_one(migrated: sa.Engine) -> None:
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, db.metadata) == []
    migrated.dispose()


def test_the_newest_migration_leads_to_the_schema_of_the_program() -> None:
    scripts = ScriptDirectory(MIGRATIONS, version_locations=[MIGRATIONS])
    assert scripts.get_heads() == [f"{db.SCHEMA_VERSION:04}"]


def test_a_workspace_of_schema_1_that_lacks_the_youngest_tables_gets_them(tmp_path: Path) -> None:
    write_old(tmp_path / "bam.sqlite")
    with closing(sqlite3.connect(tmp_path / "bam.sqlite")) as database:
        database.execute("DROP TABLE saved_views")
    db.open_database(f"sqlite:///{tmp_path / 'bam.sqlite'}").dispose()
    assert read(tmp_path / "bam.sqlite")["saved_views"] == []


@pytest.mark.parametrize("details", ["{", "[]", "{}"])
def test_details_that_cannot_be_read_are_named_and_nothing_changes(tmp_path: Path, details: str) -> None:
    file = tmp_path / "bam.sqlite"
    write_old(file)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE thresholds SET details = ? WHERE id = 2", [details])
    before = read(file)
    with pytest.raises(BamError, match=r"cannot be migrated from schema 1 to \d+: .*threshold 2"):
        db.open_database(f"sqlite:///{file}")
    assert read(file) == before


def test_the_program_reads_a_migrated_workspace(tmp_path: Path) -> None:
    old = write_old(tmp_path / "workspace" / "bam.sqlite")
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    for attribute in workspace.attributes.all():
        models = [row for row in old["models"] if row["attribute_id"] == attribute.id]
        newest = max(models, key=lambda row: int(row["id"]))
        model = latest_model(workspace, attribute)
        assert model is not None
        assert model.coefficients.tobytes() == newest["coefficients"]
        assert model.seed == json.loads(newest["details"])["seed"]

        chosen = [row for row in old["thresholds"] if row["attribute_id"] == attribute.id]
        kept = max(chosen, key=lambda row: int(row["id"]))
        current = current_threshold(workspace, attribute)
        assert current is not None
        assert (current.value, current.evidence.n) == (kept["value"], json.loads(kept["details"])["n"])
    views = {view.name: view.query for view in saved_views.load_all(workspace)}
    assert views["Grüne Katzen"] == Query(words="cat", colour=("green",), like=(1, 2), folded=True)
    assert len(views) == 2
    workspace.close()


@pytest.mark.parametrize("seed", [2**31 - 1, 2**31])
def test_a_seed_that_postgresql_does_not_hold_is_left_out(seed: int, old: Rows, postgresql: PostgreSQL) -> None:
    for row in old["settings"]:
        if re.fullmatch(r"validation-\d+-\d+-seed", row["key"]):
            row["value"] = str(seed)
    with postgresql.database() as url:
        write_old_to(url, old)
        engine = db.open_database(url)
        seeds = {row["seed"] for row in read_from(engine)["validation_draws"]}
        engine.dispose()
    assert seeds - {None} == ({seed} if seed < 2**31 else set())
