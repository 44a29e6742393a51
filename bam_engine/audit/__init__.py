"""Audits: blind samples of accepted and rejected images, their labels, and estimates of precision.

The functions exported here work on arrays; :mod:`bam_engine.audit.audits` wires them to the stores.
"""

from bam_engine.audit.estimate import (
    BAM_MEAN_PRECISION,
    Estimate,
    estimate_missed,
    estimate_precision,
    mean_over_attributes,
    positives_to_certify,
    size_to_certify,
)
from bam_engine.audit.labels import AuditLabels, labels_by_any, labels_by_consensus
from bam_engine.audit.sample import AuditSample, draw_audit
from bam_engine.audit.verdict import Verdict, verdict

__all__ = [
    "BAM_MEAN_PRECISION",
    "AuditLabels",
    "AuditSample",
    "Estimate",
    "Verdict",
    "draw_audit",
    "estimate_missed",
    "estimate_precision",
    "labels_by_any",
    "labels_by_consensus",
    "mean_over_attributes",
    "positives_to_certify",
    "size_to_certify",
    "verdict",
]
