"""Active learning and statistics on arrays: query strategies, the classifier, samples, intervals and guarantees.

Nothing here opens a store. :mod:`bam_engine.training` wires these functions to the workspace; modules of the same name
there (calibration, certification, evaluation, stopping) store what the ones here compute.
"""

from bam_engine.learning.acceptance import count_accepted, is_accepted, is_rejected
from bam_engine.learning.answer_errors import AnsweredImages, ErrorCorrection, correct_for_errors
from bam_engine.learning.batch import Batch
from bam_engine.learning.calibration import (
    Calibration,
    calibrate,
    probability,
    probability_limits,
)
from bam_engine.learning.candidates import choose_candidates, choose_seeds
from bam_engine.learning.certification import CertificationPlan, CertificationProgress, certify_precision, risk_share
from bam_engine.learning.classifier import (
    FeatureScaling,
    LinearModel,
    decision_threshold,
    feature_scaling,
    out_of_fold_scores,
    score_all,
    score_many,
    train,
)
from bam_engine.learning.comparison import Difference, compare_models
from bam_engine.learning.diagnosis import (
    MIN_IN_GROUP,
    NEAREST,
    Share,
    beats_guessing,
    guessing_precision,
    near_identical,
    positive_agreement,
    scores_by_groups,
    scores_by_neighbours,
)
from bam_engine.learning.evaluation import (
    Curve,
    average_precision,
    average_precision_limits,
    delivered_precision,
    precision_recall,
)
from bam_engine.learning.fixed_sequence import best_cut, certified_cuts, choose_threshold, fixed_cuts, is_certified
from bam_engine.learning.intervals import (
    Interval,
    Proportions,
    clopper_pearson,
    cluster_bootstrap,
    exact_bounds,
    labels_to_certify,
    lower_bound,
    population_bounds,
    proportions,
    upper_bound_at_any_time,
    wilson,
)
from bam_engine.learning.linked_rows import linked_rows
from bam_engine.learning.near_duplicates import MAX_PAIRS, TABLES, NearDuplicateSearch, representatives, unique_pairs
from bam_engine.learning.neighbours import (
    NEIGHBOURS,
    Neighbours,
    merge_neighbours,
    most_similar,
    nearest_neighbours,
)
from bam_engine.learning.pilot import PILOT_SIZE, pilot_inclusion_probabilities, pilot_ranks, plan_cuts
from bam_engine.learning.query import (
    LIKE_EXAMPLES,
    MATCHES_TEXT,
    STRATEGIES,
    diverse,
    margin,
    mixture,
    random,
    select_batch,
    similar,
    spread,
    top,
)
from bam_engine.learning.recall import RecallThreshold, certify_recall
from bam_engine.learning.recall_interval import RandomSample, recall_from, recall_of
from bam_engine.learning.recall_sample import draw_below, positives_below, split_below
from bam_engine.learning.sampling import (
    ValidationSample,
    draw_validation,
    inclusion_probabilities,
    spread_over_projects,
    training_pool,
)
from bam_engine.learning.sequential import allowed_defects
from bam_engine.learning.simulation import RoundOutcome, comparison_table, simulate
from bam_engine.learning.stopping import Advice, Change, advise, measure_change
from bam_engine.learning.threshold import Threshold, of_delivered, threshold_at

__all__ = [
    "LIKE_EXAMPLES",
    "MATCHES_TEXT",
    "MAX_PAIRS",
    "MIN_IN_GROUP",
    "NEAREST",
    "NEIGHBOURS",
    "PILOT_SIZE",
    "STRATEGIES",
    "TABLES",
    "Advice",
    "AnsweredImages",
    "Batch",
    "Calibration",
    "CertificationPlan",
    "CertificationProgress",
    "Change",
    "Curve",
    "Difference",
    "ErrorCorrection",
    "FeatureScaling",
    "Interval",
    "LinearModel",
    "NearDuplicateSearch",
    "Neighbours",
    "Proportions",
    "RandomSample",
    "RecallThreshold",
    "RoundOutcome",
    "Share",
    "Threshold",
    "ValidationSample",
    "advise",
    "allowed_defects",
    "average_precision",
    "average_precision_limits",
    "beats_guessing",
    "best_cut",
    "calibrate",
    "certified_cuts",
    "certify_precision",
    "certify_recall",
    "choose_candidates",
    "choose_seeds",
    "choose_threshold",
    "clopper_pearson",
    "cluster_bootstrap",
    "compare_models",
    "comparison_table",
    "correct_for_errors",
    "count_accepted",
    "decision_threshold",
    "delivered_precision",
    "diverse",
    "draw_below",
    "draw_validation",
    "exact_bounds",
    "feature_scaling",
    "fixed_cuts",
    "guessing_precision",
    "inclusion_probabilities",
    "is_accepted",
    "is_certified",
    "is_rejected",
    "labels_to_certify",
    "linked_rows",
    "lower_bound",
    "margin",
    "measure_change",
    "merge_neighbours",
    "mixture",
    "most_similar",
    "near_identical",
    "nearest_neighbours",
    "of_delivered",
    "out_of_fold_scores",
    "pilot_inclusion_probabilities",
    "pilot_ranks",
    "plan_cuts",
    "population_bounds",
    "positive_agreement",
    "positives_below",
    "precision_recall",
    "probability",
    "probability_limits",
    "proportions",
    "random",
    "recall_from",
    "recall_of",
    "representatives",
    "risk_share",
    "score_all",
    "score_many",
    "scores_by_groups",
    "scores_by_neighbours",
    "select_batch",
    "similar",
    "simulate",
    "split_below",
    "spread",
    "spread_over_projects",
    "threshold_at",
    "top",
    "train",
    "training_pool",
    "unique_pairs",
    "upper_bound_at_any_time",
    "wilson",
]
