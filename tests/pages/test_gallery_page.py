"""The gallery page: what its widgets ask is what is listed, and every count on it is what a click would leave."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.formatting import percent_interval
from bam_engine.gallery import facets, near_duplicates, problems, saved_views, search
from bam_engine.gallery.image_facets import FACETS
from bam_engine.gallery.listing import Listing, list_images
from bam_engine.gallery.query import Query, from_url
from bam_engine.labelling import bulk, tasks
from bam_engine.training import thresholds
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import vectors_of
from benchmarks.generated import scored_attribute
from tests.conftest import Oracle
from tests.pages.conftest import run_until, text_of
from web.engine import workspace as opened_workspace

OpenPage = Callable[..., AppTest]
NAMES = ("watercolor", "cat", "people")


@dataclass
class Screen:
    """What the page gives the gallery to draw, and what the browser would say back."""

    listing: Listing | None = None
    line: str = ""
    chosen: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    opened: int | None = None

    @property
    def rows(self) -> list[int]:
        assert self.listing is not None
        return self.listing.rows.tolist()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Stands in for the browser's part of the page."""
    seen = Screen()

    def gallery(listing: Listing, *, line_text: str = "", **_: Any) -> tuple[int | None, np.ndarray]:
        seen.listing, seen.line = listing, line_text
        return seen.opened, seen.chosen

    monkeypatch.setattr("web.components.gallery.endless_gallery", gallery)
    return seen


@dataclass
class Groups:
    """Whether the groups of filters are open, which only a browser can open."""

    are_open: bool = True

    def expander(self, label: str, **_: Any) -> Any:
        part = st.container()
        part.open = self.are_open
        return part


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> Groups:
    """The groups of filters, all open."""
    found = Groups()
    monkeypatch.setattr("streamlit.expander", found.expander)
    return found


@pytest.fixture
def scored(workspace: Workspace) -> Workspace:
    """The small pictures with three scored attributes, all with a kept threshold."""
    for seed, name in enumerate(NAMES):
        scored_attribute(workspace, name, cut=0.1 * seed, seed=seed)
    return workspace


def button(app: AppTest, label: str) -> Any:
    return next(one for one in app.button if one.label == label)


def counts(app: AppTest, key: str) -> dict[str, int]:
    """The values of a filter, with the number that stands on each."""
    counts = {}
    for option in app.button_group:
        if option.key == key:
            for words in option.options:
                name, _, number = words.replace("\\", "").rstrip("*").rpartition(" *")
                counts[name] = int(number.replace(",", ""))
    return counts


def chips(app: AppTest) -> dict[str, Any]:
    """The chips of the filters that are set, by their words."""
    return {one.label.replace("\\", ""): one for one in app.button if str(one.key).startswith("gallery-chip-")}


def asked(app: AppTest) -> Query:
    """The query in the page's URL."""
    return from_url(dict(app.query_params))


def test_the_first_look_is_a_fair_sample_of_the_accepted_with_its_precision(
    open_page: OpenPage, workspace: Workspace, watercolor: Attribute, oracle: Oracle, screen: Screen
) -> None:
    oracle.play(workspace, watercolor, count=2)
    kept = thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    words = text_of(open_page(workspace, "gallery"))
    query = Query(attribute="media_watercolor", place="accepted", sort="shuffled")
    assert screen.rows == list_images(workspace, query).rows.tolist()
    assert len(screen.rows) > 10
    evidence = kept.evidence
    interval = percent_interval(evidence.precision, evidence.precision_low, evidence.precision_high)
    assert f"precision {interval}" in words
    assert ("not certified" in words) == (not evidence.certified)
    assert f"**{len(screen.rows)} images** accepted" in words
    assert "fair sample" in words
    by_people = int((tasks.labels_of(tasks.labels(workspace, watercolor), np.array(screen.rows)) == 1).sum())
    assert 0 < by_people < len(screen.rows)
    rest = len(screen.rows) - by_people
    assert f"{by_people} labelled yes by people, {rest} by the classifier: precision" in words


