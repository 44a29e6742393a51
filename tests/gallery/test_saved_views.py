"""Saved views: a query under a name, restored after it was removed."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.errors import BamError, NotFound
from bam_engine.gallery import saved_views
from bam_engine.gallery.query import Query
from bam_engine.workspace import Workspace

CATS = Query(yes=("cat",), no=("people",), sort="newest")


def test_a_view_keeps_its_query_until_it_is_removed_and_after_it_is_restored(workspace: Workspace) -> None:
    saved_views.save(workspace, "  cats,  alone ", CATS)
    assert [view.name for view in saved_views.load_all(workspace)] == ["cats, alone"]
    assert saved_views.load(workspace, "cats, alone").query == CATS
    gone = saved_views.remove(workspace, "cats, alone")
    assert saved_views.load_all(workspace) == ()
    saved_views.save(workspace, gone.name, gone.query)
    assert saved_views.load(workspace, "cats, alone").query == CATS


def test_views_are_sorted_alike_on_every_database(database_url: str, tmp_path: Path) -> None:
    opened = Workspace(tmp_path / "workspace", tmp_path / "cache", database_url=database_url)
    for name in ("b", "a", "B", "é", "_"):
        saved_views.save(opened, name, CATS)
    assert [view.name for view in saved_views.load_all(opened)] == sorted("baBé_")
    opened.close()


def test_a_name_in_use_is_replaced_only_on_request(workspace: Workspace) -> None:
    saved_views.save(workspace, "mine", CATS)
    with pytest.raises(BamError, match="already"):
        saved_views.save(workspace, "mine", Query())
    assert saved_views.load(workspace, "mine").query == CATS
    saved_views.save(workspace, "mine", Query(), replace=True)
    assert saved_views.load(workspace, "mine").query == Query()


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_an_invalid_name_is_rejected(workspace: Workspace, name: str) -> None:
    with pytest.raises(BamError, match="1 to 80"):
        saved_views.save(workspace, name, CATS)


def test_the_number_of_views_is_limited(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MAX_VIEWS", 1)
    saved_views.save(workspace, "one", CATS)
    with pytest.raises(BamError, match="Remove one"):
        saved_views.save(workspace, "two", CATS)
    saved_views.save(workspace, "one", Query(), replace=True)


def test_an_unknown_view_raises_with_the_existing_names(workspace: Workspace) -> None:
    saved_views.save(workspace, "mine", CATS)
    for ask in (saved_views.load, saved_views.remove):
        with pytest.raises(NotFound, match="Saved views: mine"):
            ask(workspace, "yours")


def test_a_view_that_cannot_be_read_hides_no_other(workspace: Workspace) -> None:
    saved_views.save(workspace, "mine", CATS)
    unreadable = {"name": "odd", "query": '{"sort": ["by smell"]}', "version": saved_views.VERSION}
    later = {"name": "later", "query": CATS.json(), "version": saved_views.VERSION + 1}
    with workspace.engine.begin() as connection:
        for values in (unreadable, later):
            connection.execute(sa.insert(db.saved_views).values(**values, made_at=db.now()))
    assert [view.name for view in saved_views.load_all(workspace)] == ["mine"]
