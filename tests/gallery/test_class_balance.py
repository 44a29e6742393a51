"""The class balance of a selection counts each of its images once for each attribute, as it is delivered."""

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.gallery.class_balance import class_balance
from bam_engine.training.delivered import delivered_of
from bam_engine.workspace import Workspace
from tests.labelling.team import vote


def test_each_image_is_accepted_rejected_or_undecided_as_it_is_delivered(
    played: Workspace, watercolor: Attribute
) -> None:
    played.attributes.add("content_cat", "content", "Is there a cat?")  # nothing is known of it
    rows = np.arange(0, 120, 3)
    vote(played, watercolor, "ada", {0: 1, 3: 0, 6: -1})
    (balance,) = class_balance(played, rows)
    outcomes = delivered_of(played, watercolor).outcomes[rows]
    assert balance.attribute == watercolor
    assert [balance.accepted, balance.rejected, balance.undecided] == [(outcomes == each).sum() for each in (1, 0, -1)]
    labels = delivered_of(played, watercolor).labels[rows]
    assert [balance.labelled_yes, balance.labelled_no] == [(labels == 1).sum(), (labels == 0).sum()]


def test_a_removed_image_is_in_no_class(played: Workspace, watercolor: Attribute) -> None:
    rows = [3, 5, 8]
    played.removals.remove([5], reason="a test")
    (balance,) = class_balance(played, rows)
    assert balance.accepted + balance.rejected + balance.undecided == 2


def test_nothing_is_said_of_an_attribute_that_decides_no_image_of_the_selection(
    workspace: Workspace, watercolor: Attribute
) -> None:
    vote(workspace, watercolor, "ada", {7: 1})
    assert class_balance(workspace, [1, 2]) == []
    assert [each.accepted for each in class_balance(workspace, [2, 7])] == [1]
