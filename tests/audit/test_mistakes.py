"""What an audit found wrong is known once it is complete, by blind answers."""

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.audit.mistakes import mistakes
from bam_engine.labelling import direct_answers
from bam_engine.labelling.drawn_images import audit_images
from bam_engine.training import thresholds
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def test_wrong_are_the_accepted_that_are_not_positive_and_missed_the_rejected_that_are(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    audit = audits.draw(played, watercolor, n_accepted=4, n_rejected=6, seed=1)
    assert not len(mistakes(played, audit).wrong), "nobody who judges learns what is accepted"
    oracle.answer(played, audit.task, wrong=True)
    result = audits.latest_result(played, watercolor)
    assert result is not None
    sample = audit_images(played, audit.id)
    said = np.array([not oracle.knows(played, int(row)) for row in sample.rows])
    wrong, missed = np.sort(sample.rows[sample.accepted & ~said]), np.sort(sample.rows[~sample.accepted & said])
    assert len(missed)
    for row in missed.tolist():
        direct_answers.answer(played, watercolor, row, 0, annotator="eve")
    found = mistakes(played, result)
    assert (found.wrong.tolist(), found.missed.tolist()) == (wrong.tolist(), missed.tolist())
