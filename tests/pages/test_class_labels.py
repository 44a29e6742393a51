"""Labels that exist already, on the page Attributes: read, chosen, previewed, stored, and taken back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.team import Role
from bam_engine.workspace import Workspace
from tests.pages.conftest import text_of as marked_text_of
from tests.pages.test_people_page import Team

OpenPage = Callable[..., AppTest]


@pytest.fixture
def coco(workspace: Workspace, tmp_path: Path) -> Path:
    """A COCO file of four pictures, three of them of the collection; two show a dog."""
    paths = [workspace.catalogue.image(row).uri for row in range(3)]
    content = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate([*paths, "elsewhere.jpg"])],
        "annotations": [{"image_id": image, "category_id": 1} for image in (0, 2)],
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "car"}],
    }
    file = tmp_path / "instances.json"
    file.write_text(json.dumps(content))
    return file


@pytest.fixture
def team(workspace: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> Team:
    return Team(workspace, open_page, monkeypatch)


def text_of(app: AppTest) -> str:
    """The text of the page as it is read, without the backslashes of Markdown."""
    return marked_text_of(app).replace("\\", "")


def votes(workspace: Workspace, attribute: Attribute) -> dict[int, int]:
    found = tasks.votes(workspace, attribute)
    return dict(zip(found.rows.tolist(), found.answers.tolist(), strict=True))


def read(app: AppTest, place: str) -> AppTest:
    app.text_input(key="classes-path").set_value(place)
    next(button for button in app.button if button.label == "Read its classes").click()
    return app.run()


def test_classes_are_read_chosen_previewed_stored_and_taken_back(
    open_page: OpenPage, workspace: Workspace, watercolor: Attribute, coco: Path
) -> None:
    app = read(open_page(workspace, "attributes"), str(coco))
    words = text_of(app)
    assert "a COCO file, 3 images in the collection, 2 classes" in words
    assert "1 path matches no image: elsewhere" in words
    assert app.multiselect(key="classes-chosen").options == ["dog · 2", "car · 0"]
    app.multiselect(key="classes-chosen").set_value(["dog"]).run()
    app.selectbox(key="classes-of-dog").set_value(watercolor.name).run()
    app.checkbox(key="classes-complete").check().run()
    (plan,) = app.dataframe[0].value.to_dict("records")
    assert (plan["attribute"], plan["yes"], plan["no"]) == (watercolor.name, 2, 1)
    assert votes(workspace, watercolor) == {}, "a preview stores nothing"
    app.button(key="classes-store").click().run()
    assert "Say who gave these labels" in text_of(app)
    app.text_input(key="classes-source").set_value("COCO").run()
    app.button(key="classes-store").click().run()
    assert "3 labels of media" in text_of(app)
    assert votes(workspace, watercolor) == {0: 1, 1: 0, 2: 1}
    app.button(key="undo").click().run()
    text_of(app)
    assert votes(workspace, watercolor) == {}


def test_what_cannot_be_read_says_why_in_the_words_of_the_command(
    open_page: OpenPage, workspace: Workspace, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[1]")
    app = open_page(workspace, "attributes")
    assert "is no dataset: its JSON is a list" in text_of(read(app, str(wrong)))
    assert "No path was given" in text_of(read(app, " "))
    assert "classes-chosen" not in [one.key for one in app.multiselect]


def test_owners_alone_import(team: Team) -> None:
    for role, shown in ((Role.REVIEWER, False), (Role.OWNER, True)):
        app = team.open("attributes", role)
        assert ("classes-path" in [one.key for one in app.text_input]) == shown
