"""The Map page: what a link opens, what is selected and found, what is said of all of it, and maps that go."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import web.components.map
from bam_engine.annotation import Attribute
from bam_engine.gallery import saved_views, search, selections
from bam_engine.gallery.class_balance import class_balance
from bam_engine.gallery.query import Query
from bam_engine.labelling import bulk, drawn_images
from bam_engine.maps import layout_builder, layout_store, view_cache
from bam_engine.training import validation
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection
from tests.pages.conftest import text_of
from web import ui
from web.components.map import DrawnArea, ImageClick, MapEvents, SwatchClick

Open = Callable[..., AppTest]
EVERYWHERE = ((-1.0, -1.0), (2.0, -1.0), (2.0, 2.0), (-1.0, 2.0))


class MapComponent:
    """What the page hands to the map's component, and what that gives back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events = MapEvents(None, None)
        self.data: dict[str, object] = {}
        monkeypatch.setattr(web.components.map, "picture_map", self._draw)

    def _draw(self, map_id: str, **data: object) -> MapEvents:
        self.data = {"map": map_id, **data}
        return self.events

    @property
    def place(self) -> tuple[float, float, int | None]:
        goto = self.data["goto"]
        assert isinstance(goto, web.components.map.Goto)
        return goto.x, goto.y, goto.zoom


@pytest.fixture
def component(monkeypatch: pytest.MonkeyPatch) -> MapComponent:
    return MapComponent(monkeypatch)


@pytest.fixture
def layout(workspace: Workspace) -> layout_store.LayoutRecord:
    return layout_builder.build(workspace, method="pca")


def button(app: AppTest, label: str) -> object:
    return next(one for one in app.button if one.label == label)


