"""What stands on the map in a real browser: its address, names, the small map, the rectangle, the buttons."""

from typing import Any

import pytest

from tests.web.map_site import an_image, draw_around, loaded, number_of, open_map, said, zoom_in


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


def test_no_card_shows_for_what_lies_below_a_button(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    an_image(page, field)
    box = page.get_by_role("button", name="Save this view for print").bounding_box()
    there = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(*there, steps=8)
    page.wait_for_timeout(300)  # resting before letting go: no inertia
    page.mouse.up()
    page.mouse.move(there[0] + 2, there[1])
    page.mouse.move(*there)
    page.wait_for_timeout(500)
    assert not page.locator(".bam-card").is_visible()


def test_a_rectangle_is_dragged_from_corner_to_corner(page: Any, address: str) -> None:
    field = open_map(page, address)
    loaded(page, "density")
    button = page.get_by_role("button", name="Select a rectangle")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    draw_around(page, field, [(0.2, 0.05), (0.5, 0.6), (0.8, 0.95)])
    said(page, "corners", "4")
    page.wait_for_function("() => !document.body.innerText.includes('inside: None')")
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
    for _ in range(12):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "() => document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot.activeElement"
                "?.getAttribute('aria-label')?.split(/[:(]/)[0].trim()"
            )
        )
    for wanted in (
        "Show the whole map",
        "Fill the window",
        "Select an area",
        "Select a rectangle",
        "Find images like one",
        "Save this view",
    ):
        assert any(name and name.startswith(wanted) for name in names), names
