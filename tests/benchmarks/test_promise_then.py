"""The promise that certifications made first: the whole risk, no labelled positives, and a cut alone decides."""

import numpy as np

from bam_engine.demo.protocol import Protocol
from bam_engine.demo.rehearsal import rehearsal
from bam_engine.training import certification_store
from bam_engine.training.models import scores_of
from bam_engine.training.thresholds import current_threshold
from benchmarks import promise_then


def test_the_cut_alone_says_what_was_delivered_and_labelled_positives_counted_nothing() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(400, 8))
    truth = vectors[:, 0] > 0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    small = Protocol(sample=20, rounds=2, batch=20, planned=60, audit=0)
    with rehearsal(vectors.astype(np.float16)) as workspace:
        played = promise_then.play(workspace, truth, small)
        (attribute,) = workspace.attributes.all()
        (started,) = certification_store.certifications(workspace, attribute)
        found = current_threshold(workspace, attribute)
        assert found is not None
        accepted = scores_of(workspace, attribute) >= found.value
    assert started.risk_share == 1
    assert found.evidence.known_positives is None
    assert played.delivered.n == accepted.sum() > 0
    assert played.delivered.precision == truth[accepted].mean()
    assert played.delivered.recall == accepted[truth].mean()
    assert played.recall is None
