"""The Attributes page: an attribute is renamed or archived, and each is undone at once."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.gallery import saved_views
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.workspace import Workspace
from tests.pages.conftest import text_of


def test_an_attribute_is_renamed_and_named_back(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    kite = workspace.attributes.add("kite", "own", "Is there a kite?")
    app = open_page(workspace, "attributes")
    app.text_input(key="name-1-kite").set_value("sail")
    app.button(key="rename-1").click().run()
    assert "kite is called sail" in text_of(app)
    app.button(key="undo").click().run()
    assert workspace.attributes.all() == [kite]


def test_a_name_that_exists_is_refused_beside_its_field(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    for name in ("cat", "kite"):
        workspace.attributes.add(name, "own", "Is there one?")
    app = open_page(workspace, "attributes")
    app.text_input(key="name-1-cat").set_value("kite")
    app.button(key="rename-1").click().run()
    assert "There is already an attribute 'kite'" in app.error[0].value
    assert app.button(key="archive-2")  # the rest of the page is there


def test_its_own_name_renames_nothing(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    workspace.attributes.add("kite", "own", "Is there a kite?")
    app = open_page(workspace, "attributes")
    app.button(key="rename-1").click().run()
    assert not app.success


def test_an_undo_that_is_refused_leaves_the_page_and_the_offer(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    workspace.attributes.add("kite", "own", "Is there a kite?")
    app = open_page(workspace, "attributes")
    app.text_input(key="name-1-kite").set_value("sail")
    app.button(key="rename-1").click().run()
    workspace.attributes.add("kite", "own", "Is there another?")
    app.button(key="undo").click().run()
    assert "There is already an attribute 'kite'" in app.error[0].value
    assert app.button(key="undo")
    assert app.button(key="archive-1")


def test_an_archived_attribute_is_listed_and_brought_back(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    workspace.attributes.add("kite", "own", "Is there a kite?")
    app = open_page(workspace, "attributes")
    app.button(key="archive-1").click().run()
    assert "kite is archived" in text_of(app)
    app.button(key="restore-1").click().run()
    assert not workspace.attributes.get("kite").archived


def test_links_and_saved_views_with_a_former_name_open_the_attribute(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    for name in ("cat", "kite"):
        workspace.attributes.add(name, "own", "Is there one?")
    saved_views.save(workspace, "all kites", Query(attribute="kite"))
    kite = workspace.attributes.rename(2, "content_kite")
    assert saved_views.load(workspace, "all kites").query.attribute == kite.name
    assert len(list_images(workspace, Query(attribute="kite", label=("unlabelled",)))) == 120
    for page in ("rounds", "gallery"):
        app = open_page(workspace, page, attribute="kite")
        assert not app.exception
        assert app.query_params["attribute"] in (kite.name, [kite.name]), page


@pytest.mark.parametrize("page", ["rounds", "annotate", "threshold", "audit", "agreement", "report"])
def test_a_link_to_an_archived_attribute_is_not_answered_with_another_in_silence(
    workspace: Workspace, open_page: Callable[..., AppTest], page: str
) -> None:
    for name in ("cat", "kite"):
        workspace.attributes.add(name, "own", "Is there one?")
    workspace.attributes.archive(2)
    assert "'kite' is archived" in open_page(workspace, page, attribute="kite").warning[0].value.replace("\\", "")
    assert not open_page(workspace, page, attribute="cat").warning
