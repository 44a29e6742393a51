"""Listings: every condition, order and count matches its definition, image by image."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import BamError, EmbeddingError, NotFound
from bam_engine.gallery import facets, near_duplicates, selections
from bam_engine.gallery.counts import BINS, FACETS, attribute_counts, facet_counts, score_histogram
from bam_engine.gallery.listing import LISTINGS, by_id, list_images
from bam_engine.gallery.query import LABELS, PLACES, SORTS, Query, from_json, from_url
from bam_engine.gallery.window import BLOCK, PACK, pack, shapes, window
from bam_engine.labelling import bulk, label_states
from bam_engine.training import thresholds
from bam_engine.training.calibration import calibration_of
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from benchmarks.generated import collection, scored_attribute
from tests.labelling.team import vote

N = 1500


@pytest.fixture
def big(tmp_path: Path) -> Iterator[Workspace]:
    """1,500 records with vectors, three scored attributes: ``one`` and ``two`` with a threshold, ``free`` without."""
    drawn = collection(tmp_path, N, projects=40)
    scored_attribute(drawn, "one", cut=1.0, seed=1)
    scored_attribute(drawn, "two", cut=0.0, seed=2)
    scored_attribute(drawn, "free", cut=None, calibrated=False, seed=3)
    yield drawn
    drawn.close()


def scores(workspace: Workspace, name: str) -> np.ndarray:
    return np.asarray(scores_of(workspace, workspace.attributes.get(name)))


def chance(workspace: Workspace, name: str) -> np.ndarray:
    calibration, _ = calibration_of(workspace, workspace.attributes.get(name))
    assert calibration is not None
    return learning.probability(calibration, scores(workspace, name)).astype(np.float32)


def test_closest_orders_by_the_distance_from_the_threshold_on_either_side(big: Workspace) -> None:
    own = scores(big, "one")
    result = list_images(big, Query(attribute="one", sort="closest"))
    assert result.rows.tolist() == sorted(range(N), key=lambda row: (np.abs(own[row] - np.float32(1)), row))
    assert result.line is None
    assert {bool(own[row] >= 1) for row in result.rows[:50]} == {True, False}
    assert list_images(big, Query(sort="closest")).rows.tolist() == list(range(N))


def test_without_conditions_every_image_is_listed_in_the_order_it_was_added(big: Workspace) -> None:
    result = list_images(big, Query())
    assert result.rows.tolist() == list(range(N))
    assert (result.matched, result.n, result.line, result.counts, result.notes) == (N, N, None, None, ())


def test_an_attribute_orders_by_its_score_and_the_line_stands_after_the_accepted(big: Workspace) -> None:
    own = scores(big, "one")
    result = list_images(big, Query(attribute="one"))
    assert result.rows.tolist() == sorted(range(N), key=lambda row: (-own[row], row))
    assert result.line == int((own >= 1.0).sum())
    assert (own[result.rows[: result.line]] >= 1.0).all()
    assert (own[result.rows[result.line :]] < 1.0).all()


def test_a_score_at_the_threshold_is_accepted(big: Workspace) -> None:
    own = scores(big, "one")
    edge = float(own[7])
    attribute = big.attributes.get("one")
    stored = thresholds.current_threshold(big, attribute)
    assert stored is not None
    thresholds.save(big, attribute, replace(stored.evidence, value=edge))
    assert 7 in list_images(big, Query(attribute="one", place="accepted")).rows
    assert 7 not in list_images(big, Query(attribute="one", place="rejected")).rows


@pytest.mark.parametrize("place", ["accepted", "rejected"])
def test_above_and_below_the_threshold_are_those_accepted_and_those_rejected(big: Workspace, place: str) -> None:
    own = scores(big, "one")
    wanted = own >= 1.0 if place == "accepted" else own < 1.0
    result = list_images(big, Query(attribute="one", place=place))
    assert set(result.rows) == set(np.flatnonzero(wanted))


@pytest.mark.parametrize("most", [500, 20])
def test_borderline_are_the_nearest_tenth_of_either_side_and_not_too_many(
    big: Workspace, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("bam_engine.gallery.conditions.NEAR", most)
    own = scores(big, "two")
    above = sorted(np.flatnonzero(own >= 0), key=lambda row: own[row])
    below = sorted(np.flatnonzero(own < 0), key=lambda row: -own[row])
    expected = [side[: min(most, -(-len(side) // 10))] for side in (above, below)]
    result = list_images(big, Query(attribute="two", place="near"))
    assert set(result.rows) == {*expected[0], *expected[1]}
    assert result.line == len(expected[0])


def test_several_attributes_are_accepted_and_rejected_at_once_the_least_likely_condition_first(big: Workspace) -> None:
    one, two = scores(big, "one"), scores(big, "two")
    inside = np.flatnonzero((one >= 1.0) & (two < 0.0))
    least = np.minimum(chance(big, "one"), 1 - chance(big, "two"))
    beyond = np.minimum(one - np.float32(1), -two)
    result = list_images(big, Query(yes=("one",), no=("two",)))
    assert result.rows.tolist() == sorted(inside, key=lambda row: (-least[row], -beyond[row], row))
    assert result.line is None


def test_one_attribute_that_rejects_puts_its_lowest_score_first(big: Workspace) -> None:
    own = scores(big, "one")
    result = list_images(big, Query(no=("one",)))
    assert result.rows.tolist() == sorted(np.flatnonzero(own < 1.0), key=lambda row: (own[row], row))


def test_without_a_threshold_the_default_is_used_and_noted(big: Workspace) -> None:
    result = list_images(big, Query(attribute="free", place="accepted"))
    assert set(result.rows) == set(np.flatnonzero(scores(big, "free") >= 0.0))
    assert any("no threshold yet" in note and "guarantees nothing" in note for note in result.notes)


def test_an_attribute_without_scores_leaves_all_images_and_says_so(big: Workspace) -> None:
    big.attributes.add("fresh", "media", "Is it?")
    assert "no scores yet" in list_images(big, Query(attribute="fresh")).notes[0]
    assert "all are shown" in list_images(big, Query(attribute="fresh", place="accepted")).notes[0]
    for query, as_added in (
        (Query(attribute="fresh"), True),
        (Query(attribute="fresh", sort="closest"), True),
        (Query(attribute="fresh", sort="found"), True),
        (Query(attribute="fresh", sort="found", words="jpg"), False),
        (Query(attribute="fresh", sort="shuffled"), False),
    ):
        listing = list_images(big, query)
        assert ("in the order in which they were added" in listing.notes[0]) == as_added
        assert not as_added or listing.rows.tolist() == list(range(len(listing)))
    both = list_images(big, Query(yes=("one", "fresh")))
    assert "is ignored" in both.notes[0]
    assert set(both.rows) == set(np.flatnonzero(scores(big, "one") >= 1.0))


def test_images_added_after_the_scores_come_last_and_are_neither_accepted_nor_rejected(big: Workspace) -> None:
    from bam_engine.collection import NewImage

    big.catalogue.add([NewImage("/late.jpg", 10, 10, "late")])
    assert list_images(big, Query(attribute="one")).rows[-1] == N
    for place in ("accepted", "rejected", "near"):
        assert N not in list_images(big, Query(attribute="one", place=place)).rows
    assert N not in list_images(big, Query(no=("one",))).rows
    last = window(big, list_images(big, Query(attribute="one")), N // BLOCK)
    assert (last.scores[-1], last.probabilities[-1], last.accepted[-1]) == (None, None, None)


def test_newest_oldest_and_shuffled_are_total_orders_of_the_same_images(big: Workspace) -> None:
    inside = set(np.flatnonzero(scores(big, "one") >= 1.0))
    for sort in SORTS:
        assert set(list_images(big, Query(attribute="one", place="accepted", sort=sort)).rows) == inside
    assert list_images(big, Query(sort="newest")).rows.tolist() == list(range(N))[::-1]
    first = list_images(big, Query(sort="shuffled", seed=1)).rows
    assert (first == list_images(big, Query(sort="shuffled", seed=1)).rows).all()
    assert (first != list_images(big, Query(sort="shuffled", seed=2)).rows).any()


def test_a_narrower_query_shuffles_in_the_same_order(big: Workspace) -> None:
    whole = list_images(big, Query(attribute="one", sort="shuffled", seed=4)).rows
    part = list_images(big, Query(attribute="one", place="accepted", sort="shuffled", seed=4)).rows
    assert part.tolist() == whole[np.isin(whole, part)].tolist()


def test_a_shuffle_is_even(big: Workspace) -> None:
    """The mean place of the first hundred rows over 60 seeds is the middle, within four standard errors."""
    places = [
        np.flatnonzero(np.isin(list_images(big, Query(sort="shuffled", seed=s)).rows, range(100))) for s in range(60)
    ]
    assert abs(np.mean(places) - (N - 1) / 2) < 4 * N / np.sqrt(12 * 60 * 100)


def test_the_most_varied_order_puts_each_image_farthest_from_all_before_it(big: Workspace) -> None:
    result = list_images(big, Query(attribute="one", place="accepted", sort="spread")).rows
    best = list_images(big, Query(attribute="one", place="accepted")).rows
    assert result[0] == best[0]
    vectors = np.asarray(big.vectors().array()[result], np.float64)
    for place in (1, 2, 5, 20):
        near = ((vectors[:, None] - vectors[None, :place]) ** 2).sum(axis=2).min(axis=1)
        assert near[place] == pytest.approx(near[place:].max(), rel=1e-3)


def test_label_states_are_those_of_the_definition(team: Workspace, watercolor: Attribute) -> None:
    vote(team, watercolor, "cyd", {6: -1})
    match = bulk.answer(team, watercolor, [0, 6, 50, 51], 1, annotator="eve")
    assert match.count
    result = {
        state: list_images(team, Query(attribute=watercolor.name, label=(state,))).rows.tolist() for state in LABELS
    }
    others = [row for row in range(120) if row not in (0, 1, 2, 3, 4, 5, 6, 50, 51)]
    assert result == {
        "positive": [0],
        "negative": [1],
        "unsure": [4, 6],
        "waiting": [5],
        "disputed": [2, 3],
        "disagreed": [2, 3],
        "bulk": [50, 51],
        "unlabelled": others,
    }
    either = list_images(team, Query(attribute=watercolor.name, label=("positive", "waiting")))
    assert either.rows.tolist() == [0, 5]
    rows = np.array([0, 1, 2, 4, 6, 50, 70])
    marks = label_states.states(team, watercolor).marks(rows)
    assert marks == ["yes", "no", "", "unsure", "unsure", "yes in bulk", ""]


def test_selections_words_and_projects_narrow_the_listing(workspace: Workspace) -> None:
    chosen = selections.save(workspace, [5, 3, 90])
    assert list_images(workspace, Query(selection=chosen)).rows.tolist() == [3, 5, 90]
    image = workspace.catalogue.image(3)
    named = list_images(workspace, Query(words=image.title or "", selection=chosen))
    assert 3 in named.rows
    project = image.project_id or ""
    own = [row for row in range(120) if workspace.catalogue.image(row).project_id == project]
    assert list_images(workspace, Query(project=(project,))).rows.tolist() == own


def test_similar_images_are_listed_best_match_first(workspace: Workspace) -> None:
    from bam_engine.gallery.search import by_images

    result = list_images(workspace, Query(like=(5, 8), sort="found"))
    assert result.rows.tolist() == by_images(workspace, [5, 8], 1000).tolist()


def test_near_duplicates_are_folded_to_the_first_of_each_group(workspace: Workspace) -> None:
    query = Query(sort="newest", folded=True)
    before = list_images(workspace, query)
    assert before.counts is None
    assert "not been searched for yet" in before.notes[0]
    near_duplicates.find_groups(workspace)
    groups = near_duplicates.group_of(workspace)
    result = list_images(workspace, query)
    seen: dict[int, int] = {}
    for row in range(119, -1, -1):
        seen.setdefault(int(groups[row]), row)
    assert result.rows.tolist() == list(seen.values())
    assert result.counts is not None
    assert result.counts.tolist() == [int((groups == group).sum()) for group in seen]
    assert result.counts.sum() == result.matched == 120


def test_the_line_is_right_when_near_duplicates_are_grouped(workspace: Workspace) -> None:
    scored_attribute(workspace, "one", seed=5)
    near_duplicates.find_groups(workspace)
    result = list_images(workspace, Query(attribute="one", folded=True))
    assert result.line == int((scores(workspace, "one")[result.rows] >= 0).sum())


def test_an_empty_listing_says_which_condition_empties_it(big: Workspace) -> None:
    chosen = selections.save(big, np.flatnonzero(scores(big, "one") < 1.0)[:9])
    result = list_images(big, Query(attribute="one", place="accepted", selection=chosen))
    assert len(result) == 0
    accepted = int((scores(big, "one") >= 1).sum())
    assert f"without “in the selection” there would be {accepted:,}" in result.emptied_by
    assert "without “accepted as one” there would be 9" in result.emptied_by
    nothing = list_images(big, Query(words="nowhere", colour=("red",)))
    assert nothing.emptied_by == "no image of the collection is “colour: red”, nor “named “nowhere””"


def test_a_listing_is_cached_until_its_data_change(big: Workspace) -> None:
    attribute = big.attributes.get("one")
    first = list_images(big, Query(attribute="one"))
    assert list_images(big, Query(attribute="one")) is first
    vote(big, attribute, "ada", {3: 1})
    second = list_images(big, Query(attribute="one"))
    assert second.id != first.id
    stored = thresholds.current_threshold(big, attribute)
    assert stored is not None
    thresholds.save(big, attribute, replace(stored.evidence, value=2.0))
    third = list_images(big, Query(attribute="one"))
    assert third.id != second.id
    assert third.line != second.line
    assert by_id(big, first.id) is first
    big.memory.clear()
    assert by_id(big, first.id, first.query.json()).id == third.id
    with pytest.raises(NotFound, match="Open the gallery again"):
        by_id(big, first.id)


def test_old_listings_are_evicted_from_the_cache(big: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = replace(LISTINGS, max_bytes=3 * N * 8)
    monkeypatch.setattr("bam_engine.gallery.listing.LISTINGS", kind)
    first = list_images(big, Query(sort="shuffled", seed=1))
    for seed in range(2, 6):
        list_images(big, Query(sort="shuffled", seed=seed))
    assert len(big.memory.subjects(kind)) == 3
    with pytest.raises(NotFound):
        by_id(big, first.id)


def test_a_window_has_the_data_of_each_image(big: Workspace) -> None:
    listing = list_images(big, Query(attribute="one"))
    payload = window(big, listing, 1)
    assert payload.rows == listing.rows[BLOCK : 2 * BLOCK].tolist()
    own, likely = scores(big, "one"), chance(big, "one")
    for place in (0, 57, BLOCK - 1):
        row = payload.rows[place]
        image = big.catalogue.image(row)
        share = payload.probabilities[place]
        assert share is not None
        assert payload.scores[place] == pytest.approx(own[row], abs=0.001)
        assert share[0] == pytest.approx(likely[row], abs=0.001)
        assert share[1] <= share[0] <= share[2]
        assert payload.accepted[place] == (own[row] >= 1.0)
        assert payload.ratios[place] == pytest.approx(image.width / image.height, abs=0.001)
        assert payload.titles[place] == f"{row}.jpg"
    assert len(window(big, listing, N // BLOCK).rows) == N % BLOCK
    for beyond in (N // BLOCK + 1, -1):
        with pytest.raises(NotFound, match="no window"):
            window(big, listing, beyond)


def test_shapes_are_those_of_the_listing_and_follow_new_images(big: Workspace) -> None:
    from bam_engine.collection import NewImage

    def payload(listing: object) -> np.ndarray:
        return 2.0 ** ((shapes(big, listing).astype(float) - 128) / 32)  # type: ignore[arg-type]

    newest = list_images(big, Query(sort="newest"))
    images = big.catalogue.images(newest.rows.tolist())
    assert payload(newest) == pytest.approx([image.width / image.height for image in images], rel=0.0111)
    big.catalogue.add([NewImage("/wide.jpg", 1500, 100, "wide"), NewImage("/huge.jpg", 9000, 1, "huge")])
    later = list_images(big, Query(sort="newest"))
    assert payload(later)[:2] == pytest.approx([2 ** (127 / 32), 15], rel=0.0111)
    big.memory.clear()
    assert payload(later)[:2] == pytest.approx([2 ** (127 / 32), 15], rel=0.0111)


def test_a_pack_has_the_thumbnails_in_order_and_missing_ones_empty(workspace: Workspace) -> None:
    result = list_images(workspace, Query(sort="newest"))
    missing = int(result.rows[PACK + 2])
    workspace.thumbnails.path(missing).unlink()
    for number in (0, 1, 2):
        content = pack(workspace, result, number)
        rows = result.rows[number * PACK : (number + 1) * PACK].tolist()
        count, *sizes = np.frombuffer(content[: 4 + 4 * len(rows)], "<u4").tolist()
        assert count == len(rows)
        expected = [workspace.thumbnails.read(row) or b"" for row in rows]
        assert sizes == [len(file) for file in expected]
        assert content[4 + 4 * count :] == b"".join(expected)
    assert workspace.thumbnails.read(missing) is None
    for number in (-1, 3):
        with pytest.raises(NotFound, match="no pack"):
            pack(workspace, result, number)


def test_each_facet_is_counted_with_all_other_conditions_applied(big: Workspace, workspace: Workspace) -> None:
    query = Query(attribute="one", place="accepted", project=("project 3",), no=("two",))
    payload = facet_counts(big, query, FACETS)
    names = [f"project {number}" for number in range(40)]
    each = {name: len(list_images(big, replace(query, project=(name,)))) for name in names}
    assert {name: payload["project"].get(name, 0) for name in names} == each
    places = {place: len(list_images(big, replace(query, place=place))) for place in PLACES}
    assert payload["place"] == places
    vote(big, big.attributes.get("one"), "ada", {row: row % 2 for row in range(600)})
    payload = facet_counts(big, query, ["label"])
    assert payload["label"] == {state: len(list_images(big, replace(query, label=(state,)))) for state in LABELS}
    facets.scan(workspace)
    names = ["colour", "year", "size", "shape", "format", "licence"]
    for name, values in facet_counts(workspace, Query(), names).items():
        assert sum(values.values()) >= 120, name
        assert values == {
            value: len(list_images(workspace, Query(**{name: (value,)})))  # type: ignore[arg-type]
            for value in values
        }


def test_another_attribute_is_counted_as_a_click_on_its_decision_would_leave(big: Workspace) -> None:
    query = Query(attribute="one", place="accepted", no=("two",))
    assert attribute_counts(big, query, ["two", "free"]) == {
        name: {
            "accepted": len(list_images(big, replace(query, yes=(name,), no=tuple({"two"} - {name})))),
            "rejected": len(list_images(big, replace(query, no=tuple({"two", name})))),
        }
        for name in ("two", "free")
    }
    big.attributes.add("own_new", "own", "Is it new?")
    assert attribute_counts(big, query, ["own_new"]) == {}, "it has no scores"


def test_a_range_of_scores_holds_its_ends(big: Workspace) -> None:
    own = scores(big, "one")
    low, high = np.sort(own)[[300, 600]].astype(float)
    found = list_images(big, Query(attribute="one", score_from=low, score_to=high))
    assert sorted(found.rows.tolist()) == np.flatnonzero((own >= np.float32(low)) & (own <= np.float32(high))).tolist()
    assert len(found) == 301
    with pytest.raises(BamError, match="needs an attribute"):
        list_images(big, Query(score_from=0.0))


def test_the_histogram_of_scores_holds_every_image_once_whatever_the_range(big: Workspace) -> None:
    query = Query(attribute="one", project=("project 3",), score_from=0.5)
    histogram = score_histogram(big, query)
    assert histogram is not None
    own = scores(big, "one")
    assert (histogram.low, histogram.high, histogram.cut) == (own.min(), own.max(), 1.0)
    listed = list_images(big, replace(query, score_from=None)).rows
    expected, _ = np.histogram(own[listed], bins=BINS, range=(histogram.low, histogram.high))
    assert np.abs(np.array(histogram.accepted) + histogram.others - expected).max() <= 1, "but for what is at an edge"
    assert sum(histogram.accepted) + sum(histogram.others) == len(listed)
    assert sum(histogram.accepted) == len(list_images(big, replace(query, score_from=None, place="accepted")))
    assert score_histogram(big, Query()) is None


def test_undecided_is_what_is_neither_accepted_nor_rejected(big: Workspace) -> None:
    big.judging_redundancy = big.redundancy = 1
    vote(big, big.attributes.get("one"), "ada", dict.fromkeys((4, 7), -1))
    assert list_images(big, Query(attribute="one", place="undecided")).rows.tolist() in ([4, 7], [7, 4])


def test_a_query_survives_the_url_and_json() -> None:
    query = Query(
        attribute="a b", place="near", score_from=-0.25, score_to=3.0, yes=("c", "d"), no=("e",), label=("bulk",),
        project=("ü & ?",), licence=("CC0",), format=("PNG",), size=("1–4 MP",), shape=("square",), colour=("red",),
        year=("2019",), text="x", words="y", like=(3, 4), upload="ab", selection="0f", sort="shuffled", seed=7,
        folded=True,
    )  # fmt: skip
    assert from_url(query.url()) == query
    assert from_json(query.json()) == query
    assert from_url({"attribute": "a", "page": "3", "yes": ["c", "c"]}) == Query(attribute="a", yes=("c",))
    assert Query().url() == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"place": "sideways"}, "one of all, accepted"),
        ({"sort": "colour"}, "one of score"),
        ({"label": ["maybe"]}, "one of positive"),
        ({"score_from": "nan"}, "must be a number"),
        ({"score_to": "high"}, "must be a number"),
        ({"seed": "-1"}, "whole number"),
        ({"seed": "9" * 400}, "whole number"),
        ({"like": ["1", "cat"]}, "whole number"),
        ({"yes": [str(name) for name in range(65)]}, "limit is 64"),
    ],
)
def test_an_invalid_url_is_rejected_with_the_valid_values(given: dict[str, str], words: str) -> None:
    with pytest.raises(BamError, match=words):
        from_url(given)


@pytest.mark.parametrize("text", ["", "[", "[]", '{"attribute": "a"}', '{"yes": [3]}', "[" * 5000, "x" * 100_000])
def test_an_invalid_query_is_rejected(text: str) -> None:
    with pytest.raises(BamError, match="query"):
        from_json(text)


def test_a_query_must_name_existing_things(big: Workspace) -> None:
    for query, kind, words in (
        (Query(attribute="none"), NotFound, "no attribute"),
        (Query(yes=("none",)), NotFound, "no attribute"),
        (Query(selection="feed"), NotFound, "selection"),
        (Query(place="accepted"), BamError, "needs an attribute"),
        (Query(label=("positive",)), BamError, "needs an attribute"),
        (Query(colour=("mauve",)), BamError, "no colour"),
        (Query(project=("none",)), BamError, "no project"),
        (Query(year=("soon",)), BamError, "not a year"),
        (Query(words="x" * 100_000), BamError, "100,000 characters"),
        (Query(text="a cat"), EmbeddingError, "embeds images only"),
        (Query(like=(N + 5,)), NotFound, "no row"),
        (Query(upload="0" * 20), NotFound, "Upload it again"),
        (Query(upload="../../etc"), NotFound, "Upload it again"),
    ):
        with pytest.raises(kind, match=words):
            list_images(big, query)


def test_an_empty_collection_lists_nothing(tmp_path: Path) -> None:
    empty = Workspace(tmp_path / "workspace", tmp_path / "cache")
    result = list_images(empty, Query())
    assert (len(result), result.emptied_by, result.notes) == (0, "", ())
    assert facet_counts(empty, Query(), ["colour", "year", "project", "place"])["place"] == {"all": 0}
    assert shapes(empty, result).tolist() == []
    empty.close()
