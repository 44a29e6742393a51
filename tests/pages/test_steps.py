"""The steps on top of an attribute's pages: where each leads, what is next, and that they ask the database nothing."""

from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

import web.engine
from bam_engine.annotation import Attribute
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.database.counting import counted
from tests.pages.conftest import text_of

PAGES = ("attributes", "annotate", "agreement", "rounds", "threshold", "audit", "report")
LABELS = ["Define", "Validate", "Rounds", "Threshold", "Audit", "Report"]


def steps(app: AppTest) -> dict[str, object]:
    """Return the links of the steps by their labels."""
    return {part.proto.label: part.proto for part in app.get("page_link") if part.proto.label in LABELS}


def sentence(app: AppTest) -> str:
    return next(str(part.proto.body) for part in app.get("html") if "The steps of" in str(part.proto.body))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_an_attribute_has_its_steps(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, page: str
) -> None:
    app = open_page(workspace, page)
    assert not app.exception
    links = steps(app)
    assert list(links) == LABELS
    for one in links.values():
        assert parse_qs(one.query_string) == {"attribute": [watercolor.name]}
    assert "Define: done; Validate: next; Rounds: not yet (The validation sample has to be labelled" in sentence(app)
    assert links["Audit"].help == "A threshold has to be chosen first."


def test_the_attribute_in_focus_stays_from_page_to_page_and_in_the_address(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute
) -> None:
    workspace.attributes.add("content_cat", "content", "A cat?")
    app = open_page(workspace, "rounds", attribute=watercolor.name)
    assert app.session_state["attribute_kept"] == watercolor.name
    app.selectbox(key="attribute_picker").set_value("content_cat").run()
    assert app.query_params["attribute"] == "content_cat"
    assert "The steps of cat (content)" in sentence(app)
    other = open_page(workspace, "threshold", attribute="content_cat")  # as after a refresh
    assert other.selectbox(key="attribute_picker").value == "content_cat"


def test_the_steps_ask_the_database_nothing_once_it_was_read(
    open_page: Callable[..., AppTest],
    workspace: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    oracle.play(workspace, watercolor, count=1, batch=8)
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    shown = web.engine.workspace()
    app = open_page(workspace, "agreement")
    with counted(shown.engine) as again:
        text_of(app.run())
    assert len(again) <= 5, again