def test_where_people_decided_all_that_is_shown_no_precision_of_a_threshold_is_claimed(
    open_page: OpenPage, workspace: Workspace, watercolor: Attribute, oracle: Oracle, screen: Screen
) -> None:
    oracle.play(workspace, watercolor, count=2)
    highest = float(np.nanmax(scores_of(workspace, watercolor)))
    measured = thresholds.measure_at(workspace, watercolor, highest + 1, target=0.9)
    thresholds.save(workspace, watercolor, measured)
    assert "· all labelled yes by people" in text_of(open_page(workspace, "gallery"))


def test_reshuffled_the_same_images_stand_in_another_order(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    app = open_page(scored, "gallery")
    before = screen.rows
    button(app, "Reshuffle").click()
    text_of(app.run())
    assert screen.rows != before
    assert sorted(screen.rows) == sorted(before)
    assert asked(app).seed == 1


@pytest.mark.usefixtures("groups")
def test_several_attributes_at_once(open_page: OpenPage, scored: Workspace, screen: Screen) -> None:
    app = open_page(scored, "gallery", attribute="watercolor")
    app.button_group(key="gallery-place").set_value("accepted")
    app.button_group(key="gallery-other-cat").set_value("accepted")
    app.selectbox(key="gallery-sort").set_value("score")
    text_of(app.run())
    told = counts(app, "gallery-other-people")
    app.button_group(key="gallery-other-people").set_value("rejected")
    text_of(app.run())
    assert len(screen.rows) == told["Rejected"], "the number on a decision is what its click leaves"
    accepted = {name: set(list_images(scored, Query(attribute=name, place="accepted")).rows.tolist()) for name in NAMES}
    assert set(screen.rows) == (accepted["watercolor"] & accepted["cat"]) - accepted["people"]
    assert screen.rows
    assert asked(app) == screen.listing.query
    others = {one.key for one in app.button_group if str(one.key).startswith("gallery-other-")}
    assert others == {"gallery-other-cat", "gallery-other-people"}, "an attribute is not asked for twice"
    assert list(chips(app)) == ["Accepted", "accepted: cat", "rejected: people"]
    app.button_group(key="gallery-other-cat").set_value("rejected")
    text_of(app.run())
    assert (asked(app).yes, set(asked(app).no)) == ((), {"cat", "people"})


def revisited(app: AppTest, url: dict[str, Any]) -> AppTest:
    """Run the page with an address that the browser has from before."""
    app.query_params.clear()
    for name, value in url.items():
        app.query_params[name] = value
    return app.run()


def test_a_click_counts_although_the_browser_has_the_address_of_before(open_page: OpenPage, scored: Workspace) -> None:
    app = open_page(scored, "gallery", attribute="cat")
    app.button_group(key="gallery-place").set_value("rejected")
    assert asked(revisited(app, {"attribute": "cat"})).place == "rejected"


def test_the_way_back_leads_to_the_query_of_before(open_page: OpenPage, scored: Workspace) -> None:
    app = open_page(scored, "gallery", attribute="cat", place="all", sort="score")
    before = dict(app.query_params)
    app.button_group(key="gallery-place").set_value("accepted")
    assert asked(app.run()).place == "accepted"
    assert asked(revisited(app, before)).place == "all"


def test_the_places_at_a_threshold_hold_what_they_say(open_page: OpenPage, scored: Workspace, screen: Screen) -> None:
    app = open_page(scored, "gallery", attribute="cat", place="all")
    told = counts(app, "gallery-place")
    assert set(told) == {"All", "Accepted", "Borderline", "Rejected"}
    assert told["All"] == 120
    assert told["Accepted"] + told["Rejected"] == 120
    assert "score at least as much" in screen.line
    for place, name in (("accepted", "Accepted"), ("near", "Borderline"), ("rejected", "Rejected")):
        app.button_group(key="gallery-place").set_value(place)
        text_of(app.run())
        assert len(screen.rows) == told[name]
        assert counts(app, "gallery-place") == told, "the place itself does not narrow its own counts"


@pytest.mark.usefixtures("groups")
def test_every_count_of_a_facet_is_what_its_click_leaves(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    facets.scan(scored)
    app = open_page(scored, "gallery", attribute="cat", place="accepted")
    colours = counts(app, "gallery-colour")
    assert len(colours) > 2
    for colour, count in colours.items():
        app.button_group(key="gallery-colour").set_value([colour])
        text_of(app.run())
        assert len(screen.rows) == count
    (year,) = counts(app, "gallery-year")
    app.button_group(key="gallery-year").set_value([year])
    words = text_of(app.run())
    assert counts(app, "gallery-year")[year] == len(screen.rows)
    assert "last change of its file" in words
    for chip in (f"year: {year}", f"colour: {colour}"):
        chips(app)[chip].click()
        text_of(app.run())
    assert asked(app) == Query(attribute="cat", place="accepted", sort=asked(app).sort)
    assert counts(app, "gallery-colour") == colours
    assert list(chips(app)) == ["Accepted"]
    button(app, "Clear all").click()
    text_of(app.run())
    assert asked(app) == Query(attribute="cat", sort=asked(app).sort)
    assert chips(app) == {}


@pytest.mark.usefixtures("groups")
def test_every_value_of_every_filter_narrows_the_listing_to_its_number(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    scored.catalogue.update_details({scored.catalogue.image(5).uri: {"license": "CC0"}})
    app = open_page(scored, "gallery", attribute="cat", place="all")
    (projects,) = app.multiselect
    options = {"project": [option.rpartition(" · ") for option in projects.options[:2]]}
    options |= {
        name: [(value, "", str(number)) for value, number in counts(app, f"gallery-{name}").items()]
        for name in FACETS
        if name != "project"
    }
    assert all(options[name] for name in ("project", "size", "shape", "format", "licence"))
    for name, values in options.items():
        for value, _, count in values:
            kind = app.multiselect if name == "project" else app.button_group
            kind(key=f"gallery-{name}").set_value([value])
            text_of(app.run())
            assert len(screen.rows) == int(count)
            chips(app)[f"{name}: {value}"].click()
            text_of(app.run())
            assert len(screen.rows) == 120


def test_a_range_of_scores_narrows_and_is_forgotten_with_its_attribute(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    app = open_page(scored, "gallery", attribute="cat", place="all", sort="score")
    (slider,) = app.slider
    slider.set_value((0.0, slider.max))
    text_of(app.run())
    own = scores_of(scored, scored.attributes.get("cat"))
    assert set(screen.rows) == set(np.flatnonzero(own >= 0).tolist())
    assert (asked(app).score_from, asked(app).score_to) == (0.0, None)
    assert list(chips(app)) == ["score: at least 0.00"]
    app.selectbox(key="gallery-attribute").set_value("people")
    text_of(app.run())
    assert asked(app).score_from is None
    assert len(screen.rows) == 120


def test_filters_stay_set_while_their_group_is_folded(
    open_page: OpenPage, scored: Workspace, screen: Screen, groups: Groups
) -> None:
    app = open_page(scored, "gallery", attribute="cat", place="all")
    value, count = next(iter(counts(app, "gallery-shape").items()))
    app.button_group(key="gallery-shape").set_value([value])
    app.run()
    groups.are_open = False
    text_of(app.run())
    text_of(app.run())
    assert asked(app).shape == (value,)
    assert len(screen.rows) == count


def test_where_nothing_is_left_the_page_says_what_does_it(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    app = open_page(scored, "gallery", attribute="cat", words="nosuchname", place="accepted", sort="score")
    words = text_of(app)
    assert "Nothing is left" in words
    assert "without “named “nosuchname”” there would be" in words.replace("\\", "")
    assert f"Searched {search.searched_by_words(scored)}." in words
    assert screen.listing is None
    app.text_input(key="gallery-search").set_value("")
    text_of(app.run())
    assert screen.rows


@pytest.mark.parametrize(
    "query",
    [
        Query(attribute="cat", place="near", sort="closest"),
        Query(attribute="", sort="newest"),
        Query(attribute="cat", yes=("watercolor",), no=("people",), label=("unlabelled",), sort="spread"),
        Query(attribute="cat", like=(3, 7), sort="found"),
        Query(attribute="cat", words="image", sort="found", seed=4),
    ],
)
def test_a_link_shows_what_it_says_and_stays(
    open_page: OpenPage, scored: Workspace, screen: Screen, query: Query
) -> None:
    app = open_page(scored, "gallery", **{"attribute": query.attribute, "place": query.place, **query.url()})
    text_of(app)
    assert screen.rows == list_images(scored, query).rows.tolist()
    assert asked(app) == query
    text_of(app.run())
    assert asked(app) == query


def test_a_link_that_cannot_be_followed_says_so_and_the_gallery_is_there(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    words = text_of(open_page(scored, "gallery", attribute="nosuch", sort="sideways"))
    assert "cannot be opened" in words
    assert screen.rows


def test_a_view_is_saved_opened_removed_and_brought_back(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    app = open_page(scored, "gallery", attribute="cat", place="rejected", sort="oldest")
    wanted = asked(app)
    next(one for one in app.text_input if one.label == "Name of this view").set_value("The other *cats*")
    button(app, "Save this view").click()
    text_of(app.run())
    assert saved_views.load(scored, "The other *cats*").query == wanted
    app.selectbox(key="gallery-attribute").set_value("")
    text_of(app.run())
    assert asked(app) != wanted
    button(app, "The other \\*cats\\*").click()
    text_of(app.run())
    assert asked(app) == wanted
    assert screen.rows == list_images(scored, wanted).rows.tolist()
    next(one for one in app.button if one.key == "remove-The other *cats*").click()
    text_of(app.run())
    assert saved_views.load_all(scored) == ()
    next(one for one in app.button if one.label.startswith("Undo: restore")).click()
    text_of(app.run())
    assert saved_views.load(scored, "The other *cats*").query == wanted


def test_a_name_that_is_taken_is_refused_and_the_old_view_stays(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    saved_views.save(scored, "mine", Query())
    app = open_page(scored, "gallery", attribute="cat", place="rejected")
    next(one for one in app.text_input if one.label == "Name of this view").set_value("mine")
    button(app, "Save this view").click()
    assert "already" in text_of(app.run())
    assert saved_views.load(scored, "mine").query == Query()


def test_the_chosen_are_answered_in_bulk_and_it_is_taken_back(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    cat = scored.attributes.get("cat")
    screen.chosen = np.array([5, 6, 9])
    app = open_page(scored, "gallery", attribute="cat", place="all")
    button(app, "All no").click()
    words = text_of(app.run())
    assert "3 images answered: no, in bulk" in words
    rows, said = bulk.current_answers(scored, cat)
    assert (rows.tolist(), said.tolist()) == ([5, 6, 9], [0, 0, 0])
    assert counts(app, "gallery-label")["in bulk only"] == 3
    button(app, "Undo").click()
    assert "in bulk." not in text_of(app.run())
    assert bulk.current_answers(scored, cat)[0].tolist() == []


def test_the_chosen_become_a_query_of_their_own(open_page: OpenPage, scored: Workspace, screen: Screen) -> None:
    screen.chosen = np.array([5, 6, 9])
    app = open_page(scored, "gallery", attribute="cat")
    button(app, "Show only these").click()
    text_of(app.run())
    assert list(chips(app)) == ["one selection"]
    assert sorted(screen.rows) == [5, 6, 9]
    button(app, "Find more like these").click()
    text_of(app.run())
    assert screen.rows == list_images(scored, Query(attribute="cat", like=(5, 6, 9), sort="found")).rows.tolist()


def test_near_duplicates_are_looked_for_from_the_page_and_folded_into_one(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    vectors = vectors_of(scored).copy()
    scored.vectors().replace([40, 41], vectors[[3, 3]])
    app = open_page(scored, "gallery", attribute="", sort="oldest")
    assert len(screen.rows) == 120
    app.toggle(key="gallery-folded").set_value(True)
    assert "not been searched for yet" in text_of(app.run())
    button(app, "Look for near-duplicates").click()
    app.run()
    run_until(app, lambda: near_duplicates.has_groups(scored))
    run_until(app, lambda: len(screen.rows) < 120)
    words = text_of(app.run())
    folded = near_duplicates.fold_summary(scored).folded
    assert len(screen.rows) == 120 - folded
    assert not {40, 41} & set(screen.rows)
    assert f"**{len(screen.rows)} groups** (120 images)" in words
    assert f"{folded} image" in words


def test_many_names_are_read_in_the_background_before_words_are_looked_for(
    open_page: OpenPage, scored: Workspace, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.gallery_actions.MANY_NAMES", 100)
    app = open_page(scored, "gallery", attribute="", words="emoji", place="all")
    run_until(app, lambda: screen.listing is not None)
    assert search.names_of(scored).behind() == 0
    assert screen.rows == list_images(scored, Query(words="emoji")).rows.tolist()
    assert f"Searched {search.searched_by_words(scored)}." in text_of(app)
    assert screen.rows


def test_likes_of_a_picture_that_is_brought_along(
    open_page: OpenPage, scored: Workspace, screen: Screen, small_pictures: Path
) -> None:
    app = open_page(scored, "gallery", attribute="cat")
    image = scored.catalogue.image(17)
    app.file_uploader(key="gallery-given").upload(image.path.name, image.path.read_bytes(), "image/jpeg")
    text_of(app.run())
    assert list(chips(app)) == ["like this picture"]
    assert screen.rows[0] == 17
    assert asked(app).sort == "found"
    assert asked(app).upload
    text_of(app.run())
    assert screen.rows[0] == 17


def test_a_file_that_is_no_picture_is_refused_with_the_reason_and_nothing_changes(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    app = open_page(scored, "gallery", attribute="cat")
    before = screen.rows
    app.file_uploader(key="gallery-given").upload("cat.jpg", b"this is no picture", "image/jpeg")
    assert "The image cannot be used for a search" in text_of(app.run())
    assert screen.rows == before


@pytest.mark.usefixtures("groups")
def test_problems_of_pictures_are_looked_for_when_asked_and_then_filter_and_sort(
    open_page: OpenPage, scored: Workspace, screen: Screen
) -> None:
    app = open_page(scored, "gallery", attribute="", place="all", sort="blurred")
    words = text_of(app)
    assert "120 images are not measured." in words
    assert asked(app).sort == "score", "there is nothing to sort by yet"
    assert "Most blurred first" not in app.selectbox(key="gallery-sort").options
    button(app, "Look for problems").click()
    app.run()
    while opened_workspace().jobs.is_running("problems"):
        app.run()
    text_of(app.run())
    assert "Look for problems" not in [one.label for one in app.button]
    told = counts(app, "gallery-problem")
    assert told == {
        value: number for value, number in problems.problem_counts(scored, np.ones(120, bool)).items() if number
    }
    app.selectbox(key="gallery-sort").set_value("blurred")
    text_of(app.run())
    severity = problems.severity(scored, "blurred", np.array(screen.rows))
    assert (np.diff(severity[~np.isnan(severity)]) <= 0).all()
    file = problems.MEASURED.path(scored)
    file.write_bytes(file.read_bytes()[: 100 * problems.RECORD.itemsize])
    words = text_of(app.run())
    assert "20 images are not measured." in words
    assert "20 not measured come last" in words
