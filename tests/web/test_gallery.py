"""The endless gallery in a real browser: 2.5 million generated images behind the real routes, Chromium."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.web.gallery_site import active, arranged, best, counted, gallery_site, in_sight, opened, until

N = 3000


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the little app."""
    with gallery_site(tmp_path_factory.mktemp("gallery_app")) as url:
        yield url


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []
    context.close()


def test_the_first_images_are_shown_in_order_with_what_is_known_of_them(page: Any, address: str) -> None:
    opened(page, address)
    first = page.locator(".cell").first
    shown = page.locator(".cell").evaluate_all(
        "cells => cells.map(cell => [Number(cell.dataset.index), Number(cell.dataset.row)])"
    )
    rows = best(page)
    assert [row for index, row in sorted(shown) if index < 40 and row][:20] == rows[:20]
    assert counted(page)[2] == N
    label = first.get_attribute("aria-label")
    assert "score" in label
    assert "probability" in label
    assert "accepted" in label
    assert (first.get_attribute("aria-posinset"), first.get_attribute("aria-setsize")) == ("1", str(N))


def test_pictures_come_many_at_once_and_by_themselves_where_they_were_not_made_yet(page: Any, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, address)
    until(page, lambda: page.locator(".cell img[src]").count() == page.locator(".cell").count(), "pictures are missing")
    shown = page.locator(".cell img").evaluate_all(
        """all => all.map(img => [img.src, img.parentElement.dataset])
        .map(([src, { index, row }]) => [Number(index), Number(row), src])"""
    )
    for index, row, source in shown:
        assert source.startswith("data:image/webp;base64,") if index < 3 else f"/thumbs/{row}.webp" in source
    until(
        page,
        lambda: page.locator(".cell img").evaluate_all("all => all.every(img => img.naturalWidth)"),
        "a picture cannot be decoded",
    )
    assert not [url for url in asked if any(f"/thumbs/{row}.webp" in url for row in best(page)[:3])]
    assert len([url for url in asked if ".pack" in url]) <= -(-len(shown) // 40) + 1


def test_only_what_is_near_is_in_the_page(page: Any, address: str) -> None:
    frame = opened(page, address, "many")
    for at in (0, 90_000, 4_000_000, 7_999_000):
        frame.evaluate("(frame, at) => { frame.scrollTop = at; }", at)
        page.wait_for_timeout(200)
        assert 0 < page.locator(".cell").count() < 200


def test_the_millionth_image_is_reached_by_its_number(page: Any, address: str) -> None:
    opened(page, address, "many")
    page.get_by_label("Go to the image of this number").fill("1234567")
    page.keyboard.press("Enter")
    cell = page.locator('.cell[aria-posinset="1234567"]')
    cell.locator("img.picture").wait_for()
    assert active(page) == 1_234_566
    assert 1_234_566 in in_sight(page)


def test_the_bar_reaches_the_first_and_the_last_image_though_no_browser_can_be_that_tall(
    page: Any, address: str
) -> None:
    frame = opened(page, address, "many")
    frame.evaluate("frame => { frame.scrollTop = frame.scrollHeight; }")
    page.locator('.cell[aria-posinset="2500000"] img').wait_for()
    until(page, lambda: counted(page)[1] == 2_500_000, "the last image is not counted")
    frame.evaluate("frame => { frame.scrollTop = 0; }")
    page.locator('.cell[aria-posinset="1"] img').wait_for()
    assert counted(page)[0] == 1
    for share in (0.2, 0.4, 0.6, 0.8):
        frame.evaluate("(frame, share) => { frame.scrollTop = share * frame.scrollHeight; }", share)
        until(
            page,
            lambda share=share: counted(page)[0] / 2_500_000 == pytest.approx(share, abs=0.04),
            f"{share} of the bar is not {share} of the list",
        )


def test_the_wheel_moves_pixel_by_pixel_in_the_middle_and_nothing_jumps_when_it_rests(page: Any, address: str) -> None:
    frame = opened(page, address, "many")
    page.get_by_label("Go to the image of this number").fill("1800000")
    page.keyboard.press("Enter")
    page.locator('.cell[aria-posinset="1800000"] img').wait_for()
    page.wait_for_timeout(400)
    tops = """frame => Object.fromEntries([...frame.querySelectorAll('.cell')].map(
        cell => [Number(cell.dataset.index), cell.getBoundingClientRect().top]))"""
    before = frame.evaluate(tops)

    def moved() -> set[int]:
        after = frame.evaluate(tops)
        return {round(after[i] - before[i]) for i in before if i in after}

    box = frame.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    for _ in range(3):
        page.mouse.wheel(0, 40)
        page.wait_for_timeout(60)
    until(page, lambda: moved() == {-120}, "three turns of 40 pixels do not move the pictures by 120")
    page.wait_for_timeout(600)  # past the rest, when the bar is put back to where it belongs
    assert moved() == {-120}
    bar = frame.evaluate("frame => frame.scrollTop / (frame.scrollHeight - frame.clientHeight)")
    assert bar == pytest.approx(1_800_000 / 2_500_000, abs=0.02)


@pytest.mark.parametrize("mode", ["Grid", "Rows"])
def test_cells_never_overlap_and_fill_the_width(page: Any, address: str, mode: str) -> None:
    frame = opened(page, address, "many")
    arranged(page, mode)
    page.get_by_label("Go to the image of this number").fill("600000")
    page.keyboard.press("Enter")
    page.locator('.cell[aria-posinset="600000"] img').wait_for()
    until(page, lambda: page.locator(".cell").count() > 20, "nothing is drawn beyond the edges")
    boxes = frame.evaluate(
        """frame => [...frame.querySelectorAll('.cell')].sort((a, b) => a.dataset.index - b.dataset.index).map(cell => {
        const box = cell.getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom]; })"""
    )
    for (left, top, right, _), (next_left, next_top, _, _) in pairwise(boxes):
        beside = abs(next_top - top) < 1 and next_left >= right
        below = next_top > top and next_left < right
        assert beside or below, (left, top, next_left, next_top)
    width = frame.evaluate("frame => frame.clientWidth")
    assert min(left for left, *_ in boxes) >= 0
    lasts = [box for box, following in pairwise(boxes) if following[1] > box[1] + 1]
    ends = [right for _, _, right, _ in lasts][1:]
    assert max(ends) - min(ends) < 2
    assert max(ends) <= frame.bounding_box()["x"] + width


def test_rows_keep_the_shape_of_the_pictures(page: Any, address: str) -> None:
    opened(page, address)
    with page.expect_response(lambda answer: "shapes.bin" in answer.url) as caught:
        arranged(page, "Rows")
    codes = page.request.get(caught.value.url).body()
    shown = page.locator(".cell:has(img)").evaluate_all(
        """cells => cells.map(cell => [Number(cell.dataset.index), cell.querySelector('img').getBoundingClientRect()])
        .map(([index, box]) => [index, box.width / box.height])"""
    )
    assert len(codes) == N
    assert len(shown) > 10
    for index, shape in shown:
        assert shape == pytest.approx(2 ** ((codes[index] - 128) / 32), rel=0.05)


def test_the_threshold_stands_between_the_last_accepted_and_the_first_rejected(page: Any, address: str) -> None:
    frame = opened(page, address)
    page.get_by_role("button", name="To the threshold").click()
    line = page.locator(".threshold")
    line.wait_for()
    assert line.text_content() == "Over <b>"
    page.locator(".cell.accepted img").first.wait_for()
    page.locator(".cell.rejected img").first.wait_for()
    at, told = frame.evaluate(
        """frame => { const top = part => part.getBoundingClientRect().top;
        return [top(frame.querySelector('.threshold')), [...frame.querySelectorAll('.accepted, .rejected')]
        .map(cell => [cell.classList.contains('accepted'), top(cell)])]; }"""
    )
    assert {accepted for accepted, _ in told} == {True, False}
    assert all((top < at) == accepted for accepted, top in told)


def test_keys_move_a_ring_that_stays_in_sight(page: Any, address: str) -> None:
    frame = opened(page, address, "many")
    frame.focus()
    columns = frame.evaluate(
        """frame => [...frame.querySelectorAll('.cell')].filter(cell => cell.getBoundingClientRect().top ===
        frame.querySelector('.cell').getBoundingClientRect().top).length"""
    )
    at = 0
    for key, by in (("ArrowRight", 1), ("ArrowDown", columns), ("ArrowLeft", -1), ("ArrowDown", columns)):
        page.keyboard.press(key)
        at += by
        assert active(page) == at
        assert at in in_sight(page)
    page.keyboard.press("ArrowUp")
    assert active(page) == at - columns
    page.keyboard.press("End")
    assert active(page) == 2_499_999
    until(page, lambda: 2_499_999 in in_sight(page), "the last image is not in sight")
    page.keyboard.press("PageUp")
    assert 2_499_900 < active(page) < 2_499_999
    assert active(page) in in_sight(page)
    page.keyboard.press("Home")
    assert active(page) == 0
    assert in_sight(page)[0] == 0
    page.keyboard.press("ArrowLeft")
    assert active(page) == 0
    page.keyboard.press("PageDown")
    page.keyboard.press("PageUp")
    assert active(page) == 0


def test_the_ring_crosses_the_threshold_downwards_and_back(page: Any, address: str) -> None:
    frame = opened(page, address, "many")
    page.get_by_role("button", name="To the threshold").click()
    frame.focus()
    assert active(page) == 1_000_000
    page.keyboard.press("ArrowUp")
    above = active(page)
    assert 999_980 < above < 1_000_000
    page.keyboard.press("ArrowDown")
    assert active(page) == 1_000_000


def test_a_click_and_enter_open_the_image_once(page: Any, address: str) -> None:
    frame = opened(page, address)
    rows = best(page)
    page.locator('.cell[aria-posinset="3"]').click()
    page.get_by_text(f"picked: {rows[2]}", exact=True).wait_for()
    frame.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_text(f"picked: {rows[3]}", exact=True).wait_for()


def test_images_are_chosen_by_mark_by_range_and_all_at_once(page: Any, address: str) -> None:
    frame = opened(page, address, "many")
    rows = best(page)
    page.locator('.cell[aria-posinset="2"]').hover()
    page.locator('.cell[aria-posinset="2"] .choose').click()
    page.get_by_text(f"chosen: 1, [{rows[1]}]").wait_for()
    page.locator('.cell[aria-posinset="6"]').click(modifiers=["Shift"])
    page.get_by_text(f"chosen: 5, [{rows[1]}]").wait_for()
    page.locator('.cell[aria-posinset="4"]').click(modifiers=["Control"])
    page.get_by_text(f"chosen: 4, [{rows[1]}]").wait_for()
    assert page.locator('.cell[aria-selected="true"]').count() == 4
    frame.focus()
    page.keyboard.press("Control+a")
    page.get_by_text("chosen: 2500000, ").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("chosen: 0, []").wait_for()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    page.get_by_text(f"chosen: 2, [{rows[0]}]").wait_for()
    assert page.get_by_text("picked: None").is_visible()


def test_the_place_is_kept_when_the_arrangement_or_the_size_changes(page: Any, address: str) -> None:
    opened(page, address, "many")
    page.get_by_label("Go to the image of this number").fill("70000")
    page.keyboard.press("Enter")
    page.locator('.cell[aria-posinset="70000"] img').wait_for()
    for step in ("Rows", "Grid"):
        arranged(page, step)
        until(page, lambda: abs(counted(page)[0] - 70_000) < 20, f"{step} has lost the place: {counted(page)}")
    page.get_by_label("Size of the pictures").fill("250")
    until(page, lambda: abs(counted(page)[0] - 70_000) < 20, "the place is lost")


def test_a_picture_that_is_missing_leaves_its_place_and_says_so(page: Any, address: str) -> None:
    page.goto(f"{address}/?listing=one")
    cell = page.locator(".cell.missing")
    cell.wait_for()
    assert "7.jpg" in cell.get_attribute("aria-label")


def test_an_empty_listing_is_said_to_be_empty(page: Any, address: str) -> None:
    page.goto(f"{address}/?listing=none")
    page.get_by_text("no images").wait_for()
    page.locator(".endless").press("End")
    assert page.locator(".cell").count() == 0


def test_near_duplicates_carry_their_number(page: Any, address: str) -> None:
    opened(page, address, "many")
    assert page.locator('.cell[aria-posinset="2"] .twins').text_content() == "× 4"
    assert page.locator('.cell[aria-posinset="1"] .twins').count() == 0


def test_another_listing_starts_at_its_beginning_and_coming_back_at_the_place_that_was_left(
    page: Any, address: str
) -> None:
    frame = opened(page, address)
    frame.evaluate("frame => { frame.scrollTop = 3000; }")
    until(page, lambda: counted(page)[0] > 20, "not scrolled")
    place = counted(page)[0]
    page.reload()
    page.locator(".cell img.picture").first.wait_for()
    assert counted(page)[0] == place


def test_who_comes_back_to_the_same_listing_finds_it_as_it_was_left_with_nothing_chosen(
    page: Any, address: str
) -> None:
    opened(page, address, "many")
    page.get_by_label("Go to the image of this number").fill("70000")
    page.keyboard.press("Enter")
    page.locator('.cell[aria-posinset="70000"] img').wait_for()
    page.locator(".endless").press("Space")
    page.get_by_text("chosen: 1,").wait_for()
    place, shown = counted(page), in_sight(page)
    page.locator(".cell").evaluate_all("cells => cells.forEach(cell => { cell.dataset.kept = 'yes'; })")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    away = page.get_by_text("Away")
    away.click()
    page.locator(".endless").wait_for(state="detached")
    away.click()
    page.locator(".endless").wait_for()
    assert (counted(page), in_sight(page)) == (place, shown)
    assert page.locator(".cell:not([data-kept])").count() == 0
    assert page.locator(".cell.selected").count() == 0
    page.get_by_text("chosen: 0,").wait_for()
    assert not [url for url in asked if "/api/gallery/" in url or "/thumbs/" in url]
    page.locator(".endless").press("ArrowRight")
    page.locator(".endless").press("Space")
    page.get_by_text("chosen: 1,").wait_for()
    assert active(page) == 70_000


def test_in_another_listing_nothing_is_chosen(page: Any, address: str) -> None:
    opened(page, address, "many")
    page.locator(".endless").press("Space")
    page.get_by_text("chosen: 1,").wait_for()
    assert page.locator(".choosing").count() == 1
    page.get_by_text("one", exact=True).click()
    page.locator('.cell[data-row="7"]').wait_for()
    page.get_by_text("chosen: 0,").wait_for()
    assert page.locator(".choosing, .cell.selected").count() == 0


def test_another_listing_is_not_shown_with_what_was_left(page: Any, address: str) -> None:
    opened(page, address, "many")
    away = page.get_by_text("Away")
    away.click()
    page.locator(".endless").wait_for(state="detached")
    page.get_by_text("one", exact=True).click()
    page.wait_for_timeout(300)
    away.click()
    page.locator('.cell[data-row="7"]').wait_for()
    assert counted(page) == (1, 1, 1)


def test_a_listing_that_changed_is_shown_as_it_is_now_in_the_same_place(page: Any, address: str) -> None:
    frame = opened(page, address)
    frame.evaluate("frame => { frame.scrollTop = 2500; }")
    until(page, lambda: counted(page)[0] > 15, "not scrolled")
    place = counted(page)[0]
    page.request.get(f"{address}/answer")
    page.get_by_label("Go to the image of this number").fill("2900")
    page.keyboard.press("Enter")
    page.get_by_text("The list has changed").wait_for()
    page.locator('.cell[aria-posinset="2900"] img').wait_for()
    page.locator(".endless").press("Home")
    page.locator('.cell[aria-posinset="1"] .mark.yes').wait_for()
    assert place > 15


def test_windows_are_kept_by_the_browser_and_unknown_ones_are_not_there(page: Any, address: str) -> None:
    with page.expect_response(lambda answer: "/api/gallery/" in answer.url) as caught:
        opened(page, address)
    answer = caught.value
    assert "immutable" in answer.headers["cache-control"]
    again = page.request.get(answer.url, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status == 304
    start = answer.url.partition("/0.json")[0]
    assert page.request.get(f"{start}/99999.json?q=%7B%22attribute%22:%5B%22one%22%5D%7D").status == 404
    assert page.request.get(f"{address}/api/gallery/unknown/0.json").status == 404
    assert page.request.get(f"{address}/api/gallery/unknown/0.json?q=nonsense").status == 400
    assert page.request.get(f"{address}/api/gallery/what/else").status == 404
    moved = page.request.get(f"{address}/api/gallery/old/0.json?q=%7B%7D")
    assert moved.json()["moved"]["total"] == N
    assert moved.headers["cache-control"] == "no-store"
