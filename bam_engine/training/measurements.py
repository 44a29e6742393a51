"""What was measured on a model, stored after its training: one line per measurement, of which the newest counts.

Also how a :class:`Threshold` is written into columns and read from them. SQLite stores no nan: null stands for it.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.learning import Threshold
from bam_engine.workspace.core import Workspace

_NOT_STORED = {"n_unlabelled"}
_OPTIONAL = {field.name for field in fields(Threshold) if field.default is None}


@dataclass(frozen=True)
class Estimate:
    """A number with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Measurement:
    """What the held-out labels say of a model.

    ``average_precision`` rests on ``n`` of them; both are None if nothing could be measured. ``threshold`` is the
    suggested one. ``problem`` says why either is None. ``flipped`` images are on the other side than by the model
    before, None for the first.
    """

    n: int | None
    average_precision: Estimate | None
    threshold: Threshold | None
    problem: str
    flipped: int | None

    @property
    def average_precision_interval(self) -> tuple[float, float, float] | None:
        """The average precision as (value, low, high)."""
        found = self.average_precision
        return None if found is None else (found.value, found.low, found.high)

    @property
    def precision_interval(self) -> tuple[float, float, float] | None:
        """The precision at the threshold as (value, low, high)."""
        found = self.threshold
        return None if found is None else found.precision_interval

    @property
    def recall_interval(self) -> tuple[float, float, float] | None:
        """The recall at the threshold as (value, low, high)."""
        found = self.threshold
        return None if found is None else found.recall_interval


def evidence_values(threshold: Threshold) -> dict[str, Any]:
    """Return the fields of a threshold as the columns of ``thresholds`` and ``measured_thresholds`` hold them."""
    return {name: _nan_to_null(value) for name, value in asdict(threshold).items() if name not in _NOT_STORED}


def evidence_of(row: sa.RowMapping | Mapping[str, Any], *, prefix: str = "") -> Threshold:
    """Return the threshold of a row with the columns of :func:`evidence_values`, each named with ``prefix``."""
    values = {each.name: row[prefix + each.name] for each in fields(Threshold) if each.name not in _NOT_STORED}
    return Threshold(**{name: each if name in _OPTIONAL else _null_to_nan(each) for name, each in values.items()})


def columns() -> list[sa.Label[Any]]:
    """Return the columns of a measurement and of its threshold, under names that no other table has."""
    measured = [column.label(f"measurement_{column.name}") for column in db.measurements.c]
    return measured + [column.label(f"measured_threshold_{column.name}") for column in db.measured_thresholds.c]


def with_newest(models: sa.FromClause) -> sa.FromClause:
    """Return ``models`` joined with the newest measurement of each, where there is one."""
    earlier = db.measurements.alias("each_measurement")
    newest = sa.select(sa.func.max(earlier.c.id)).where(earlier.c.model_id == models.c.id).scalar_subquery()
    measured, threshold = db.measurements, db.measured_thresholds
    return models.outerjoin(measured, measured.c.id == newest).outerjoin(
        threshold, threshold.c.measurement_id == measured.c.id
    )


def measurement_of(row: sa.RowMapping | Mapping[str, Any]) -> Measurement | None:
    """Return the measurement in a row with :func:`columns`, or None."""
    if row["measurement_id"] is None:
        return None
    average = None
    if row["measurement_n"] is not None:
        names = ("average_precision", "average_precision_low", "average_precision_high")
        average = Estimate(*(_null_to_nan(row[f"measurement_{name}"]) for name in names))
    threshold = None
    if row["measured_threshold_measurement_id"] is not None:
        threshold = evidence_of(row, prefix="measured_threshold_")
    return Measurement(row["measurement_n"], average, threshold, row["measurement_problem"], row["measurement_flipped"])


def same(one: Measurement | None, other: Measurement | None) -> bool:
    """Return whether two measurements would be stored alike; nan equals nan."""
    return (one and _stored(one)) == (other and _stored(other))


def store_measurement(workspace: Workspace, model_id: int, measurement: Measurement) -> None:
    """Add a measurement of a model."""
    values, threshold = _stored(measurement)
    with workspace.engine.begin() as connection:
        line = {"model_id": model_id, **values, "made_at": db.now()}
        measurement_id = db.insert_row(connection, db.measurements, line)
        if threshold is not None:
            evidence = {"measurement_id": measurement_id, **threshold}
            connection.execute(sa.insert(db.measured_thresholds).values(evidence))


def _stored(measurement: Measurement) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return what ``measurements`` and ``measured_thresholds`` hold of a measurement."""
    average, threshold = measurement.average_precision, measurement.threshold
    values = {
        "n": measurement.n,
        "average_precision": None if average is None else _nan_to_null(average.value),
        "average_precision_low": None if average is None else _nan_to_null(average.low),
        "average_precision_high": None if average is None else _nan_to_null(average.high),
        "problem": measurement.problem,
        "flipped": measurement.flipped,
    }
    return values, None if threshold is None else evidence_values(threshold)


def _nan_to_null(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _null_to_nan(value: Any) -> Any:
    return math.nan if value is None else value
