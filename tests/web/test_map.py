"""The map in a real browser: a small app of its own, 5,000 generated points, real pictures, Chromium."""

import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import served

pytestmark = pytest.mark.browser

SERVER = """
    import csv, io, os
    from pathlib import Path

    import numpy as np
    import streamlit as st
    from PIL import Image
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    from bam_engine.projection import MapView, fit_unit_square
    from web.routes.tiles import tile_routes

    FOLDER = Path(os.environ["PICTURES"])
    with (FOLDER / "labels.csv").open(newline="", encoding="utf-8") as file:
        FILES = [line["path"] for line in csv.DictReader(file)][::97][:60]

    def thumbnail(row):
        with Image.open(FOLDER / FILES[row % len(FILES)]) as image:
            image.thumbnail((128, 128))
            return image.convert("RGB")

    def thumb(request):
        file = io.BytesIO()
        thumbnail(int(request.path_params["row"])).save(file, "WEBP")
        return Response(file.getvalue(), media_type="image/webp")

    def generated(count, seed=0):
        rng = np.random.default_rng(seed)
        middles = rng.normal(size=(12, 2))
        layout = fit_unit_square(middles[rng.integers(12, size=count)] + rng.normal(scale=0.15, size=(count, 2)))
        scores = rng.normal(size=count).astype(np.float32) + 6 * layout[:, 0]
        labels = np.where(scores > 5, 1, np.where(rng.random(count) < 0.5, 0, -1))
        return MapView(
            layout, version="1", thumbnail=thumbnail, scores={"media_comic": scores}, labels={"media_comic": labels},
            describe=lambda row: {"title": f"generated {row} <b>"},
        )

    def names(request):
        if request.path_params["map_id"] != "demo":
            return Response(status_code=404)
        told = [
            {"name": "all of it", "why": "it is <b>all</b>", "x": 0.5, "y": 0.5, "count": 900, "from": 0, "to": 1},
            {"name": "hidden", "why": "below", "x": 0.51, "y": 0.5, "count": 9, "from": 0, "to": 1},
            {"name": "closer", "why": "close by", "x": 0.5, "y": 0.5, "count": 90, "from": 2, "to": 16},
        ]
        return JSONResponse({"names": told, "busy": False})

    MAPS = {"demo": generated(5000), "empty": generated(0), "one": generated(1)}
    MAPS["demo"].warm()
    app = st.App(
        Path(__file__).with_name("script.py").resolve(),
        routes=[
            *tile_routes(MAPS.get),
            Route("/thumbs/{row:int}.webp", thumb),
            Route("/api/maps/{map_id}/names.json", names),
        ],
    )
"""

SCRIPT = """
    import streamlit as st

    from server import MAPS
    from web.components.map import picture_map

    st.set_page_config(layout="wide")
    name = "one" if st.checkbox("another map") else st.query_params.get("map", "demo")
    view = MAPS[name]
    colour = st.segmented_control("Colour", view.kinds(), default="density")
    found = picture_map(
        name, version=view.version, colour=colour, picture_from_zoom=view.picture_from_zoom, max_zoom=view.max_zoom,
        count=len(view), legend=view.legend(colour), key="map",
    )
    st.write(f"picked: {found.picked.row if found.picked else None}")
    st.write(f"corners: {len(found.area.corners) if found.area else None}")
    st.write(f"inside: {len(view.source.in_polygon(found.area.corners)) if found.area else None}")
"""


