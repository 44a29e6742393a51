"""The workspace's database: its schema, how it is opened and migrated, and what every store needs to write to it.

In:  a SQLAlchemy URL. Out: an engine whose tables are those of ``schema``. Each package reads and writes its own
tables; small ones are read through ``snapshots``. Labels cannot be recomputed, so every commit is flushed to disk.
"""

from bam_engine.database.documents import from_document, to_document
from bam_engine.database.key_values import read_setting, write_setting
from bam_engine.database.opening import open_database, read_only
from bam_engine.database.schema import (
    SCHEMA_VERSION,
    annotations,
    annotators,
    assignment_images,
    assignments,
    attributes,
    audit_images,
    audits,
    calibrations,
    captions,
    certification_cuts,
    certification_images,
    certifications,
    images,
    measured_thresholds,
    measurements,
    merged_annotators,
    metadata,
    models,
    problems,
    revisions,
    round_images,
    rounds,
    saved_views,
    settings,
    thresholds,
    validation_draws,
    validation_images,
)
from bam_engine.database.snapshots import Snapshot, reading, snapshot_of
from bam_engine.database.writing import insert_new, lock, now

__all__ = [
    "SCHEMA_VERSION",
    "Snapshot",
    "annotations",
    "annotators",
    "assignment_images",
    "assignments",
    "attributes",
    "audit_images",
    "audits",
    "calibrations",
    "captions",
    "certification_cuts",
    "certification_images",
    "certifications",
    "from_document",
    "images",
    "insert_new",
    "lock",
    "measured_thresholds",
    "measurements",
    "merged_annotators",
    "metadata",
    "models",
    "now",
    "open_database",
    "problems",
    "read_only",
    "read_setting",
    "reading",
    "revisions",
    "round_images",
    "rounds",
    "saved_views",
    "settings",
    "snapshot_of",
    "thresholds",
    "to_document",
    "validation_draws",
    "validation_images",
    "write_setting",
]
