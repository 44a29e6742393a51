"""The slices of an attribute: what saved views and facets show of it, and which of them show nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.api.slice_table import WHOLE, slice_table
from bam_engine.errors import BamError, NoThreshold
from bam_engine.formatting import count
from bam_engine.gallery import saved_views, selections
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.labelling.drawn_images import validation_images
from bam_engine.reporting.charts import slice_chart
from bam_engine.reporting.slice_words import HEAD, table_of
from bam_engine.reporting.slices import Slice, by_facet, chosen_by, slices_of
from bam_engine.training import thresholds
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.training.certifying import trained
from tests.training.test_promises import grow

__all__ = ["trained"]

NAME = "media_watercolor"


@pytest.fixture
def chosen(trained: Workspace, watercolor: Attribute) -> Workspace:
    """A threshold is in use."""
    cut = float(np.quantile(scores_of(trained, watercolor), 0.6))
    thresholds.save(trained, watercolor, thresholds.measure_at(trained, watercolor, cut, target=0.6))
    return trained


@pytest.fixture
def measured(chosen: Workspace, watercolor: Attribute) -> Callable[..., Slice]:
    """Give a function that measures one query."""

    def measure(query: Query) -> Slice:
        (one,) = slices_of(chosen, watercolor, {"one": query}).slices
        return one

    return measure


def test_without_a_threshold_nothing_is_accepted_and_there_is_no_precision(
    workspace: Workspace, watercolor: Attribute
) -> None:
    with pytest.raises(NoThreshold, match="choose a threshold first"):
        slices_of(workspace, watercolor)


def test_every_saved_view_is_a_slice_with_the_images_that_the_gallery_shows(
    chosen: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    rows = np.arange(0, 120, 2)
    views = {
        "half": Query(selection=selections.save(chosen, rows)),
        "some": Query(attribute=NAME, words="watercolor", sort="newest", folded=True),
    }
    for name, query in views.items():
        saved_views.save(chosen, name, query)
    found = {each.name: each for each in slices_of(chosen, watercolor).slices}
    assert set(found) == set(views)
    for name, query in views.items():
        figures = found[name].figures
        assert figures is not None
        shown = list_images(chosen, replace(query, folded=False))
        accepted = list_images(chosen, replace(query, folded=False, yes=(NAME,)))
        assert (figures.images, figures.accepted) == (shown.matched, accepted.matched)
    half = found["half"].figures
    assert half is not None
    drawn = validation_images(chosen, watercolor).rows
    inside = drawn[np.isin(drawn, rows)]
    positive = [oracle.knows(chosen, int(row)) for row in inside]
    assert half.random_labels == len(inside)
    assert half.prevalence[0] == pytest.approx(np.mean(positive))


def test_the_whole_has_the_figures_of_the_threshold_and_so_has_a_view_of_everything(
    chosen: Workspace, watercolor: Attribute
) -> None:
    found = slices_of(chosen, watercolor, {"everything": Query()})
    threshold = thresholds.current_threshold(chosen, watercolor)
    assert threshold is not None
    assert found.whole.precision == threshold.evidence.precision_interval
    assert found.whole.recall == threshold.evidence.recall_interval
    (everything,) = found.slices
    assert everything.figures == found.whole
    assert everything.apart is None, "there are no other images to compare it with"


@pytest.mark.parametrize(
    ("query", "by"),
    [
        (Query(yes=(NAME,)), "what is accepted as"),
        (Query(no=(NAME,)), "what is rejected as"),
        (Query(attribute=NAME, place="near"), "the threshold of"),
        (Query(attribute=NAME, score_from=0.5), "scores of"),
        (Query(attribute=NAME, label=("positive",)), "answers of"),
    ],
)
def test_a_view_of_the_scores_or_answers_of_the_attribute_itself_has_no_figures(
    measured: Callable[..., Slice], query: Query, by: str
) -> None:
    one = measured(query)
    assert one.figures is None
    assert f"chosen by {by} watercolor (media)" in one.problem
    assert chosen_by(query, "content_cat") == "", "of another attribute it may"


def test_a_view_that_was_picked_from_the_sample_has_no_figures(
    chosen: Workspace, watercolor: Attribute, measured: Callable[..., Slice]
) -> None:
    drawn = validation_images(chosen, watercolor).rows
    one = measured(Query(selection=selections.save(chosen, drawn[:12])))
    assert one.figures is None
    assert "holds 12 of the 20 images of a sample" in one.problem
    other = measured(Query(selection=selections.save(chosen, np.arange(60))))
    assert other.figures is not None
    assert "Chosen by hand" in other.notes[0]
    assert other.apart is None


def test_a_view_that_cannot_be_listed_says_why_and_leaves_the_others(chosen: Workspace, watercolor: Attribute) -> None:
    found = slices_of(chosen, watercolor, {"lost": Query(selection="nothing"), "words": Query(words="watercolor")})
    assert [each.name for each in found.slices] == ["words", "lost"], "those without figures are last"
    assert "selection" in found.slices[1].problem
    assert table_of(found)[2] == ["lost", *["–"] * (len(HEAD) - 1)]


def test_the_values_of_a_facet_are_slices_that_part_the_collection(chosen: Workspace, watercolor: Attribute) -> None:
    queries = by_facet(chosen, "project")
    found = slices_of(chosen, watercolor, queries)
    assert {each.name for each in found.slices} == set(queries)
    with pytest.raises(BamError, match="no facet 'mood'"):
        by_facet(chosen, "mood")
    table = slice_table(chosen, watercolor, "project")
    assert table.index[0] == WHOLE
    assert len(table) == 1 + len(queries)


def test_the_least_precise_slice_is_first_and_the_number_of_looks_is_stated(
    chosen: Workspace, watercolor: Attribute
) -> None:
    found = slices_of(chosen, watercolor, {**by_facet(chosen, "colour"), **by_facet(chosen, "project")})
    values = [each.figures.precision[0] for each in found.slices if each.figures is not None]
    known = [value for value in values if not np.isnan(value)]
    assert known == sorted(known)
    assert found.looks == sum(each.p is not None for each in found.slices)
    assert count(found.looks, "slice") in found.caution
    for each in found.slices:
        if each.p is not None:
            assert each.corrected is not None
            assert each.p <= each.corrected <= 1
    chart = slice_chart(found)
    assert chart.description.startswith("Precision of all images")


def test_accepted_images_that_came_after_the_sample_are_counted_and_said_not_to_be_covered(
    chosen: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    grow(chosen, tmp_path / "later")
    selection = selections.save(chosen, np.arange(1, len(chosen.catalogue)))
    (one,) = slices_of(chosen, watercolor, {"one": Query(selection=selection)}).slices
    later = delivered_of(chosen, watercolor).accepted[120:]
    assert later.any()
    assert one.figures is not None
    assert one.figures.not_covered == later.sum()
    assert any(f"Not about {later.sum():,} accepted image" in note for note in one.notes)


def test_too_few_labels_are_said_with_how_many_more_would_do(measured: Callable[..., Slice], chosen: Workspace) -> None:
    one = measured(Query(selection=selections.save(chosen, np.arange(1, 120, 2))))
    assert one.figures is not None
    assert f"about {one.figures.more:,} more accepted image" in one.too_few
    assert "within ±5 points" in one.too_few
    assert one.figures.more <= one.figures.accepted - one.figures.by_people