def test_a_link_opens_its_map_place_colour_and_selection(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    layout_builder.build(workspace, method="pacmap")  # newer, so it would be shown
    chosen = selections.save(workspace, [3, 5, 8])
    app = open_page(
        workspace, "map", map=layout.id, x="0.25", y="0.75", z="3", colour="density", selection=chosen, annotator="ada"
    )
    assert "3 images selected" in text_of(app)
    assert (component.data["map"], component.data["colour"], component.data["selection"]) == (
        layout.id,
        "density",
        chosen,
    )
    assert component.place == (0.25, 0.75, 3)
    first = component.data["goto"]
    app.run()
    assert component.data["goto"] == first, "what was told before is no news"


def test_the_pictures_shown_are_chosen_kept_in_the_address_and_opened_by_a_link(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    app = open_page(workspace, "map")
    assert component.data["pictures"] == "best"
    chooser = app.selectbox(key="map-pictures")
    assert chooser.options == ["Highest score", "Most typical", "Newest"]
    chooser.set_value("newest").run()
    assert component.data["pictures"] == "newest"
    for name, value in {"map": layout.id, "colour": "density", "pictures": "newest", "z": "5"}.items():
        app.query_params[name] = value
    app.run()
    assert (component.data["pictures"], component.data["goto"]) == ("newest", None), "what the browser wrote is no news"
    open_page(workspace, "map", map=layout.id, colour="density", pictures="medoid", x="0.5", y="0.5", z="3")
    assert component.data["pictures"] == "medoid"
    open_page(workspace, "map", map=layout.id, colour="density", pictures="worst")
    assert component.data["pictures"] == "best"


def test_an_address_that_the_map_itself_wrote_moves_nothing(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    app = open_page(workspace, "map")
    assert component.data["goto"] is None
    for name, value in {"map": layout.id, "colour": "density", "x": "0.1", "y": "0.2", "z": "5"}.items():
        app.query_params[name] = value
    app.run()
    assert component.data["goto"] is None


@pytest.mark.parametrize(("x", "y", "z"), [("nan", "0.5", "3"), ("", "", ""), ("a", "b", "c"), ("0.5", "inf", "1")])
def test_a_place_that_is_none_is_passed_over(
    open_page: Open,
    workspace: Workspace,
    layout: layout_store.LayoutRecord,
    component: MapComponent,
    x: str,
    y: str,
    z: str,
) -> None:
    text_of(open_page(workspace, "map", map=layout.id, x=x, y=y, z=z))
    assert component.data["goto"] is None


def test_a_place_beyond_the_map_is_its_edge_and_a_zoom_beyond_is_the_deepest(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    open_page(workspace, "map", map=layout.id, x="-7", y="1e9", z="1e6")
    assert component.place == (0.0, 1.0, 16)


def test_a_link_to_what_is_gone_says_so_and_shows_what_there_is(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    app = open_page(workspace, "map", map="gone", selection="0" * 20, colour="mood")
    text = text_of(app)
    assert "The map of this link no longer exists" in text
    assert "was not found" in text
    assert (component.data["map"], component.data["colour"], component.data["selection"]) == (layout.id, "density", "")


def test_a_link_to_a_selection_goes_to_where_it_lies(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    places, rows = layout_store.points_of(workspace, layout.id)
    open_page(workspace, "map", selection=selections.save(workspace, rows[:4]))
    goto = component.data["goto"]
    assert isinstance(goto, web.components.map.Goto)
    assert goto.bounds == (*places[:4].min(axis=0).tolist(), *places[:4].max(axis=0).tolist())


def test_a_drawn_area_is_the_selection_until_it_is_cleared(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    app = open_page(workspace, "map")
    component.events = MapEvents(None, DrawnArea(EVERYWHERE, "1"))
    app.run()
    assert "120 images selected" in text_of(app)
    assert (component.data["handled"], component.data["show_area"]) == ("1", True)
    assert selections.rows_of(workspace, str(component.data["selection"])).tolist() == list(range(120))
    component.events = MapEvents(None, None, cleared="2")
    app.run()
    assert "selected" not in text_of(app).replace("select with", "")
    assert (component.data["selection"], component.data["handled"]) == ("", "2")


def test_a_click_on_the_legend_selects_its_images_and_another_one_clears_that(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    kind = "category-project"
    app = open_page(workspace, "map", colour=kind)
    names, codes = workspace.catalogue.project_names()
    largest = int(np.bincount(codes[codes >= 0]).argmax())
    project, rows = names[largest], np.flatnonzero(codes == largest).tolist()
    component.events = MapEvents(None, None, swatch=SwatchClick(project, kind, "1"))
    app.run()
    assert selections.rows_of(workspace, str(component.data["selection"])).tolist() == rows
    assert component.data["swatch"] == project
    assert f"in the legend: {ui.plain(project)}" in text_of(app)
    app.run()  # the same click is applied once
    assert component.data["swatch"] == project
    component.events = MapEvents(None, None, swatch=SwatchClick(project, kind, "2"))
    app.run()
    assert (component.data["selection"], component.data["swatch"]) == ("", "")
    component.events = MapEvents(None, None, swatch=SwatchClick("a project that has gone", kind, "3"))
    app.run()
    assert component.data["selection"] == ""
    assert not app.exception


def test_everybody_is_answered_at_once_and_it_can_be_taken_back(
    open_page: Open,
    workspace: Workspace,
    layout: layout_store.LayoutRecord,
    component: MapComponent,
    watercolor: Attribute,
) -> None:
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    held = set(drawn_images.held_out_rows(workspace, watercolor).tolist())
    chosen = [row for row in range(120) if row not in held][:10] + sorted(held)[:2]
    app = open_page(workspace, "map", selection=selections.save(workspace, chosen), annotator="ada")
    text = text_of(app)
    assert "An answer would be given to 10 images as ada" in text
    assert "left out: 2 held out to judge" in text
    button(app, "All no").click().run()  # type: ignore[attr-defined]
    rows, answers = bulk.current_answers(workspace, watercolor)
    assert (rows.tolist(), set(answers.tolist())) == (sorted(set(chosen) - held), {0})
    assert bulk.history(workspace, watercolor)[0].annotator == "ada"
    button(app, "Undo").click().run()  # type: ignore[attr-defined]
    assert len(bulk.current_answers(workspace, watercolor)[0]) == 0
    assert not app.exception


def test_what_a_search_finds_is_selected_best_first(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    app = open_page(workspace, "map")
    app.text_input(key="map-search-text").set_value("apple").run()
    rows = search.by_words(workspace, "apple", 200)
    assert len(rows)
    assert f"{len(rows)} image" in text_of(app)
    assert selections.rows_of(workspace, str(component.data["selection"])).tolist() == sorted(rows.tolist())
    assert f"{len(rows)} image" in app.toast[0].value
    assert "see the panel by the map" in app.toast[0].value
    app.text_input(key="map-search-text").set_value("nothing <b> has this").run()
    searched = search.searched_by_words(workspace)
    assert app.toast[0].value == f"No image found for “nothing \\<b\\> has this”; searched {searched}"
    app.text_input(key="map-search-text").set_value("").run()
    assert component.data["selection"] == ""


def test_an_encoder_that_reads_text_finds_by_meaning_or_by_names(
    open_page: Open, workspace: Workspace, component: MapComponent, clip_checkpoint: Path
) -> None:
    workspace.choose_encoder("openclip:small-test", clip_checkpoint)
    embed_collection(workspace)
    layout_builder.build(workspace, method="pca")
    app = open_page(workspace, "map")
    app.selectbox(key="map-search-count").set_value(50)
    app.text_input(key="map-search-text").set_value("apple").run()
    rows = selections.rows_of(workspace, str(component.data["selection"]))
    assert rows.tolist() == sorted(search.by_text(workspace, "apple", 50).tolist())
    assert "50 images found" in text_of(app)
    app.segmented_control(key="map-search-how").set_value("words").run()
    rows = selections.rows_of(workspace, str(component.data["selection"]))
    assert rows.tolist() == sorted(search.by_words(workspace, "apple", 50).tolist())


def test_a_text_of_a_hundred_kilobytes_gets_a_clear_message(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    app = open_page(workspace, "map")
    app.text_input(key="map-search-text").set_value("a" * 100_000).run()
    assert "has 100,000 characters; the limit is 1,000" in text_of(app).replace("\\", "")


def test_images_like_one_on_the_map_are_found(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    app = open_page(workspace, "map")
    component.events = MapEvents(ImageClick(7, "1", like=True), None)
    app.run()
    expected = {7, *search.by_image(workspace, 7, count=200).tolist()}
    assert set(selections.rows_of(workspace, str(component.data["selection"])).tolist()) == expected
    assert "most like" in text_of(app)


def test_a_map_is_deleted_at_once_the_next_one_shown_and_it_can_be_brought_back(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    other = layout_builder.build(workspace, method="pacmap")
    app = open_page(workspace, "map", map=other.id)
    button(app, "Delete").click().run()  # type: ignore[attr-defined]
    assert [record.id for record in layout_store.list_layouts(workspace)] == [layout.id]
    assert component.data["map"] == layout.id
    assert "is deleted, and links to it do not open" in text_of(app)
    button(app, "Undo").click().run()  # type: ignore[attr-defined]
    assert component.data["map"] == other.id
    assert "is deleted" not in text_of(app)
    for _ in range(2):
        button(app, "Delete").click().run()  # type: ignore[attr-defined]
    assert "There is no map of this encoder's vectors yet" in text_of(app)
    button(app, "Undo").click().run()  # type: ignore[attr-defined]
    assert [record.id for record in layout_store.list_layouts(workspace)] == [layout.id]


def test_maps_that_would_be_called_the_same_say_when_they_were_made(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    for rows in (range(40), range(40, 80)):
        chosen = selections.save(workspace, rows)
        layout_builder.build(workspace, method="pca", scope="selection", selection=chosen)
    app = open_page(workspace, "map")
    names = app.selectbox(key="map-chosen").options
    assert len(names) == 3
    assert sum(", made " in name for name in names) == 2


def test_rows_that_are_not_on_the_map_are_counted(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    part = layout_builder.build(
        workspace, method="pca", scope="selection", selection=selections.save(workspace, range(10))
    )
    app = open_page(workspace, "map", map=part.id, selection=selections.save(workspace, range(5, 25)))
    assert "20 images selected" in text_of(app)
    assert "5 of them on this map" in text_of(app)
    inside = view_cache.rows_in_polygon(workspace, part.id, EVERYWHERE)
    np.testing.assert_array_equal(inside, np.arange(10))


def test_the_panel_counts_the_classes_of_the_selection_and_saves_it_as_a_view(
    open_page: Open, played: Workspace, watercolor: Attribute, component: MapComponent
) -> None:
    layout_builder.build(played, method="pca")
    chosen = selections.save(played, range(0, 120, 3))
    app = open_page(played, "map", selection=chosen)
    (balance,) = class_balance(played, range(0, 120, 3))
    shown = "".join(one.proto.body for one in app.get("html"))
    assert f"{balance.accepted} accepted, {balance.rejected} rejected" in shown
    assert f"{balance.labelled_yes} labelled yes, {balance.labelled_no} labelled no" in shown
    next(one for one in app.text_input if one.label == "Name of this view").set_value("every third")
    button(app, "Save this view").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    (view,) = saved_views.load_all(played)
    assert (view.name, view.query) == ("every third", Query(selection=chosen))


def test_a_selection_without_decisions_has_no_classes(
    open_page: Open, workspace: Workspace, layout: layout_store.LayoutRecord, component: MapComponent
) -> None:
    app = open_page(workspace, "map", selection=selections.save(workspace, range(10)))
    assert "10 images selected" in text_of(app)
    assert not any("bam-balance" in one.proto.body and "accepted" in one.proto.body for one in app.get("html"))
