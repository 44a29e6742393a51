"""What the result is worth: audit samples, judgements, estimates. Arrays only."""

from bam_engine.audit.estimate import (
    BAM_MEAN_PRECISION,
    Estimate,
    estimate_missed,
    estimate_precision,
    mean_over_attributes,
    needed_to_certify,
    size_to_certify,
)
from bam_engine.audit.judging import Judgements, judged_by_any, judged_by_consensus
from bam_engine.audit.promise import Promise, promise
from bam_engine.audit.sample import AuditSample, draw_audit

__all__ = [
    "BAM_MEAN_PRECISION",
    "AuditSample",
    "Estimate",
    "Judgements",
    "Promise",
    "draw_audit",
    "estimate_missed",
    "estimate_precision",
    "judged_by_any",
    "judged_by_consensus",
    "mean_over_attributes",
    "needed_to_certify",
    "promise",
    "size_to_certify",
]
