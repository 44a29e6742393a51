"""What is asked next and what was learned: sampling, query strategies, classifier, threshold. Arrays only."""

from bam_engine.learning.classifier import LinearModel, Moments, moments_of, score_all, train
from bam_engine.learning.evaluation import Curve, average_precision, count_accepted, precision_recall
from bam_engine.learning.intervals import (
    Interval,
    Shares,
    clopper_pearson,
    cluster_bootstrap,
    exact_bounds,
    lower_bound,
    shares,
    wilson,
)
from bam_engine.learning.query import (
    LIKE_EXAMPLES,
    MATCHES_TEXT,
    STRATEGIES,
    Batch,
    ask,
    margin,
    mixture,
    random,
    separation_point,
    similar,
    spread,
    top,
)
from bam_engine.learning.sampling import ValidationSample, draw_validation, training_pool
from bam_engine.learning.simulation import RoundOutcome, comparison, simulate
from bam_engine.learning.threshold import Threshold, choose_threshold, fixed_cuts, threshold_at

__all__ = [
    "LIKE_EXAMPLES",
    "MATCHES_TEXT",
    "STRATEGIES",
    "Batch",
    "Curve",
    "Interval",
    "LinearModel",
    "Moments",
    "RoundOutcome",
    "Shares",
    "Threshold",
    "ValidationSample",
    "ask",
    "average_precision",
    "choose_threshold",
    "clopper_pearson",
    "cluster_bootstrap",
    "comparison",
    "count_accepted",
    "draw_validation",
    "exact_bounds",
    "fixed_cuts",
    "lower_bound",
    "margin",
    "mixture",
    "moments_of",
    "precision_recall",
    "random",
    "score_all",
    "separation_point",
    "shares",
    "similar",
    "simulate",
    "spread",
    "threshold_at",
    "top",
    "train",
    "training_pool",
    "wilson",
]
