"""The images beside a threshold are those of the closest scores on each side."""

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.training.borderline import borderline
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace


def test_the_closest_scores_on_each_side_come_first(played: Workspace, watercolor: Attribute) -> None:
    scores = scores_of(played, watercolor)
    value = float(np.median(scores))
    above, below = borderline(played, watercolor, value, count=5)
    higher, lower = sorted(scores[scores >= np.float32(value)]), sorted(scores[scores < np.float32(value)])
    assert scores[above].tolist() == higher[:5]
    assert scores[below].tolist() == lower[::-1][:5]


def test_at_an_end_of_the_scores_one_side_is_short_and_without_a_model_both_are(
    played: Workspace, watercolor: Attribute
) -> None:
    scores = scores_of(played, watercolor)
    above, below = borderline(played, watercolor, float(scores.max()))
    assert (scores[above].tolist(), len(below)) == ([scores.max()], 12)
    other = played.attributes.add("content_cat", "content", "Is there a cat?")
    assert [len(side) for side in borderline(played, other, 0.0)] == [0, 0]
