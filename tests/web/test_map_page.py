"""The whole Map page in Chromium: links, what is selected and said of it, search, the view as a file."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from bam_engine.gallery import selections
from bam_engine.labelling import bulk
from bam_engine.maps import layout_builder, layout_store
from bam_engine.workspace import Workspace
from tests.browser import ROOT, served

pytestmark = pytest.mark.timeout(600)

NOT_OURS = {"exclude": [['[data-testid="stSidebarNav"]']]}
PLACED = """name => JSON.parse(
  Object.entries(sessionStorage).find(([key]) => key.startsWith('bam-map-') && key.endsWith(`-${name}`))?.[1] ?? 'null'
)"""


@pytest.fixture(scope="module")
def place(embedded_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, str]]:
    """A workspace with a map and an attribute, served."""
    home = tmp_path_factory.mktemp("map_page")
    shutil.copytree(embedded_template, home / "home")
    workspace = Workspace(home / "home" / "workspace", home / "home" / "cache")
    workspace.attributes.add("media_watercolor", "media", "Is it a watercolour?")
    layout_builder.build(workspace, method="pca")
    environment = {
        "BAM_WORKSPACE": str(workspace.folder),
        "BAM_CACHE": str(workspace.cache.parent),
        "SERVER_LOG": str(home / "server.log"),
    }
    with served("app:app", ROOT, environment) as url:
        yield workspace, url
    workspace.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1300, "height": 1100}, accept_downloads=True)
    context.set_default_timeout(60_000)
    found = context.new_page()
    yield found
    context.close()


def open_map(page: Page, url: str, **query: str) -> Any:
    told = "&".join(f"{name}={value}" for name, value in query.items())
    page.goto(f"{url}/map?{told}")
    page.locator("img.leaflet-tile-loaded").first.wait_for()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    return page.locator(".bam-map .leaflet-container")


def asked(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def lit_up(page: Page, selection: str) -> None:
    """Wait until the tiles that are shown are those of a selection."""
    page.locator(f".bam-map img.leaflet-tile-loaded[data-tile*='only={selection}']").first.wait_for()


def map_of(workspace: Workspace) -> layout_store.LayoutRecord:
    return layout_store.list_layouts(workspace)[0]


def test_a_link_opens_exactly_its_view_and_a_reload_keeps_it(page: Page, place: tuple[Workspace, str]) -> None:
    workspace, url = place
    record, chosen = map_of(workspace), selections.save(workspace, range(30))
    open_map(page, url, map=record.id, x="0.4", y="0.6", z="2", colour="density", selection=chosen, annotator="ada")
    lit_up(page, chosen)
    expect(page.get_by_text("30 images selected")).to_be_visible()
    assert page.evaluate(PLACED, record.id) == [pytest.approx(0.6), pytest.approx(0.4), 2]
    page.locator(".bam-map .leaflet-container").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1000)
    moved = asked(page)
    assert float(moved["x"]) > 0.4
    assert (moved["selection"], moved["annotator"], moved["z"]) == (chosen, "ada", "2")
    page.reload()
    lit_up(page, chosen)
    page.wait_for_timeout(500)
    assert asked(page) == moved
    page.get_by_role("button", name="Clear the selection (Escape)").click()
    page.wait_for_function("() => !location.search.includes('selection=')")
    expect(page.get_by_text("30 images selected")).to_have_count(0)
    page.wait_for_function("x => Number(new URLSearchParams(location.search).get('x')) > x", arg=float(moved["x"]))
    assert (asked(page)["y"], asked(page)["z"]) == (moved["y"], "2"), (
        "what was in view stays; there is more at its right"
    )


def test_the_links_of_other_pages_lead_to_the_place(page: Page, place: tuple[Workspace, str]) -> None:
    workspace, url = place
    page.goto(f"{url}/image?row=17")
    page.get_by_role("link", name="Show on the map").click()
    page.locator("img.leaflet-tile-loaded").first.wait_for()
    places, rows = layout_store.points_of(workspace, map_of(workspace).id)
    x, y = places[rows.tolist().index(17)]
    page.wait_for_function("() => location.search.includes('colour=')")
    assert float(asked(page)["x"]) == pytest.approx(float(x), abs=1e-3)
    assert float(asked(page)["y"]) == pytest.approx(float(y), abs=1e-3)


def test_a_rectangle_is_answered_for_at_once_and_taken_back(page: Page, place: tuple[Workspace, str]) -> None:
    workspace, url = place
    field = open_map(page, url)
    page.get_by_role("button", name="Select a rectangle").click()
    box = field.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 10, box["y"] + box["height"] - 10, steps=6)
    page.mouse.up()
    expect(page.get_by_text("images selected", exact=False).first).to_be_visible()
    page.wait_for_function("() => location.search.includes('selection=')")
    rows = selections.rows_of(workspace, asked(page)["selection"])
    assert len(rows) > 60
    lit_up(page, asked(page)["selection"])
    attribute = workspace.attributes.all()[0]
    page.get_by_role("button", name="All yes").click()
    expect(page.get_by_text(f"{len(rows)} images answered for watercolor (media): yes, in bulk.")).to_be_visible()
    assert bulk.current_answers(workspace, attribute)[0].tolist() == rows.tolist()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert len(bulk.current_answers(workspace, attribute)[0]) == 0
    with page.expect_popup() as _, page.context.expect_event("page"):
        page.get_by_role("link", name="Save as CSV").click()


def test_the_form_closes_when_its_map_is_begun_and_the_map_is_seen(page: Page, place: tuple[Workspace, str]) -> None:
    workspace, url = place
    chosen = selections.save(workspace, range(40))
    before = len(layout_store.list_layouts(workspace))
    open_map(page, url, selection=chosen)
    page.get_by_role("button", name="Make a map of it").click()
    page.get_by_role("radio", name="PCA").or_(page.get_by_role("button", name="PCA")).first.click()
    expect(page.get_by_text("Instant", exact=False)).to_be_visible()
    page.get_by_role("button", name="Make the map").click()
    expect(page.get_by_role("combobox", name="Map")).to_have_value("PCA of the selected images: 40 images")
    expect(page.get_by_role("button", name="Make the map")).to_have_count(0)
    assert len(layout_store.list_layouts(workspace)) == before + 1
    layout_store.delete(workspace, layout_store.list_layouts(workspace)[0].id)


def test_what_is_searched_lights_up_and_a_click_goes_there(page: Page, place: tuple[Workspace, str]) -> None:
    workspace, url = place
    open_map(page, url)
    title = workspace.catalogue.image(17).title or ""
    field = page.get_by_role("textbox", name="Search")
    field.fill(title)
    field.press("Enter")
    expect(page.get_by_text("found", exact=False).first).to_be_visible()
    page.wait_for_function("() => location.search.includes('selection=')")
    found = selections.rows_of(workspace, asked(page)["selection"])
    lit_up(page, asked(page)["selection"])
    cell = page.locator(".cell").first
    row = int(cell.get_attribute("data-row") or -1)
    assert row in found
    before = asked(page)
    cell.click()
    page.wait_for_function("before => new URLSearchParams(location.search).get('x') !== before", arg=before["x"])
    places, rows = layout_store.points_of(workspace, map_of(workspace).id)
    x, y = places[rows.tolist().index(row)]
    assert float(asked(page)["x"]) == pytest.approx(float(x), abs=1e-3)
    assert float(asked(page)["y"]) == pytest.approx(float(y), abs=1e-3)
    page.get_by_role("button", name="Clear", exact=True).click()
    page.wait_for_function("() => !location.search.includes('selection=')")
    expect(field).to_have_value("")


def test_images_like_one_are_found_with_the_button_on_the_map(page: Page, place: tuple[Workspace, str]) -> None:
    workspace, url = place
    places, rows = layout_store.points_of(workspace, map_of(workspace).id)
    x, y = (float(part) for part in places[5])
    field = open_map(page, url, map=map_of(workspace).id, x=f"{x:.6f}", y=f"{y:.6f}", z="2", colour="density")
    page.get_by_role("button", name="Find images like one").click()
    box = field.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_text("most like", exact=False).first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(rows) == 120


def test_a_picture_of_ones_own_finds_images_like_it(page: Page, place: tuple[Workspace, str]) -> None:
    workspace, url = place
    open_map(page, url)
    page.get_by_role("button", name="By image").click()
    page.locator("input[type=file]").set_input_files(workspace.catalogue.image(3).path)
    expect(
        page.get_by_test_id("stMainBlockContainer").get_by_text("most like the picture", exact=False)
    ).to_be_visible()
    page.wait_for_function("() => location.search.includes('selection=')")
    assert 3 in selections.rows_of(workspace, asked(page)["selection"])
    row = page.locator(".cell").first.get_attribute("data-row")
    assert row == "3", "the picture itself is most like it"


def test_the_view_is_saved_at_print_size(page: Page, place: tuple[Workspace, str], tmp_path: Path) -> None:
    _, url = place
    open_map(page, url)
    page.get_by_role("button", name="Save this view for print").click()
    form = page.get_by_role("form", name="Save this view for print")
    form.get_by_role("combobox", name="File").select_option("png-150")
    with page.expect_download() as told:
        form.get_by_role("button", name="Save").click()
    told.value.save_as(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.size == (1754, 1240)
    expect(form.get_by_role("status")).to_contain_text("Saved")
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_on_the_page_can_be_used_by_everybody_and_fits(
    browser: Browser, place: tuple[Workspace, str], theme: str
) -> None:
    workspace, url = place
    context = browser.new_context(viewport={"width": 1300, "height": 1100}, color_scheme=theme)  # type: ignore[arg-type]
    context.set_default_timeout(60_000)
    page = context.new_page()
    open_map(page, url, selection=selections.save(workspace, range(40)), z="1", x="0.5", y="0.5")
    page.get_by_role("button", name="Save this view for print").click()
    for width in (1300, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(500)
        found = Axe().run(page, context=NOT_OURS, options={"resultTypes": ["violations"]}).response["violations"]
        grave = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
        assert not grave
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    context.close()


def test_the_panel_of_the_selection_is_beside_the_map_and_below_it_on_a_phone(
    page: Page, place: tuple[Workspace, str]
) -> None:
    workspace, url = place
    chosen = selections.save(workspace, range(30))
    field, panel = open_map(page, url, selection=chosen), page.locator(".st-key-map-selection")
    for width in (1300, 1024):
        page.set_viewport_size({"width": width, "height": 800})
        expect(panel.get_by_text("30 images selected")).to_be_visible()
        a, b = field.bounding_box(), panel.bounding_box()
        assert b["x"] >= a["x"] + a["width"], f"beside at {width} px"
        assert abs(b["y"] - a["y"]) < 40
        assert b["x"] + b["width"] <= width
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(
        """() => document.querySelector('.st-key-map-side').getBoundingClientRect().top >=
        document.querySelector('.st-key-map-window').getBoundingClientRect().bottom"""
    )


def test_the_full_window_keeps_the_panel_and_what_it_does(page: Page, place: tuple[Workspace, str]) -> None:
    workspace, url = place
    chosen = selections.save(workspace, range(30))
    field, panel = open_map(page, url, selection=chosen), page.locator(".st-key-map-side")
    page.get_by_role("button", name="Fill the window").click()
    page.wait_for_function("() => document.documentElement.classList.contains('bam-map-full')")
    a, b = field.bounding_box(), panel.bounding_box()
    assert (a["x"], a["y"]) == (0, 0)
    assert (b["x"], b["x"] + b["width"]) == (a["width"], 1300)
    assert (b["y"], b["height"]) == (0, 1100)
    panel.get_by_role("button", name="Save").first.click()
    expect(page.get_by_label("Name of this view")).to_be_visible()
    page.get_by_label("Name of this view").fill("thirty")
    page.get_by_role("button", name="Save this view", exact=True).click()
    expect(page.get_by_role("button", name="Save this view", exact=True)).to_have_count(0)
    panel.get_by_role("button", name="Open in the gallery").click()
    expect(page.locator("h1")).to_have_text("Gallery")
