"""Who answers: the name begins with what the browser remembers, and every page and answer goes by it."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.workspace import Workspace
from web import identity

Open = Callable[..., AppTest]


@pytest.fixture
def open_with_cookie(monkeypatch: pytest.MonkeyPatch, open_page: Open) -> Open:
    """Give a function that opens a page in a new session of a browser that remembers ``name``."""

    def run(workspace: Workspace, page: str, name: str) -> AppTest:
        monkeypatch.setattr("web.identity.cookies", lambda: {identity.COOKIE: quote(name)})
        return open_page(workspace, page, annotator=None)

    return run


@pytest.mark.parametrize(
    ("remembered", "name"),
    [("Żaneta B.", "Żaneta B."), ("", "me"), (" \u200b\n", "me"), ("a  na", "a na"), ("x" * 500, "me")],
)
def test_a_session_begins_with_the_name_that_the_browser_remembers(
    open_with_cookie: Open, workspace: Workspace, remembered: str, name: str
) -> None:
    app = open_with_cookie(workspace, "overview", remembered)
    assert not app.exception
    assert app.text_input(key="annotator").value == name


def test_the_name_that_the_browser_remembers_answers(
    open_with_cookie: Open, workspace: Workspace, watercolor: Attribute
) -> None:
    app = open_with_cookie(workspace, "image", "anna")
    app.button(key="image-answer-yes").click().run()
    assert not app.exception
    assert [one.name for one in workspace.annotators.all()] == ["anna"]


def test_a_name_that_is_typed_or_accepted_is_the_one_to_remember(open_page: Open, workspace: Workspace) -> None:
    app = open_page(workspace, "overview", annotator=None)
    assert not app.session_state["annotator-named"]
    app.text_input(key="annotator").set_value("Bo").run()
    assert (app.session_state["annotator-named"], app.session_state["annotator-chosen"]) == (True, True)
