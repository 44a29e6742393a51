"""Queries of other libraries for our simulation: modAL 0.4.2.1 and scikit-activeml 1.0.0.

In:  what is known before a batch. Out: the rows that the library's own query selects from the same pool.

Both libraries get what ours has: standardised vectors and a balanced logistic regression with the C that ours starts
from, fitted on the same labels. The query is theirs, with the defaults of their functions: modAL's ``margin_sampling``
and, slower, its ranked batch (Cardoso et al., 2017); scikit-activeml's ``UncertaintySampling`` by margin, and BADGE
(Ash et al., 2020). With two classes, least confidence, margin and entropy rank alike. Both import with the pinned numpy
and scikit-learn; modAL's own pin of skorch is for its deep learners.
"""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.learning import FeatureScaling
from bam_engine.learning.query import Vectors
from bam_engine.learning.simulation import Query, SimulationState

_STRENGTH = 10.0
Features = npt.NDArray[np.float32]


def estimator() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=1000)


def features_of(vectors: Vectors, scaling: FeatureScaling) -> Features:
    return ((np.asarray(vectors, np.float32) - scaling.mean) / scaling.scale).astype(np.float32)


def modal(features: Features, *, ranked: bool = False) -> Query:
    """Return modAL's query: margin sampling, or its ranked batch."""

    def query(known: SimulationState, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        from modAL.batch import uncertainty_batch_sampling
        from modAL.models import ActiveLearner
        from modAL.uncertainty import margin_sampling

        learner = ActiveLearner(
            estimator=estimator(),
            query_strategy=uncertainty_batch_sampling if ranked else margin_sampling,
            X_training=features[known.labelled],
            y_training=known.answers.astype(int),
        )
        places = learner.query(features[known.pool], n_instances=min(count, len(known.pool)))[0]
        return known.pool[np.asarray(places)]

    return query


def activeml(features: Features, *, badge: bool = False) -> Query:
    """Return scikit-activeml's query: uncertainty sampling by margin, or BADGE."""

    def query(known: SimulationState, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        from skactiveml.classifier import SklearnClassifier
        from skactiveml.pool import Badge, UncertaintySampling
        from skactiveml.utils import MISSING_LABEL

        seed = int(rng.integers(2**31))
        chooser = Badge(random_state=seed) if badge else UncertaintySampling("margin_sampling", random_state=seed)
        rows = np.concatenate([known.labelled, known.pool])
        answers = np.full(len(rows), MISSING_LABEL)
        answers[: len(known.labelled)] = known.answers
        classifier = SklearnClassifier(estimator(), classes=[0, 1], random_state=seed)
        size = min(count, len(known.pool))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its scikit-learn's API, on every call
            places = chooser.query(X=features[rows], y=answers, clf=classifier, batch_size=size)
        return rows[np.asarray(places)]

    return query
