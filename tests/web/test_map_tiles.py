"""How the map in a browser gets its tiles."""

import re
from typing import Any

from tests.web.map_site import loaded, open_map, zoom_in

PACK = re.compile(r"/tiles/demo/([^/]+)/(\d+)\.pack\?")


class Asked:
    """The packs that a page has asked for: kind, zoom, and whether ahead."""

    def __init__(self, page: Any) -> None:
        self.packs: list[tuple[str, int, bool]] = []
        self.left: list[str] = []
        page.on("request", lambda request: self._note(request.url))
        page.on("requestfailed", lambda request: self.left.append(request.url))

    def _note(self, url: str) -> None:
        found = PACK.search(url)
        if found:
            self.packs.append((found[1], int(found[2]), "ahead=1" in url))

    def of(self, *, ahead: bool) -> list[tuple[str, int]]:
        return [(kind, zoom) for kind, zoom, early in self.packs if early is ahead]


def settled(page: Any, asked: Asked) -> None:
    """Wait until nothing has been asked for in a while."""
    before = -1
    while len(asked.packs) != before:
        before = len(asked.packs)
        page.wait_for_timeout(700)


def test_a_view_costs_one_request_for_each_of_its_layers(page: Any, address: str) -> None:
    asked, tiles = Asked(page), []
    page.on("request", lambda request: tiles.extend(re.findall(r"/tiles/demo/[\w-]+/\d+/\d+/\d+.*", request.url)))
    page.emulate_media(reduced_motion="reduce")
    field = open_map(page, address)
    loaded(page, "density")
    assert len(asked.of(ahead=False)) == 1
    zoom_in(page, field, 3)
    loaded(page, "pictures-density")
    settled(page, asked)
    in_sight = asked.of(ahead=False)
    assert len(set(in_sight)) == len(in_sight)
    assert {name.partition("?")[0] for name in tiles} == {"/tiles/demo/density/0/0/0"}, "the minimap"


def test_what_the_next_turn_of_the_wheel_shows_is_there_before_it_turns(page: Any, address: str) -> None:
    asked = Asked(page)
    page.emulate_media(reduced_motion="reduce")
    field = open_map(page, address)
    loaded(page, "density")
    box = field.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
    settled(page, asked)
    assert asked.of(ahead=False) == [("density", 1)]
    assert ("pictures-density", 2) in asked.of(ahead=True)
    page.mouse.wheel(0, -100)
    loaded(page, "pictures-density/2")
    settled(page, asked)
    assert asked.of(ahead=False) == [("density", 1)]
    assert ("pictures-density", 3) in asked.of(ahead=True)


def test_what_did_not_come_is_asked_for_again(page: Any, address: str) -> None:
    answers = iter(("abort", "full"))

    def route(route: Any) -> None:
        how = next(answers, None)
        if how is None:
            route.continue_()
        elif how == "abort":
            route.abort()
        else:
            route.fulfill(status=503, body="too many tiles are waited for")

    page.route(PACK, route)
    open_map(page, address)
    loaded(page, "density")
    assert next(answers, None) is None


def test_what_is_not_there_is_not_asked_for_again(page: Any, address: str) -> None:
    asked = Asked(page)
    page.route(PACK, lambda route: route.fulfill(status=404, body="not there"))
    open_map(page, address)
    page.wait_for_timeout(2500)
    assert len(asked.of(ahead=False)) == 1


def test_a_view_that_is_left_is_not_waited_for(page: Any, address: str) -> None:
    asked = Asked(page)
    page.emulate_media(reduced_motion="reduce")
    page.route(re.compile(r"\.pack\?(?!.*ahead=1)"), lambda route: None)  # no answer ever comes
    field = open_map(page, address)
    box = field.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(500)
    ((kind, zoom),) = asked.of(ahead=False)
    for _ in range(2):
        page.mouse.wheel(0, -240)
        page.wait_for_timeout(400)
    assert any(f"/{kind}/{zoom}.pack" in url for url in asked.left)


def test_while_one_spares_data_nothing_is_fetched_ahead(page: Any, address: str) -> None:
    asked = Asked(page)
    page.add_init_script("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    field = open_map(page, address)
    loaded(page, "density")
    settled(page, asked)
    zoom_in(page, field, 1)
    settled(page, asked)
    assert len(asked.of(ahead=False)) > 1
    assert asked.of(ahead=True) == []
