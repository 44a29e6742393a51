"""The image page: everything that is known of one image, and the ways on from it."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
import streamlit as st
from streamlit.testing.v1 import AppTest

from bam_engine import database as db
from bam_engine.annotation import Attribute, readable
from bam_engine.formatting import percent_interval
from bam_engine.gallery import near_duplicates, problems
from bam_engine.gallery.query import Query, from_url
from bam_engine.labelling import bulk, direct_answers
from bam_engine.maps import layout_builder
from bam_engine.reporting.image_facts import place_of
from bam_engine.training.calibration import probabilities
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import neighbours, vectors_of
from benchmarks.generated import scored_attribute
from tests.labelling.team import decide, vote
from tests.pages.conftest import text_of
from web import ui
from web.components.gallery import Picture
from web.image_panel import _beside

OpenPage = Callable[..., AppTest]


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Picture]]:
    """The pictures that the page draws beside the image, by the key of their gallery."""
    seen: dict[str, list[Picture]] = {}

    def gallery(pictures: list[Picture], *, key: str, **_: Any) -> None:
        seen[key] = list(pictures)

    monkeypatch.setattr("web.image_facts.gallery", gallery)
    return seen


def page_links(app: AppTest) -> dict[str, str]:
    return {one.proto.label: one.proto.query_string for one in app.get("page_link")}


def html_of(app: AppTest) -> str:
    return "\n".join(one.proto.body for one in app.html)


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def table_of(app: AppTest, name: str) -> dict[str, dict[str, str]]:
    """The lines of the table of that name by their first cell, each with its cells by their column."""
    body = next(one.proto.body for one in app.html if f'aria-label="{name}"' in one.proto.body)
    lines = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in re.findall(r"<tr>(.*?)</tr>", body)]
    return {line[0]: dict(zip(lines[0], line, strict=True)) for line in lines[1:]}


def test_every_score_is_told_with_its_calibrated_probability_and_the_decision(
    open_page: OpenPage, workspace: Workspace, beside: dict[str, list[Picture]]
) -> None:
    attributes = {name: scored_attribute(workspace, name, cut=0.5, seed=seed) for seed, name in enumerate("ab")}
    attributes["free"] = scored_attribute(workspace, "free", cut=None, calibrated=False, seed=3)
    workspace.attributes.add("unseen", "media", "Is it unseen?")
    shown = table_of(open_page(workspace, "image", row="11"), "Scores")
    assert set(shown) == {readable(name) for name in attributes}
    for name in "ab":
        expected = probabilities(workspace, attributes[name], [11])
        value, low, high = expected.value[0], expected.low[0], expected.high[0]
        line = shown[readable(name)]
        assert line["probability"] == percent_interval(float(value), float(low), float(high))
        assert line["decision"].startswith("accepted" if number(line["score"]) >= 0.5 else "rejected")
        assert line["threshold"] == "0.500"
        assert line["precision"].startswith("93% (90–96%)")
    assert (shown[readable("free")]["probability"], shown[readable("free")]["decision"]) == ("–", "–")
    scores = [number(line["score"]) for line in shown.values()]
    assert scores == sorted(scores, reverse=True)


def test_labels_are_told_with_who_said_what(
    open_page: OpenPage, workspace: Workspace, watercolor: Attribute, beside: dict[str, list[Picture]]
) -> None:
    workspace.redundancy = 2
    vote(workspace, watercolor, "ada", {4: 1, 5: 1})
    vote(workspace, watercolor, "ben", {4: 0, 5: 1})
    bulk.answer(workspace, watercolor, [6], 1, annotator="cleo")

    def line(row: int) -> dict[str, str]:
        return table_of(open_page(workspace, "image", row=str(row)), "Labels")[readable(watercolor.name)]

    assert (line(4)["label"], line(4)["answers"]) == ("disputed", "ada: yes, ben: no")
    assert line(5)["label"] == "yes"
    assert (line(6)["label"], line(6)["answers"]) == ("no label", "cleo: yes (in bulk)")
    decide(workspace, watercolor, "eve", {4: 0})
    assert line(4)["label"] == "decided: no"
    assert "eve: no (decision)" in line(4)["answers"]
    assert "Nobody has answered" in text_of(open_page(workspace, "image", row="8"))


def test_what_people_typed_is_shown_as_it_is(
    open_page: OpenPage, workspace: Workspace, watercolor: Attribute, beside: dict[str, list[Picture]]
) -> None:
    vote(workspace, watercolor, "<b>ada</b> & co", {4: 1})
    labels = table_of(open_page(workspace, "image", row="4"), "Labels")[readable(watercolor.name)]
    assert labels["answers"] == "&lt;b&gt;ada&lt;/b&gt; &amp; co: yes"


def test_the_picture_record_and_labels_are_drawn_before_what_takes_longer_is_asked(
    open_page: OpenPage,
    workspace: Workspace,
    watercolor: Attribute,
    beside: dict[str, list[Picture]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vote(workspace, watercolor, "ada", {4: 1})
    scored_attribute(workspace, "b", cut=0.5)
    layout_builder.build(workspace, method="pca")
    whole = html_of(open_page(workspace, "image", row="4"))
    assert ui.WAITING not in whole.replace(f"bam-picture {ui.WAITING}", "").replace(f".{ui.WAITING}", "")
    for slow in ("score_lines", "place_of", "similar_images"):
        monkeypatch.setattr(f"web.image_facts.{slow}", lambda *_: pytest.fail("asked"))
    monkeypatch.setattr("web.image_facts.score_lines", lambda *_: st.stop())
    app = open_page(workspace, "image", row="4")
    assert not app.exception
    assert "/large/4.webp" in html_of(app)
    assert table_of(app, "Labels")
    waiting = [one.proto.body for one in app.html if ui.WAITING in one.proto.body and "<style>" not in one.proto.body]
    kept = ("bam-picture", "bam-table", "bam-place", "bam-strip")
    assert sorted(next(name for name in kept if name in body) for body in waiting) == sorted(kept)


def test_captions_are_shown_as_they_were_written(
    open_page: OpenPage, workspace: Workspace, beside: dict[str, list[Picture]]
) -> None:
    who = workspace.annotations.annotator("ada")
    with workspace.engine.begin() as connection:
        connection.execute(
            sa.insert(db.captions).values(row=4, annotator_id=who, caption="A *red* pear", made_at=db.now())
        )
    app = open_page(workspace, "image", row="4")
    assert "“A \\*red\\* pear” · ada" in text_of(app)
    click(app, "Hide")
    assert "Hidden: “A" in text_of(app)
    click(app, "Undo")
    assert "Hidden: “A" not in text_of(app)


def click(app: AppTest, label: str) -> None:
    next(one for one in app.button if one.label == label).click().run()


def test_an_image_is_described_on_its_page(
    open_page: OpenPage, workspace: Workspace, beside: dict[str, list[Picture]]
) -> None:
    app = open_page(workspace, "image", row="4")
    app.text_input(key="image-describe-4-0").set_value("a <i>blue</i> bird").run()
    app.button(key="image-describe-4-0-save").click().run()
    assert [one.text for one in workspace.captions.of(4)] == ["a <i>blue</i> bird"]
    app.text_input(key="image-describe-4-1").set_value("A <I>blue</I> bird").run()
    app.button(key="image-describe-4-1-save").click().run()
    assert "has that description already" in text_of(app)


def test_what_is_most_like_it_is_shown_nearest_first_and_its_near_duplicates_by_themselves(
    open_page: OpenPage, workspace: Workspace, beside: dict[str, list[Picture]]
) -> None:
    vectors = vectors_of(workspace).copy()
    workspace.vectors().replace([40, 41], vectors[[3, 3]])
    near_duplicates.find_groups(workspace)
    text_of(open_page(workspace, "image", row="3"))
    assert {40, 41} <= {one.row for one in beside["image-same-3"]}
    expected = [(row, f"{likeness:.2f}") for row, likeness in neighbours(workspace, 3, 12)]
    assert [(one.row, one.caption) for one in beside["image-near-3"]] == expected


def test_its_place_on_the_map_leads_there(
    open_page: OpenPage, workspace: Workspace, beside: dict[str, list[Picture]]
) -> None:
    assert "Show on the map" not in page_links(open_page(workspace, "image", row="7"))
    layout_builder.build(workspace, method="pca")
    place = place_of(workspace, 7)
    assert place is not None
    app = open_page(workspace, "image", row="7")
    assert f"left:{100 * place.x:.2f}%;top:{100 * place.y:.2f}%" in html_of(app)
    query = page_links(app)["Show on the map"]
    assert f"map={place.map_id}" in query
    assert f"x={place.x:.5f}" in query


def test_more_like_this_leads_to_the_gallery(
    open_page: OpenPage, workspace: Workspace, beside: dict[str, list[Picture]]
) -> None:
    app = open_page(workspace, "image", row="7")
    next(one for one in app.button if one.label == "More like this").click()
    app.run()
    assert app.title[0].value == "Gallery"
    assert "like 1 image" in [one.label for one in app.button], "a filter that can be taken away"
    assert from_url(dict(app.query_params)) == Query(like=(7,), sort="found")


def test_a_file_that_is_gone_is_said_and_the_small_copy_shown(
    open_page: OpenPage, workspace: Workspace, beside: dict[str, list[Picture]]
) -> None:
    image = workspace.catalogue.image(7)
    gone = image.path.with_name("gone-for-a-while")
    image.path.rename(gone)
    try:
        app = open_page(workspace, "image", row="7")
        assert "Only the small copy is shown. The file cannot be read" in text_of(app)
        assert "add its folder again where it is now" in text_of(app)
        assert "/thumbs/7.webp" in html_of(app)
        workspace.thumbnails.path(7).unlink()
        app = open_page(workspace, "image", row="7")
        assert "cannot be shown" in text_of(app)
        assert "/thumbs/7.webp" not in html_of(app)
    finally:
        gone.rename(image.path)


@pytest.mark.parametrize("row", ["120", "-1", "1.5", "abc", "1" * 30, "٣", ""])
def test_an_address_that_names_no_image_says_so_and_shows_none(
    open_page: OpenPage, workspace: Workspace, beside: dict[str, list[Picture]], row: str
) -> None:
    app = open_page(workspace, "image", row=row)
    words = text_of(app)
    assert "This address cannot be opened. There is no image" in words
    assert "0 to 119" in words
    assert not beside
    assert [button.label for button in app.button if "emove" in button.label] == []


def test_one_steps_through_the_collection(
    open_page: OpenPage, workspace: Workspace, beside: dict[str, list[Picture]]
) -> None:
    app = open_page(workspace, "image", row="118")
    next(one for one in app.button if one.label == "Next").click()
    text_of(app.run())
    assert "image-near-119" in beside
    assert "119" in app.query_params["row"]
    assert next(one for one in app.button if one.label == "Next").disabled


def test_the_panel_steps_through_the_list_that_it_was_opened_from(workspace: Workspace) -> None:
    st.session_state["panel_among"] = np.array([9, 4, 7])
    assert _beside(4, None) == (9, 7, "2 of 3 in the list")
    assert _beside(9, 120)[0] is None
    assert _beside(8, None) == (None, None, "")


def test_an_answer_given_before_the_page_shows_the_one_before_it_is_stored(
    open_page: OpenPage, workspace: Workspace, watercolor: Attribute
) -> None:
    app = open_page(workspace, "image", row="8")
    app.button(key="image-answer-yes").click()
    app.button(key="image-answer-no").click()
    app.run()
    assert "answered elsewhere" not in text_of(app)
    assert direct_answers.standing(workspace, watercolor, 8, "me").mark == "no"


def test_the_problems_of_the_picture_are_told_with_value_and_limit(
    open_page: OpenPage, workspace: Workspace, beside: dict[str, list[Picture]]
) -> None:
    def told(row: int) -> str:
        (words,) = re.findall(
            r"<dt>problems</dt><dd>([^<]*)</dd>", html_of(open_page(workspace, "image", row=str(row)))
        )
        return str(words)

    assert told(4) == "not measured"
    problems.scan(workspace)
    stored = np.array(problems.MEASURED.read(workspace)[:6])
    stored["sharpness"][4:], stored["brightest"][5], stored["colour"][4:] = 0.271, 0.06, 1.0
    problems.MEASURED.write(workspace, np.arange(6), stored)
    assert told(4) == "blurred: 0.27 of an edge between two pixels, limit 0.4"
    assert told(5).splitlines()[0] == "dark: 0.06 of full brightness in its brightest hundredth, limit 0.32"
    assert len(told(5).splitlines()) == 2
