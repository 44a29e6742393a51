"""The images beside a threshold are those of the closest scores on each side."""

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.training.borderline import borderline, top_accepted
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.labelling.team import vote


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


def test_the_top_accepted_images_are_delivered_ones_with_the_highest_scores(
    played: Workspace, watercolor: Attribute
) -> None:
    scores, found = scores_of(played, watercolor), top_accepted(played, watercolor)
    accepted = np.flatnonzero(delivered_of(played, watercolor).accepted)
    assert scores[found].tolist() == sorted(scores[accepted], reverse=True)[:6]
    assert np.isin(found, accepted).all()
    vote(played, watercolor, "oracle", {int(found[0]): 0})
    assert int(found[0]) not in top_accepted(played, watercolor), "people have labelled it no"
    other = played.attributes.add("content_cat", "content", "Is there a cat?")
    assert len(top_accepted(played, other)) == 0
