"""The map in a real browser: looking at it, and drawing areas on it."""

import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.web.map_site import (
    SQUARE,
    an_image,
    draw_around,
    loaded,
    number_of,
    open_map,
    said,
    zoom_in,
)


@pytest.mark.slow  # the whole app is started
@pytest.mark.parametrize("path", ["tiles/demo", "tiles/demo/density/0/0", "modules/0/components/map/map.js"])
def test_an_unknown_address_is_a_404_in_the_whole_app_too(address: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as told:
        urllib.request.urlopen(f"{address}/{path}", timeout=10)
    told.value.close()


def test_far_away_the_map_shows_density_and_the_wheel_leads_to_pictures(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    assert page.locator('.bam-map img[data-tile*="/pictures-density/"]').count() == 0
    zoom_in(page, field, 3)
    loaded(page, "pictures-density")


def test_quick_notches_of_the_wheel_are_all_heard_and_every_tile_of_the_last_zoom_comes(
    page: Any, address: str
) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    zoom = "() => JSON.parse(sessionStorage.getItem('bam-map-demo'))[2]"
    first = page.evaluate(zoom)
    zoom_in(page, field, 1)
    before = page.wait_for_function(f"first => ({zoom})() > first && ({zoom})()", arg=first).json_value()
    page.wait_for_timeout(300)  # the map rests 200 ms after a zoom has begun, which a busy machine begins late
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(90)
    page.mouse.wheel(0, -100)
    page.wait_for_function(f"before => ({zoom})() === before + 2", arg=before)
    page.wait_for_function(ALL_LOADED, arg=before + 2)


def test_a_notch_that_comes_before_the_first_frame_of_a_zoom_is_heard(page: Any, address: str) -> None:
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => ({})")  # as with a graphics card
    page.add_init_script("window.requestAnimationFrame = draw => setTimeout(() => draw(performance.now()), 400)")
    field = open_map(page, address)
    loaded(page, "density")
    zoom = "() => JSON.parse(sessionStorage.getItem('bam-map-demo'))[2]"
    first = page.evaluate(zoom)
    field.evaluate(
        """async field => {
          const { left, top, width, height } = field.getBoundingClientRect();
          const about = { clientX: left + width / 2, clientY: top + height / 2, bubbles: true, cancelable: true };
          const turn = () => field.dispatchEvent(new WheelEvent("wheel", { deltaY: -100, ...about }));
          turn();
          setTimeout(turn, 150); // the zoom is asked for by then, and its first frame is not drawn
        }"""
    )
    page.wait_for_function(f"first => ({zoom})() === first + 2", arg=first)
    page.wait_for_function(ALL_LOADED, arg=first + 2)


@pytest.mark.parametrize("sort", ["button", "key"])
def test_quick_presses_add_up_although_the_zoom_of_the_first_is_still_animated(
    page: Any, address: str, sort: str
) -> None:
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => ({})")  # as with a graphics card
    field = open_map(page, address)
    loaded(page, "density")
    zoom = "() => JSON.parse(sessionStorage.getItem('bam-map-demo'))[2]"
    first = page.evaluate(zoom)
    if sort == "button":
        field.evaluate(PRESSES)
    else:
        field.focus()
        for _ in range(4):
            page.keyboard.press("+")
    page.wait_for_function(f"first => ({zoom})() === first + 4", arg=first)
    page.wait_for_function(ALL_LOADED, arg=first + 4)
    field.evaluate("field => field.querySelector('.leaflet-control-zoom-out').click()")
    page.get_by_role("button", name="Show the whole map").evaluate("button => button.click()")
    page.wait_for_function(f"first => ({zoom})() === first", arg=first)


PRESSES = """async (field) => {
  const press = () => field.querySelector(".leaflet-control-zoom-in").click();
  press();
  press();
  while (!field.querySelector(".leaflet-zoom-anim")) await new Promise(requestAnimationFrame);
  press();
  press();
}"""


ALL_LOADED = """zoom => {
  const root = document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot;
  const tiles = [...root.querySelectorAll('.leaflet-tile-pane img[data-tile*="/density/"]')];
  const there = tiles.filter((tile) => tile.dataset.tile.includes(`/density/${zoom - 1}/`));
  return there.length > 0 && there.every((tile) => tile.classList.contains('leaflet-tile-loaded'));
}"""


def test_a_map_that_is_left_in_mid_zoom_throws_no_error(page: Any, address: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => ({})")  # as with a graphics card
    field = open_map(page, address)
    loaded(page, "density")
    field.evaluate(
        """field => {
          const turn = () => field.dispatchEvent(new WheelEvent("wheel", { deltaY: -100, bubbles: true }));
          const turning = setInterval(() => field.isConnected ? turn() : clearInterval(turning), 40);
        }"""
    )
    page.wait_for_timeout(300)
    page.get_by_text("no map", exact=True).click()
    page.locator(".bam-map").wait_for(state="detached")
    page.wait_for_timeout(1000)
    assert errors == []


def test_a_swatch_of_the_legend_is_a_button_that_says_which_images_are_meant(page: Any, address: str) -> None:
    open_map(page, address)
    page.get_by_text("accepted-media_comic").click()
    swatch = page.get_by_role("button", name="accepted", exact=True)
    swatch.click()
    said(page, "swatch", "accepted")
    assert swatch.get_attribute("aria-pressed") == "false", "the page has selected nothing"


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
    page.locator('.bam-map img[data-tile*="/density/"]').first.wait_for(state="detached")
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


def test_a_map_that_is_hidden_and_shown_again_is_where_it_was(page: Any, address: str) -> None:
    """As it is for a moment when its page is left, and again when somebody comes back to it."""
    field = open_map(page, address)
    zoom_in(page, field, 1)
    page.wait_for_timeout(400)  # the address follows a move
    before = page.url
    assert "x=" in before
    for shown in ("none", ""):
        page.locator(".bam-map").evaluate("(root, shown) => { root.style.display = shown; }", shown)
        page.wait_for_timeout(500)
    assert page.url == before
    kept = page.evaluate("() => JSON.stringify(sessionStorage)")
    page.locator(".bam-map").evaluate("root => { root.style.display = 'none'; }")
    page.wait_for_timeout(500)
    assert page.evaluate("() => JSON.stringify(sessionStorage)") == kept


def test_a_map_without_images_says_so(page: Any, address: str) -> None:
    open_map(page, f"{address}/?map=empty")
    page.get_by_text("There is no image on this map yet.").wait_for()


def test_the_map_fits_a_narrow_screen(page: Any, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    open_map(page, address)
    loaded(page, "density")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".bam-map").bounding_box()["width"] <= 390


def test_a_map_that_is_half_below_the_window_stays_where_it_is_when_it_is_pressed(page: Any, address: str) -> None:
    page.set_viewport_size({"width": 900, "height": 420})
    field = open_map(page, address)
    loaded(page, "density")
    before = field.bounding_box()
    assert before["y"] + before["height"] > 420, "else nothing could scroll"
    page.mouse.move(before["x"] + 400, 300)
    page.mouse.down()
    page.wait_for_timeout(200)
    assert field.bounding_box() == before
    page.mouse.up()
    assert field.evaluate("field => field.getRootNode().activeElement === field"), "keys go to the map"


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
