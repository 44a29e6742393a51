"""``bam recall``: what it would cost, the sample, and what it has shown."""

from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.formatting import percent_interval
from bam_engine.training import recall, thresholds
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run
from tests.conftest import Oracle
from tests.training.certifying import trained

__all__ = ["home", "trained"]


def test_it_tells_the_cost_draws_stops_goes_on_and_prints_the_recall(
    trained: Workspace, watercolor: Attribute, oracle: Oracle, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "recall", "media_watercolor")
    assert code == 1
    assert "no saved threshold" in err
    cut = float(np.quantile(scores_of(trained, watercolor), 0.8))
    thresholds.save(trained, watercolor, thresholds.measure_at(trained, watercolor, cut, target=0.6))
    code, out, _ = run(capsys, "recall", "media_watercolor", "--count", 15)
    assert code == 0
    assert "15 answers" in out
    assert recall.current(trained, watercolor) is None
    run(capsys, "recall", "media_watercolor", "--draw", "--count", 15)
    state = recall.current(trained, watercolor)
    assert state is not None
    assert state.task.total == 15
    code, out, _ = run(capsys, "recall", "media_watercolor", "--stop")
    assert "Stopped after 0 of 15 images" in out
    code, out, _ = run(capsys, "recall", "media_watercolor", "--more", 15)
    assert "next: label 15 images" in out
    oracle.answer(trained, state.sample.task)
    code, out, _ = run(capsys, "recall", "media_watercolor")
    found = thresholds.current_threshold(trained, watercolor)
    assert found is not None
    assert f"recall {percent_interval(*found.evidence.recall_interval)}" in out
    assert "Measured on 15 images" in out
