"""How often the first view of a map, with all that a browser requests for it, asks the database."""

from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

import web.engine
from bam_engine.maps import layout_builder, regions
from bam_engine.workspace import Workspace
from benchmarks.page_probe import ask_as_a_browser
from tests.database.counting import counted
from tests.labelling.team import vote
from tests.pages.conftest import text_of
from tests.pages.test_map_page import MapComponent
from web.server import routes


def test_the_first_view_of_a_map_of_twenty_attributes(
    open_page: Callable[..., AppTest], twenty: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = layout_builder.build(twenty, method="pca")
    regions.refresh(twenty, layout.id)
    monkeypatch.setenv("BAM_WORKSPACE", str(twenty.folder))
    monkeypatch.setenv("BAM_CACHE", str(twenty.cache.parent))
    component, client = MapComponent(monkeypatch), TestClient(Starlette(routes=routes()))
    shown = web.engine.workspace()  # another one on the same database, which has read nothing yet

    def visit() -> list[str]:
        with counted(shown.engine) as statements:
            text_of(open_page(twenty, "map"))
            ask_as_a_browser(client, component.data)
        return statements

    assert len(first := visit()) <= 40, first
    assert len(again := visit()) <= 5, again
    version = component.data["version"]
    vote(twenty, twenty.attributes.get("media_watercolor"), "ada", {0: 1})
    assert len(after_an_answer := visit()) <= 15, after_an_answer
    assert component.data["version"] != version
