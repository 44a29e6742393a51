"""Wherever a few pictures are shown, the answer keys answer about the one that has the focus, and are named once."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.gallery import selections
from bam_engine.labelling.direct_answers import answer
from bam_engine.labelling.guideline_examples import add_examples
from bam_engine.maps import layout_builder
from bam_engine.training import thresholds
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from web.components.gallery import Answering, Picture

Open = Callable[..., AppTest]
Shown = dict[str, tuple[list[Picture], Answering | None]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The pictures of each gallery that a page draws, and what their keys answer about."""
    seen: Shown = {}

    def gallery(pictures: list[Picture], *, key: str, answering: Answering | None = None, **_: Any) -> None:
        seen[key] = list(pictures), answering

    for module in (
        "web.components.gallery",
        "web.image_facts",
        "web.map_selection",
        "web.picture_strips",
        "web.guideline_examples",
    ):
        monkeypatch.setattr(f"{module}.gallery", gallery)
    return seen


def keys_named(shown: Shown) -> int:
    """Return how many galleries name the keys."""
    return sum(answering is not None and answering.names_keys for _, answering in shown.values())


@pytest.fixture
def audited(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """An attribute with a threshold that was audited."""
    oracle.play(workspace, watercolor, count=1)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    oracle.answer(workspace, audits.draw(workspace, watercolor, n_accepted=4, n_rejected=4, seed=1).task, wrong=True)
    return workspace


@pytest.mark.parametrize("page", ["report", "audit"])
def test_the_pictures_of_a_report_and_of_an_audit_are_answered_about(
    audited: Workspace, watercolor: Attribute, open_page: Open, shown: Shown, page: str
) -> None:
    app = open_page(audited, page)
    assert not app.exception
    about = [answering for _, answering in shown.values() if answering is not None]
    assert len(about) > 1
    assert {(one.attribute, one.annotator) for one in about} == {(watercolor.id, "me")}
    assert keys_named(shown) == 1


def test_the_disputed_pictures_are_answered_about(
    workspace: Workspace, watercolor: Attribute, open_page: Open, shown: Shown
) -> None:
    workspace.redundancy = 2
    for name, said in (("ada", 1), ("ben", 0)):
        vote(workspace, watercolor, name, dict.fromkeys(range(30), 1) | {4: said, 7: said})
    app = open_page(workspace, "agreement")
    assert not app.exception
    (pictures, answering) = shown[f"disputes-{watercolor.id}"]
    assert [picture.row for picture in pictures] == [4, 7]
    assert answering is not None
    assert answering.attribute == watercolor.id


def test_the_selection_on_the_map_shows_labels_and_is_answered_about_for_the_attribute_chosen_there(
    workspace: Workspace, watercolor: Attribute, open_page: Open, shown: Shown
) -> None:
    other = workspace.attributes.add("comic", "media", "Is it a comic?")
    layout_builder.build(workspace, method="pca")
    for attribute, said in ((watercolor, 1), (other, 0)):
        answer(workspace, attribute, 5, said, annotator="ada")
    app = open_page(workspace, "map", selection=selections.save(workspace, [3, 5]))
    for attribute, mark in ((watercolor, "yes"), (other, "no")):
        app.selectbox(key="map-attribute").set_value(attribute.name).run()
        pictures, answering = shown["map-strip"]
        assert answering is not None
        assert answering.attribute == attribute.id
        assert {picture.row: picture.mark for picture in pictures} == {3: "", 5: mark}


def test_the_similar_pictures_are_answered_about_for_the_attribute_that_is_asked_about(
    workspace: Workspace, watercolor: Attribute, open_page: Open, shown: Shown
) -> None:
    app = open_page(workspace, "image", row="5")
    assert not app.exception
    pictures, answering = shown["image-near-5"]
    assert answering is not None
    assert (answering.attribute, answering.names_keys) == (watercolor.id, False), "the buttons above name the keys"
    answer(workspace, watercolor, pictures[0].row, 0, annotator="ada")
    app.run()
    assert shown["image-near-5"][0][0].mark == "no"


def test_pictures_of_the_guidelines_are_answers_already(
    audited: Workspace, watercolor: Attribute, open_page: Open, shown: Shown
) -> None:
    add_examples(audited, watercolor, [3], "good")
    open_page(audited, "report")
    assert shown[f"examples-{watercolor.id}"][1] is None
