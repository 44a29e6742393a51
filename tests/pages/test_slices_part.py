"""The part of the Report by slice: saved views and facets, what differs, and what has no figures."""

from collections.abc import Callable

import numpy as np
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.gallery import saved_views, selections
from bam_engine.gallery.query import Query
from bam_engine.reporting.slice_words import table_of
from bam_engine.reporting.slices import by_facet, slices_of
from bam_engine.training import thresholds
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.training.certifying import trained

__all__ = ["trained"]


def words(app: AppTest) -> str:
    return " ".join(one.value for one in [*app.markdown, *app.caption]).replace("\\", "")


def tables(app: AppTest) -> str:
    return " ".join(one.proto.body for one in app.get("html"))


def test_a_report_shows_the_figures_of_each_slice(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute
) -> None:
    assert "By slice" in [one.value for one in open_page(trained, "report").subheader]
    cut = float(np.quantile(scores_of(trained, watercolor), 0.6))
    thresholds.save(trained, watercolor, thresholds.measure_at(trained, watercolor, cut, target=0.6))
    app = open_page(trained, "report")
    assert "No view is saved yet" in words(app)
    for place in range(2):
        rows = np.arange(place, 120, 2)
        saved_views.save(trained, f"half {place}", Query(selection=selections.save(trained, rows)))
    saved_views.save(trained, "its own", Query(yes=("media_watercolor",)))
    app = open_page(trained, "report")
    assert not app.exception
    found = slices_of(trained, watercolor)
    shown = words(app)
    assert found.summary in shown
    assert found.caution in shown
    assert "It is chosen by what is accepted as watercolor (media)" in shown
    for line in table_of(found):
        assert all(cell in tables(app) for cell in line)
    app = app.selectbox(key="report-slices").set_value("project").run()
    assert not app.exception
    for name in by_facet(trained, "project"):
        assert name in tables(app)


def test_a_facet_without_values_says_so(
    open_page: Callable[..., AppTest], trained: Workspace, watercolor: Attribute
) -> None:
    app = open_page(trained, "report")
    app = app.selectbox(key="report-slices").set_value("tag").run()
    assert not app.exception
    assert "No image has a tag" in words(app)