@pytest.fixture(scope="module")
def address(shared_images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The little app, served by uvicorn on a free port."""
    folder = tmp_path_factory.mktemp("map_app")
    (folder / "server.py").write_text(textwrap.dedent(SERVER), encoding="utf-8")
    (folder / "script.py").write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    environment = {"PICTURES": str(shared_images), "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}
    with served("server:app", folder, environment, ask="/tiles/demo/density/0/0/0.webp") as url:
        yield url


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def open_map(page: Any, url: str) -> Any:
    page.goto(url)
    field = page.locator(".bam-map .leaflet-container")
    field.wait_for()
    return field


def loaded(page: Any, kind: str) -> None:
    """Wait until a tile of a kind has arrived that shows something (an empty one is 1 x 1)."""
    tiles = page.locator(f'.bam-map img.leaflet-tile-loaded[src*="/{kind}/"]')
    end = time.monotonic() + 20
    while not tiles.evaluate_all("images => images.some((image) => image.naturalWidth === 256)"):
        assert time.monotonic() < end, f"no tile of {kind} has arrived"
        page.wait_for_timeout(50)


def zoom_in(page: Any, field: Any, times: int) -> None:
    box = field.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _ in range(times):
        page.mouse.wheel(0, -240)
        page.wait_for_timeout(400)


def an_image(page: Any, field: Any) -> tuple[float, float]:
    """A place on the screen where the map has an image: the middle, moved until a card shows."""
    box = field.bounding_box()
    for step in range(60):
        x = box["x"] + box["width"] * (0.3 + 0.007 * step)
        y = box["y"] + box["height"] * (0.3 + 0.007 * step)
        page.mouse.move(x, y)
        page.wait_for_timeout(60)
        if page.locator(".bam-card").is_visible():
            return x, y
    pytest.fail("no card appeared anywhere along the diagonal of the map")


@pytest.mark.parametrize("path", ["tiles/demo", "tiles/demo/density/0/0.webp", "vendor/leaflet.css"])
def test_an_unknown_address_is_a_404_in_the_whole_app_too(address: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as told:
        urllib.request.urlopen(f"{address}/{path}", timeout=10)
    told.value.close()


def test_far_away_the_map_shows_density_and_the_wheel_leads_to_pictures(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    assert page.locator('.bam-map img[src*="/pictures-density/"]').count() == 0
    zoom_in(page, field, 3)
    loaded(page, "pictures-density")


def test_hovering_shows_the_image_and_clicking_gives_its_row_to_python(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    x, y = an_image(page, field)
    title = page.locator(".bam-card .title").inner_text()
    row = int(title.split()[1])
    assert title == f"generated {row} <b>"
    assert page.get_by_text("picked: None").is_visible()
    page.wait_for_function(
        "row => document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"
        ".querySelector('.bam-card img[src$=\"/thumbs/' + row + '.webp\"]')?.naturalWidth > 0",
        arg=row,
    )
    page.mouse.click(x, y)
    page.get_by_text(f"picked: {row}", exact=True).wait_for()


def test_another_colour_and_a_rerun_keep_the_view(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    zoom_in(page, field, 2)
    page.wait_for_timeout(600)
    placed = "view => sessionStorage.getItem('bam-map-demo')"
    before = page.evaluate(placed)
    page.get_by_text("score-media_comic").click()
    loaded(page, "score-media_comic")
    page.locator('.bam-map img[src*="/density/"]').first.wait_for(state="detached")
    assert page.evaluate(placed) == before
    assert page.locator(".bam-legend .title").inner_text() == "Score: media comic"
    assert page.locator(".bam-map").count() == 1


def test_the_keyboard_alone_reaches_and_picks_an_image(page: Any, address: str) -> None:
    field = open_map(page, f"{address}/?map=one")
    loaded(page, "pictures-density")
    field.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".bam-cross").wait_for()
    page.keyboard.press("ArrowLeft")
    page.locator(".bam-card").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("picked: 0", exact=True).wait_for()


def test_a_map_without_images_says_so(page: Any, address: str) -> None:
    open_map(page, f"{address}/?map=empty")
    page.get_by_text("There is no image on this map yet.").wait_for()


def test_the_map_fits_a_narrow_screen(page: Any, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    open_map(page, address)
    loaded(page, "density")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".bam-map").bounding_box()["width"] <= 390


def test_dragging_moves_the_map_and_the_button_brings_it_back(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    box = field.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 60, steps=6)
    page.wait_for_timeout(300)  # resting before letting go: no inertia
    page.mouse.up()
    placed = "() => JSON.parse(sessionStorage.getItem('bam-map-demo'))"
    lat, lng, zoom = page.evaluate(placed)
    assert lng == pytest.approx(0.5 - 120 / (256 * 2**zoom), abs=0.01)
    assert lat == pytest.approx(0.5 - 60 / (256 * 2**zoom), abs=0.01)
    assert page.get_by_text("picked: None").is_visible()
    page.get_by_role("button", name="Show the whole map").click()
    page.wait_for_function("() => JSON.parse(sessionStorage.getItem('bam-map-demo'))[1] === 0.5")


def number_of(page: Any, what: str) -> str:
    """What the script says of the area: its corners or the images inside."""
    return str(page.locator("p", has_text=f"{what}:").inner_text().split(": ")[1])


def said(page: Any, what: str, wanted: str) -> None:
    page.get_by_text(f"{what}: {wanted}", exact=True).wait_for()


def draw_around(page: Any, field: Any, shares: list[tuple[float, float]], *, steps: int = 12) -> None:
    """Draw with the mouse through places given as shares of the map's width and height."""
    box = field.bounding_box()
    corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=steps)
    page.mouse.up()


