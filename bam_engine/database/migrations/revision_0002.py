"""Revision 2: what was JSON or a composed setting becomes columns and tables.

Thresholds, and what was recorded of models, cuts, draws and audits, become columns. What is measured on a model, and
its calibration, have tables of their own. Nulls stand for nan, which SQLite does not store.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from bam_engine.errors import BamError

revision = "0002"
down_revision = "0001"

MEASURED = ("precision", "precision_low", "precision_high", "recall", "recall_low", "recall_high")
MODEL = {"strength": "regularisation", "separation": "decision_threshold"} | {
    name: name for name in ("n_positive", "n_negative", "seed", "labels", "imported", "in_bulk", "learned_from")
}
"""The columns of ``models`` by their name in its JSON."""


def upgrade() -> None:
    """Bring a database of revision 1 to revision 2."""
    connection = op.get_bind()
    _create_tables()
    _move_thresholds(connection)
    _move_models(connection)
    _move_cuts(connection)
    _move_settings(connection)
    with op.batch_alter_table("saved_views") as table:
        table.add_column(sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    with op.batch_alter_table("saved_views") as table:
        table.alter_column("version", existing_type=sa.Integer(), existing_nullable=False, server_default=None)
    op.create_index("annotations_in_order", "annotations", ["attribute_id", "id"])


def _evidence() -> list[sa.Column[Any]]:
    return [
        *(sa.Column(name, sa.Float) for name in MEASURED),
        sa.Column("target", sa.Float, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("certified", sa.Boolean, nullable=False),
        sa.Column("bound", sa.Float),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("n_accepted_sample", sa.Integer, nullable=False),
        sa.Column("n_accepted", sa.Integer, nullable=False),
        sa.Column("covers", sa.Integer),
        sa.Column("recall_target", sa.Float),
        sa.Column("promise", sa.Text, nullable=False),
    ]


def _create_tables() -> None:
    op.create_table(
        "revisions",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "validation_draws",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("attribute_id", sa.Integer, sa.ForeignKey("attributes.id"), nullable=False, index=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("seed", sa.Integer),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.UniqueConstraint("attribute_id", "number"),
    )
    op.create_table(
        "measurements",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("models.id"), nullable=False, index=True),
        sa.Column("n", sa.Integer),
        sa.Column("average_precision", sa.Float),
        sa.Column("average_precision_low", sa.Float),
        sa.Column("average_precision_high", sa.Float),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("flipped", sa.Integer),
        sa.Column("made_at", sa.Text, nullable=False),
    )
    op.create_table(
        "measured_thresholds",
        sa.Column("measurement_id", sa.Integer, sa.ForeignKey("measurements.id"), primary_key=True),
        sa.Column("value", sa.Float, nullable=False),
        *_evidence(),
    )
    op.create_table(
        "calibrations",
        sa.Column("model_id", sa.Integer, sa.ForeignKey("models.id"), primary_key=True),
        sa.Column("labels_seen", sa.Text, nullable=False),
        sa.Column("fit", sa.Text),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
    )
    op.create_table(
        "certification_cuts",
        sa.Column("certification_id", sa.Integer, sa.ForeignKey("certifications.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("value", sa.Float, nullable=False),
    )


def _move_thresholds(connection: sa.Connection) -> None:
    with op.batch_alter_table("thresholds") as table:
        for column in _evidence():
            table.add_column(sa.Column(column.name, column.type))
    for threshold_id, text in connection.execute(sa.text("SELECT id, details FROM thresholds")).all():
        details = _object(text, f"threshold {threshold_id}")
        _update(connection, "thresholds", threshold_id, _evidence_of(details, f"threshold {threshold_id}"))
    with op.batch_alter_table("thresholds") as table:
        table.drop_column("details")
        for column in _evidence():
            if not column.nullable:
                table.alter_column(column.name, existing_type=column.type, nullable=False)


def _move_models(connection: sa.Connection) -> None:
    integers = ("n_positive", "n_negative", "seed", "labels", "imported", "in_bulk")
    required = ("regularisation", "n_positive", "n_negative", "seed", "decision_threshold")
    columns: dict[str, Any] = dict.fromkeys(("regularisation", "decision_threshold"), sa.Float())
    columns |= dict.fromkeys(integers, sa.Integer()) | {"learned_from": sa.Text()}
    with op.batch_alter_table("models") as table:
        for name, kind in columns.items():
            table.add_column(sa.Column(name, kind))
    for model_id, text, made_at in connection.execute(sa.text("SELECT id, details, made_at FROM models")).all():
        what = f"model {model_id}"
        details = _object(text, what)
        values = {column: details.get(name) for name, column in MODEL.items()}
        _check_complete({name: values[name] for name in required}, what)
        _update(connection, "models", model_id, values)
        if isinstance(details.get("measured"), Mapping):
            _store_measurement(connection, model_id, details["measured"], details.get("flipped"), made_at)
        if isinstance(details.get("calibration"), Mapping):
            _store_calibration(connection, model_id, details["calibration"], made_at)
    with op.batch_alter_table("models") as table:
        table.drop_column("details")
        for name in required:
            table.alter_column(name, existing_type=columns[name], nullable=False)


def _store_measurement(
    connection: sa.Connection, model_id: int, measured: Mapping[str, Any], flipped: int | None, made_at: str
) -> None:
    average = measured.get("average_precision") or {}
    values = {
        "model_id": model_id,
        "n": measured.get("n"),
        "average_precision": _number(average.get("value")),
        "average_precision_low": _number(average.get("low")),
        "average_precision_high": _number(average.get("high")),
        "problem": measured.get("problem") or "",
        "flipped": flipped,
        "made_at": made_at,
    }
    _insert(connection, "measurements", values)
    if measured.get("threshold"):
        newest = sa.text("SELECT max(id) FROM measurements")
        what = f"the threshold measured on model {model_id}"
        evidence = _evidence_of(measured["threshold"], what) | {"value": measured["threshold"]["value"]}
        _insert(connection, "measured_thresholds", {"measurement_id": connection.scalar(newest), **evidence})


def _store_calibration(connection: sa.Connection, model_id: int, calibration: Mapping[str, Any], made_at: str) -> None:
    fit = calibration.get("fit")
    values = {
        "model_id": model_id,
        "labels_seen": json.dumps(calibration.get("seen")),
        "fit": json.dumps({"version": 1, **fit}) if fit else None,
        "problem": calibration.get("problem") or "",
        "made_at": made_at,
    }
    _insert(connection, "calibrations", values)


def _move_cuts(connection: sa.Connection) -> None:
    stored = sa.text("SELECT id, cuts FROM certifications WHERE cuts IS NOT NULL")
    for certification_id, text in connection.execute(stored).all():
        for position, value in enumerate(json.loads(text)):
            line = {"certification_id": certification_id, "position": position, "value": value}
            _insert(connection, "certification_cuts", line)
    with op.batch_alter_table("certifications") as table:
        table.drop_column("cuts")


def _move_settings(connection: sa.Connection) -> None:
    """Move what stood under composed keys: the votes of audits and the seeds of draws."""
    with op.batch_alter_table("audits") as table:
        table.add_column(sa.Column("votes", sa.Integer))
    draws = (
        "SELECT attribute_id, draw, min(made_at) FROM validation_images GROUP BY attribute_id, draw ORDER BY 3, 1, 2"
    )
    for attribute_id, number, made_at in connection.execute(sa.text(draws)).all():
        values = {"attribute_id": attribute_id, "number": number, "seed": None, "made_at": made_at}
        _insert(connection, "validation_draws", values)
    for key, text in connection.execute(sa.text("SELECT key, value FROM settings")).all():
        if found := re.fullmatch(r"audit-(\d+)-people", key):
            values = {"id": int(found[1]), "value": json.loads(text)}
            change = "UPDATE audits SET votes = :value WHERE id = :id"
        elif found := re.fullmatch(r"validation-(\d+)-(\d+)-seed", key):
            values = {"attribute": int(found[1]), "number": int(found[2]), "value": json.loads(text)}
            change = "UPDATE validation_draws SET seed = :value WHERE attribute_id = :attribute AND number = :number"
        else:
            continue
        if connection.execute(sa.text(change), values).rowcount:
            connection.execute(sa.text("DELETE FROM settings WHERE key = :key"), {"key": key})


def _evidence_of(details: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return the columns of a threshold but its value; the last three were added later and may be missing."""
    values = {column.name: details.get(column.name) for column in _evidence()}
    values["promise"] = values["promise"] or ""
    values["certified"] = None if values["certified"] is None else bool(values["certified"])
    _check_complete({column.name: values[column.name] for column in _evidence() if not column.nullable}, what)
    return {name: _number(value) for name, value in values.items()}


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        details = json.loads(text)
    except ValueError:
        details = None
    if not isinstance(details, dict):
        raise BamError(f"the details of {what} are not a JSON object")
    return details


def _check_complete(values: Mapping[str, Any], what: str) -> None:
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise BamError(f"{', '.join(missing)} is missing from {what}")


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _insert(connection: sa.Connection, table: str, values: Mapping[str, Any]) -> None:
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({places})"), dict(values))


def _update(connection: sa.Connection, table: str, key: int, values: Mapping[str, Any]) -> None:
    changes = ", ".join(f"{name} = :{name}" for name in values)
    connection.execute(sa.text(f"UPDATE {table} SET {changes} WHERE id = :key"), {**values, "key": key})
