"""How good the scores are, with intervals that admit how few images were labelled."""

from bam_engine.annotation import Attribute
from bam_engine.training.evaluation import evaluate
from bam_engine.workspace import Workspace


def test_a_faultless_ranking_of_a_small_sample_is_not_called_certain(played: Workspace, watercolor: Attribute) -> None:
    found = evaluate(played, watercolor).average_precision
    assert found.low < found.value <= found.high
    assert found.value == 1.0  # these pictures are easily told apart
    assert found.low < 0.9
