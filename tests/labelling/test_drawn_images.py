"""Which images are held out, and since when."""

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.labelling.drawn_images import held_out_rows, whole_audit_sample, whole_validation_sample
from bam_engine.training import thresholds, validation
from bam_engine.workspace import Workspace


def test_what_was_held_out_since_a_moment_are_later_draws_and_audits(played: Workspace, watercolor: Attribute) -> None:
    before = held_out_rows(played, watercolor)
    since = max(whole_validation_sample(played, watercolor).made_at.tolist())
    assert len(before) > 0
    assert len(held_out_rows(played, watercolor, since=since)) == 0
    validation.draw_validation(played, watercolor, 5, seed=2)
    thresholds.save(played, watercolor, thresholds.measure_at(played, watercolor, 0.0, target=0.6))
    drawn = audits.draw(played, watercolor, n_accepted=2, n_rejected=3, seed=1)
    later = held_out_rows(played, watercolor, since=since)
    assert len(later) == 10
    assert np.isin(whole_audit_sample(played, drawn.id).rows, later).all()
    assert set(held_out_rows(played, watercolor)) == set(before) | set(later)