SQUARE = [(0.2, 0.05), (0.8, 0.05), (0.8, 0.95), (0.2, 0.95), (0.2, 0.06)]


def test_an_area_drawn_with_shift_gives_its_images_to_python_and_picks_none(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    before = page.evaluate("() => sessionStorage.getItem('bam-map-demo')")
    page.keyboard.down("Shift")
    draw_around(page, field, SQUARE)
    page.keyboard.up("Shift")
    page.locator(".bam-map path.leaflet-interactive, .bam-map svg path").first.wait_for()
    page.wait_for_function("() => !document.body.innerText.includes('inside: None')")
    assert 1000 < int(number_of(page, "inside")) <= 5000
    assert 4 <= int(number_of(page, "corners")) <= 8
    page.wait_for_timeout(500)
    said(page, "picked", "None")
    assert page.evaluate("() => sessionStorage.getItem('bam-map-demo')") == before  # the map itself has not moved


def test_the_button_draws_one_area_and_then_the_map_is_dragged_again(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    button = page.locator(".bam-lasso")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    draw_around(page, field, SQUARE)
    page.wait_for_function("() => !document.body.innerText.includes('inside: None')")
    assert button.get_attribute("aria-pressed") == "false"
    inside, before = number_of(page, "inside"), page.evaluate("() => sessionStorage.getItem('bam-map-demo')")
    draw_around(page, field, [(0.5, 0.5), (0.6, 0.6)])
    page.wait_for_timeout(600)
    assert page.evaluate("() => sessionStorage.getItem('bam-map-demo')") != before
    assert number_of(page, "inside") == inside  # a place on the map, not on the screen


def test_a_wild_line_is_sent_with_at_most_200_corners(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    zigzag = [(0.1 + 0.8 * step / 400, 0.1 + 0.8 * (step % 2)) for step in range(400)]
    page.keyboard.down("Shift")
    draw_around(page, field, zigzag, steps=1)
    page.keyboard.up("Shift")
    page.wait_for_function("() => !document.body.innerText.includes('corners: None')")
    assert 3 <= int(number_of(page, "corners")) <= 200


def test_escape_and_the_cross_clear_the_area_and_a_slip_of_the_hand_selects_nothing(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    page.keyboard.down("Shift")
    draw_around(page, field, [(0.5, 0.5), (0.502, 0.502)])
    page.keyboard.up("Shift")
    page.wait_for_timeout(500)
    said(page, "inside", "None")
    for clear in (lambda: page.locator(".bam-clear").click(), lambda: page.keyboard.press("Escape")):
        page.keyboard.down("Shift")
        draw_around(page, field, SQUARE)
        page.keyboard.up("Shift")
        page.wait_for_function("() => !document.body.innerText.includes('inside: None')")
        field.focus()
        page.mouse.move(5, 5)
        page.locator(".bam-card").wait_for(state="hidden")
        clear()
        said(page, "inside", "None")
        assert not page.locator(".bam-clear").is_visible()


def test_the_keyboard_selects_what_is_in_view(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    field.focus()
    page.keyboard.press("Shift+Enter")
    said(page, "inside", "5000")
    said(page, "corners", "4")


def test_another_map_begins_without_an_area(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    page.keyboard.down("Shift")
    draw_around(page, field, SQUARE)
    page.keyboard.up("Shift")
    page.wait_for_function("() => !document.body.innerText.includes('inside: None')")
    page.get_by_text("another map").click()
    said(page, "inside", "None")


def test_the_address_follows_the_view_and_keeps_what_others_wrote_without_a_run(page: Any, address: str) -> None:
    field = open_map(page, f"{address}/?annotator=ada")
    loaded(page, "density")
    page.wait_for_function("() => new URLSearchParams(location.search).get('map') === 'demo'")
    steps = page.evaluate("() => history.length")
    runs = page.evaluate("() => document.querySelectorAll('[data-stale=true]').length")
    zoom_in(page, field, 1)
    box = field.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 250, steps=5)
    page.wait_for_timeout(300)
    page.mouse.up()
    page.wait_for_timeout(600)
    told = page.evaluate("() => Object.fromEntries(new URLSearchParams(location.search))")
    lat, lng, zoom = page.evaluate("() => JSON.parse(sessionStorage.getItem('bam-map-demo'))")
    assert told["annotator"] == "ada"
    assert (told["map"], told["colour"]) == ("demo", "density")
    assert float(told["x"]) == pytest.approx(lng, abs=1e-4)
    assert float(told["y"]) == pytest.approx(lat, abs=1e-4)
    assert int(told["z"]) == zoom
    assert page.evaluate("() => history.length") == steps
    assert runs == 0
    page.get_by_text("score-media_comic").click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('colour') === 'score-media_comic'")


def test_a_rectangle_is_dragged_from_corner_to_corner(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    button = page.get_by_role("button", name="Select a rectangle")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    draw_around(page, field, [(0.2, 0.05), (0.5, 0.6), (0.8, 0.95)])
    said(page, "corners", "4")
    assert 1000 < int(number_of(page, "inside")) <= 5000
    assert button.get_attribute("aria-pressed") == "false"


def test_names_stand_on_the_land_at_their_zooms_say_why_and_can_be_hidden(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    shown = page.locator(".bam-name span:visible")
    page.wait_for_function("() => !!document.querySelector('[data-testid=stBidiComponentIsolated]')")
    name = page.get_by_role("note", name="all of it. it is <b>all</b>")
    name.wait_for()
    assert shown.all_inner_texts() == ["all of it"], "the smaller area's name would touch it"
    name.focus()
    page.locator(".bam-why", has_text="it is <b>all</b>").wait_for()
    field.focus()
    page.locator(".bam-why").wait_for(state="detached")
    box = field.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(".bam-why", has_text="it is <b>all</b>").wait_for()
    zoom_in(page, field, 2)
    page.get_by_role("note", name="closer. close by").wait_for()
    assert shown.all_inner_texts() == ["closer"]
    page.get_by_role("button", name="Names of the areas").click()
    page.locator(".bam-name").first.wait_for(state="detached")


def test_the_small_map_frames_the_view_and_leads_anywhere(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    small = page.locator(".bam-mini")
    assert not small.is_visible(), "all of the map is in view"
    zoom_in(page, field, 2)
    small.wait_for()
    box = small.bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"])
    page.wait_for_timeout(500)
    lat, lng, zoom = page.evaluate("() => JSON.parse(sessionStorage.getItem('bam-map-demo'))")
    assert (lng, lat) == (pytest.approx(0.25, abs=0.02), pytest.approx(0.75, abs=0.02))
    frame, field_box = page.locator(".bam-mini .frame").bounding_box(), field.bounding_box()
    wide = min(1, lng + field_box["width"] / 512 / 2**zoom) - max(0, lng - field_box["width"] / 512 / 2**zoom)
    assert frame["width"] / (box["width"] - 2) == pytest.approx(wide, abs=0.03)


def test_the_keyboard_reaches_every_button_of_the_map(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    field.focus()
    names = []
    for _ in range(10):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "() => document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot.activeElement"
                "?.getAttribute('aria-label')?.split(/[:(]/)[0].trim()"
            )
        )
    for wanted in (
        "Show the whole map",
        "Select an area",
        "Select a rectangle",
        "Find images like one",
        "Save this view",
    ):
        assert any(name and name.startswith(wanted) for name in names), names
