"""What each target costs: each line is what would be suggested, delivered and certified at that target."""

from bam_engine.annotation import Attribute
from bam_engine.training import thresholds
from bam_engine.training.delivered import delivered_at
from bam_engine.training.trade_offs import TARGETS, trade_offs
from bam_engine.workspace import Workspace


def test_each_line_is_what_is_suggested_at_its_target(played: Workspace, watercolor: Attribute) -> None:
    lines = trade_offs(played, watercolor, targets=(0.6, *TARGETS))
    assert [line.target for line in lines] == [0.6, 0.9, 0.95, 0.99]
    for line in lines:
        assert line.threshold is not None
        assert line.threshold == thresholds.suggest(played, watercolor, target=line.target)
        assert line.accepted == delivered_at(played, watercolor, line.threshold.value).counts.accepted
        assert (line.standing == "certified") == line.threshold.certified
        assert line.needed != 0 or line.standing in ("certified", "all labelled by people")
        assert line.needed is None or line.needed <= line.by_classifier


def test_of_the_targets_a_stricter_one_accepts_no_more(played: Workspace, watercolor: Attribute) -> None:
    loose, strict = trade_offs(played, watercolor, targets=(0.6, 0.99))
    assert loose.accepted >= strict.accepted
