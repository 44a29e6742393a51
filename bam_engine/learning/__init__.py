"""What is asked next and what was learned: sampling, query strategies, classifier, threshold. Arrays only."""

from bam_engine.learning.alike import most_alike
from bam_engine.learning.batch import Batch
from bam_engine.learning.calibration import (
    Calibration,
    calibrate,
    calibration_from,
    probability,
    probability_limits,
)
from bam_engine.learning.candidates import NEIGHBOURS, Neighbours, choose_candidates, merged, nearest, seeds_of
from bam_engine.learning.certification import Plan, Progress, walk
from bam_engine.learning.classifier import LinearModel, Moments, moments_of, score_all, score_many, train
from bam_engine.learning.evaluation import Curve, average_precision, count_accepted, precision_recall
from bam_engine.learning.intervals import (
    Interval,
    Shares,
    clopper_pearson,
    cluster_bootstrap,
    exact_bounds,
    labels_to_certify,
    lower_bound,
    shares,
    wilson,
)
from bam_engine.learning.near import MOST_PAIRS, TABLES, NearPairs, distinct, grouped
from bam_engine.learning.pilot import PILOT, pilot_probabilities, pilot_ranks, plan_cuts
from bam_engine.learning.query import (
    LIKE_EXAMPLES,
    MATCHES_TEXT,
    STRATEGIES,
    ask,
    diverse,
    margin,
    mixture,
    random,
    separation_point,
    similar,
    spread,
    top,
)
from bam_engine.learning.recall import RecallThreshold, certify_recall
from bam_engine.learning.sampling import (
    ValidationSample,
    band_probabilities,
    draw_validation,
    spread_over_projects,
    training_pool,
)
from bam_engine.learning.sequential import allowed_faults
from bam_engine.learning.simulation import RoundOutcome, comparison, simulate
from bam_engine.learning.stopping import Advice, Change, advise, change
from bam_engine.learning.threshold import (
    Threshold,
    choose_threshold,
    fixed_cuts,
    threshold_at,
)

__all__ = [
    "LIKE_EXAMPLES",
    "MATCHES_TEXT",
    "MOST_PAIRS",
    "NEIGHBOURS",
    "PILOT",
    "STRATEGIES",
    "TABLES",
    "Advice",
    "Batch",
    "Calibration",
    "Change",
    "Curve",
    "Interval",
    "LinearModel",
    "Moments",
    "NearPairs",
    "Neighbours",
    "Plan",
    "Progress",
    "RecallThreshold",
    "RoundOutcome",
    "Shares",
    "Threshold",
    "ValidationSample",
    "advise",
    "allowed_faults",
    "ask",
    "average_precision",
    "band_probabilities",
    "calibrate",
    "calibration_from",
    "certify_recall",
    "change",
    "choose_candidates",
    "choose_threshold",
    "clopper_pearson",
    "cluster_bootstrap",
    "comparison",
    "count_accepted",
    "distinct",
    "diverse",
    "draw_validation",
    "exact_bounds",
    "fixed_cuts",
    "grouped",
    "labels_to_certify",
    "lower_bound",
    "margin",
    "merged",
    "mixture",
    "moments_of",
    "most_alike",
    "nearest",
    "pilot_probabilities",
    "pilot_ranks",
    "plan_cuts",
    "precision_recall",
    "probability",
    "probability_limits",
    "random",
    "score_all",
    "score_many",
    "seeds_of",
    "separation_point",
    "shares",
    "similar",
    "simulate",
    "spread",
    "spread_over_projects",
    "threshold_at",
    "top",
    "train",
    "training_pool",
    "walk",
    "wilson",
]
