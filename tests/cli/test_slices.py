"""``bam slices``: figures by saved view and by facet, as words and as JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.gallery import saved_views, selections
from bam_engine.gallery.query import Query
from bam_engine.reporting.slice_words import interval
from bam_engine.reporting.slices import slices_of
from bam_engine.training import thresholds
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run
from tests.training.certifying import trained

__all__ = ["home", "trained"]


def test_it_prints_the_figures_of_saved_views_and_of_facets(
    trained: Workspace, watercolor: Attribute, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = float(np.quantile(scores_of(trained, watercolor), 0.6))
    thresholds.save(trained, watercolor, thresholds.measure_at(trained, watercolor, cut, target=0.6))
    code, out, _ = run(capsys, "slices", "media_watercolor")
    assert code == 0
    assert "There are no saved views yet" in out
    for place in range(2):
        rows = np.arange(place, 120, 2)
        saved_views.save(trained, f"half {place}", Query(selection=selections.save(trained, rows)))
    saved_views.save(trained, "its own", Query(yes=("media_watercolor",)))
    found = slices_of(trained, watercolor)
    code, out, _ = run(capsys, "slices", "media_watercolor")
    assert code == 0
    for each in found.slices:
        assert f"{each.name}: " in out
        if each.figures is not None:
            assert f"precision {interval(each.figures.precision)} on {each.figures.labels} label" in out
    assert "It is chosen by what is accepted as watercolor (media)" in out
    assert found.summary in out
    assert found.caution in out
    code, out, _ = run(capsys, "slices", "media_watercolor", "--view", "half 1", "--json")
    document = json.loads(out)
    assert [each["name"] for each in document["slices"]] == ["half 1"]
    assert document["looks"] == found.looks, "choosing one to print does not lessen how many were looked at"
    assert document["all"]["images"] == 120
    code, out, _ = run(capsys, "slices", "media_watercolor", "--by", "format")
    assert code == 0
    assert "all images: " in out
    code, _, err = run(capsys, "slices", "media_watercolor", "--view", "another")
    assert code == 1
    assert "no saved view 'another'" in err
