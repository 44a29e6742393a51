"""A generated collection of any size: records, vectors and scored attributes, without pictures.

For benchmarks and tests over millions of images. Records are written straight into the tables that the catalogue reads,
the vectors are random, and an attribute's model is given, not trained.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.learning import Calibration, LinearModel, Threshold
from bam_engine.training import thresholds
from bam_engine.training.calibration import StoredCalibration, store_calibrations
from bam_engine.training.evaluation_set import evidence_version
from bam_engine.training.models import save_model
from bam_engine.workspace import Workspace

_BLOCK = 50_000
_COLUMNS = ("row", "uri", "project_id", "width", "height", "digest", "status", "made_at")


def collection(home: Path, n: int, dim: int = 16, *, projects: int = 1000, seed: int = 0) -> Workspace:
    """Return a workspace of ``n`` records with unit vectors, spread over ``projects``; shapes from 1:2 to 2:1."""
    workspace = Workspace(home / "workspace", home / "cache")
    rng = np.random.default_rng(seed)
    names = ", ".join(_COLUMNS)
    insert = f"INSERT INTO images ({names}) VALUES ({', '.join('?' * len(_COLUMNS))})"
    with workspace.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA cache_size=-262144")
        for block in _records(n, projects, rng):
            connection.exec_driver_sql(insert, block)
            connection.commit()  # in one transaction, the log would grow to the size of the database
    store = workspace.vectors()
    store.claim(spec=workspace.choice.spec, key=workspace.choice.key, dim=dim)
    with store.writing():
        for start in range(0, n, _BLOCK):
            vectors = rng.normal(size=(min(_BLOCK, n - start), dim)).astype(np.float32)
            store.append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    return workspace


def _records(n: int, projects: int, rng: np.random.Generator) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the records, in the order of the columns."""
    for start in range(0, n, _BLOCK):
        widths = rng.integers(120, 241, min(_BLOCK, n - start)).tolist()
        yield [
            (
                row,
                f"/generated/{row}.jpg",
                f"project {row % projects}",
                width,
                360 - width,
                f"{row:032x}".ljust(64, "0"),
                "ok",
                "2020",
            )
            for row, width in enumerate(widths, start)
        ]


def scored_attribute(
    workspace: Workspace, name: str, *, cut: float | None = 0.0, calibrated: bool = True, seed: int = 0
) -> Attribute:
    """Return a new attribute scored along a random direction, with a kept threshold unless ``cut`` is None."""
    attribute = workspace.attributes.add(name, "media", f"Is it {name}?")
    direction = np.random.default_rng(seed).normal(size=workspace.vectors().dim).astype(np.float32)
    with workspace.engine.begin() as connection:
        insert = sa.insert(db.rounds).values(
            attribute_id=attribute.id, number=1, strategy="random", encoder="", seed=0, made_at=db.now()
        )
        round_id = connection.execute(insert).inserted_primary_key[0]
    model = LinearModel(3 * direction, 0.0, 1.0, 10, 10, 0, 0.0)
    trained = save_model(workspace, attribute, round_id, model)
    fit = Calibration("platt", 400, 40, slope=1.2, intercept=-0.5, covariances=((0.01, 0.0, 0.02),))
    if calibrated:
        seen = json.dumps(evidence_version(workspace, attribute, trained))
        store_calibrations(workspace, [StoredCalibration(trained.id, fit, "", seen)])
    if cut is not None:
        thresholds.save(
            workspace, attribute, Threshold(cut, 0.93, 0.9, 0.96, 0.7, 0.6, 0.8, 0.9, 0.95, False, 0.9, 400, 40, 100)
        )
    return attribute
