"""Charts of every kind, with and without data, for the tests of what draws them."""

import numpy as np

from bam_engine.charts import Chart, Estimates, Names, Reference, Scale
from bam_engine.learning import precision_recall as measure
from bam_engine.learning import threshold_at
from bam_engine.training.charts import (
    LearningPoint,
    TruePoint,
    learning_curve,
    precision_recall,
    score_distribution,
)

LONG = "a name of sixty letters, which is the longest that there is.."
FOREIGN = "комикс ≥ −0.3 – <b>&"

ROWS = Chart(
    "Audited precision",
    "Three rows <b>& their mean</b>.",
    Names(("comic (media)", FOREIGN, LONG, "mean of 3"), ("97 / 100", "84 / 100", "3 / 4", "184 / 204"), "k / n", True),
    Scale("precision, with 95% intervals", (0.7, 1), "percent"),
    (
        Estimates(
            "agree", "accent", (0, 1, 2, 3), (0.97, 0.84, 0.75, 0.9), (0.91, 0.75, 0.7, 0.86), (1, 0.91, 1, 0.94)
        ),
        Estimates("any", "ink", (1, 3), (0.9, 0.93), (0.82, 0.9), (0.95, 0.96), symbol="hollow"),
        Reference("BAM", "second", 0.904, "values"),
    ),
    missing="No attribute is audited yet.",
    horizontal=True,
)
LEARNING = learning_curve(
    [
        LearningPoint(20, (0.5, 0.3, 0.7), (0.6, 0.4, 0.8)),
        LearningPoint(40, None, (0.7, 0.5, 0.9), (0.25, 0.1, 0.4)),
        LearningPoint(60, (0.8, 0.7, 0.9), (0.9, 0.8, 1.0), (0.65, 0.5, 0.75)),
    ],
    [TruePoint(20, 0.55), TruePoint(60, 0.82, 0.85, 0.6)],
)


def curves() -> dict[str, Chart]:
    """Return charts of one classifier whose scores were drawn at random."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=300)
    labels = (rng.random(300) < 1 / (1 + np.exp(-3 * scores))).astype(int)
    labelled = {"positive": scores[:40][labels[:40] == 1], "negative": scores[:40][labels[:40] == 0]}
    return {
        "precision and recall": precision_recall(
            measure(scores, labels), target=0.9, chosen=threshold_at(1.0, scores, labels)
        ),
        "scores": score_distribution(scores, labelled, threshold=0.3),
        "equal scores": score_distribution(np.zeros(3), {}, threshold=None),
    }


FULL = {"rows": ROWS, "learning": LEARNING, **curves()}
EMPTY = {
    "no rounds": learning_curve([]),
    "no scores": score_distribution(np.array([]), {}, threshold=0.3),
    "no rows": Chart("Audited precision", "Nothing.", Names(()), ROWS.values, ROWS.marks[2:], ROWS.missing, True),
}
ALL = FULL | EMPTY
