"""Another number of required votes: what it would do is what it does."""

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.labelling.required_votes import effects, require
from bam_engine.workspace import Workspace
from tests.labelling.team import vote


def labelled(workspace: Workspace, attribute: Attribute) -> set[int]:
    agreed = tasks.labels(workspace, attribute)
    return set(agreed.rows[agreed.settled].tolist())


@pytest.mark.parametrize("wanted", [(1, 1), (2, 2), (1, 2), (3, 1)])
def test_what_is_shown_is_what_happens(team: Workspace, watercolor: Attribute, wanted: tuple[int, int]) -> None:
    vote(team, watercolor, "cleo", {2: 1, 5: 1, 6: 0}, purpose="round")
    before = labelled(team, watercolor)
    (found,) = effects(team, *wanted)
    assert labelled(team, watercolor) == before, "nothing has changed yet"
    require(team, *wanted)
    after = labelled(team, watercolor)
    assert (found.settled, found.opened, found.closed, found.then) == (
        len(before),
        len(before - after),
        len(after - before),
        len(after),
    )
    require(team, 2, 2)
    assert labelled(team, watercolor) == before, "and back"


def test_settled_images_open_and_close_again(team: Workspace, watercolor: Attribute) -> None:
    (raised,) = effects(team, 3, 3)
    assert (raised.settled, raised.opened, raised.closed) == (2, 2, 0)
    (lowered,) = effects(team, 1, 1)
    assert (lowered.opened, lowered.closed) == (0, 1), "image 5 was seen by one person"


def test_attributes_without_an_answer_are_left_out(workspace: Workspace, watercolor: Attribute) -> None:
    assert effects(workspace, 2, 2) == []
    vote(workspace, watercolor, "ada", {0: 1})
    assert [one.attribute for one in effects(workspace, 2, 2)] == [watercolor]
    assert np.array_equal([one.opened for one in effects(workspace, 2, 2)], [1])
