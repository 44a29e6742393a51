"""Labels that the classifier contradicts: wrong ones first, and never those that judge."""

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.training import rounds
from bam_engine.training.contradictions import contradictions, strongest_contradictions
from bam_engine.training.querying import training_labels
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def test_a_wrong_label_comes_first_and_no_label_that_judges_is_listed(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    assert len(contradictions(workspace, watercolor).rows) == 0
    oracle.play(workspace, watercolor, count=3)
    turn = rounds.start_round(workspace, watercolor, count=6, strategy="top", seed=9)
    wrong = int(turn.task.rows[0])
    uri = workspace.catalogue.image(wrong).uri
    oracle.truth[uri] = not oracle.truth[uri]
    oracle.answer(workspace, turn.task)
    rounds.train(workspace, watercolor)
    found = contradictions(workspace, watercolor)
    assert found.rows[np.argmax(found.distances)] == wrong
    assert found.rows.tolist() == training_labels(workspace, watercolor)[0].tolist()
    assert not np.isin(found.rows, held_out_rows(workspace, watercolor)).any()
    listed = list_images(workspace, Query(attribute=watercolor.name, sort="contradicted")).rows
    expected = found.rows[np.argsort(-found.distances, kind="stable")]
    assert listed[: len(expected)].tolist() == expected.tolist()
    assert sorted(listed.tolist()) == list(range(120))
    strongest = strongest_contradictions(workspace, watercolor, 3)
    assert 0 < len(strongest) <= 3
    assert strongest.tolist() == expected[: len(strongest)].tolist()
    every = strongest_contradictions(workspace, watercolor, 1000)
    assert sorted(every.tolist()) == found.rows[found.distances > 0].tolist(), "the others are not contradicted"


def test_images_without_such_a_label_have_no_distance(played: Workspace, watercolor: Attribute) -> None:
    found = contradictions(played, watercolor)
    every = found.distance(np.arange(120))
    assert np.flatnonzero(np.isfinite(every)).tolist() == found.rows.tolist()
