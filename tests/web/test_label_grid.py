"""The labelling grid in a real browser, over a real database, with real pictures."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.label_grid_site import PER_PAGE, Site, site

__all__ = ["site"]  # the fixture


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    errors: list[Exception] = []
    page.on("pageerror", lambda error: errors.append(error))
    yield page
    assert not errors


def open_grid(page: Page, site: Site, assignment: str) -> None:
    page.goto(f"{site.url}/?assignment={assignment}")
    ready_to_save(page)


def ready_to_save(page: Page) -> None:
    expect(page.locator(".save[aria-disabled=false]")).to_be_visible(timeout=30_000)


def marks(page: Page) -> list[str]:
    return page.locator(".cell").evaluate_all("cells => cells.map(cell => cell.dataset.mark)")


def stored(site: Site, assignment: str) -> dict[int, int]:
    return site.annotations.answered_rows(assignment)


def test_a_page_is_marked_by_click_and_by_key_and_saved_by_enter(page: Page, site: Site) -> None:
    assignment = site.assign(range(20))
    open_grid(page, site, assignment)
    cells = page.locator(".cell")
    cells.nth(1).click()
    cells.nth(2).click()
    cells.nth(2).click()  # yes, and no again
    cells.nth(3).click(modifiers=["Shift"])
    assert marks(page)[:5] == ["no", "yes", "no", "unsure", "no"]
    for key in ["Home", "1", "0", "ArrowRight", "1", "Space", "u", "End", " "]:
        page.keyboard.press(key)  # Home: 1 steps on to the second, 0 makes it no, the arrow leaves out the third
    assert marks(page)[:6] == ["yes", "no", "no", "yes", "unsure", "no"]
    assert marks(page)[-1] == "yes"
    expect(page.locator(".save")).to_have_text("Save 3 yes, 8 no, 1 unsure")
    page.keyboard.press("Enter")
    expect(page.locator(".progress")).to_have_text("page 2 of 2 · 12 of 20 saved")
    expect(page.locator(".state")).to_have_text("All answers saved")
    assert stored(site, assignment) == dict.fromkeys(range(12), 0) | {0: 1, 3: 1, 4: -1, 11: 1}
    seconds = [said.seconds for said in site.annotations.image_annotations(site.attribute, 0)]
    assert 0 < seconds[-1] < 60


def test_arrows_move_by_columns_and_a_screen_reader_hears_the_grid(page: Page, site: Site) -> None:
    open_grid(page, site, site.assign(range(12)))
    columns = len(page.locator("[role=grid] > [role=row]").first.locator("[role=gridcell]").all())
    assert 1 < columns < 12
    for key in ["ArrowDown", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowUp", "ArrowLeft", "ArrowDown", "1"]:
        page.keyboard.press(key)
    cell = page.locator(".cell").nth(columns)
    assert cell.get_attribute("aria-selected") == "true"
    assert re.fullmatch(rf"Picture {columns + 1}, .*: yes", cell.get_attribute("aria-label") or "")
    assert (
        page.locator(".cell[tabindex='0']")
        .get_attribute("aria-label", timeout=1000)
        .startswith(f"Picture {columns + 2}")
    )


def test_z_takes_marks_back_and_then_goes_back_where_each_correction_is_saved_at_once(page: Page, site: Site) -> None:
    assignment = site.assign(range(24))
    open_grid(page, site, assignment)
    for key in ["1", "1", "z"]:
        page.keyboard.press(key)
    assert marks(page)[:2] == ["yes", "no"]
    page.keyboard.press("Enter")
    expect(page.locator(".progress")).to_contain_text("page 2 of 2 · 12 of 24")
    ready_to_save(page)
    page.keyboard.press("z")
    expect(page.locator(".progress")).to_contain_text("page 1 of 2")
    expect(page.locator(".save")).to_have_text("Next page")
    assert marks(page)[:2] == ["yes", "no"]
    for key in ["0", "u", "z", "1"]:
        page.keyboard.press(key)
    expect(page.locator(".state")).to_have_text("All answers saved")
    assert stored(site, assignment) == dict.fromkeys(range(12), 0) | {1: 1}
    ready_to_save(page)
    page.keyboard.press("Enter")
    expect(page.locator(".progress")).to_contain_text("page 2 of 2 · 12 of 24")
    assert stored(site, assignment) == dict.fromkeys(range(12), 0) | {1: 1}
    of_this = [s for s in site.annotations.image_annotations(site.attribute, 2) if s.assignment_id == assignment]
    assert len(of_this) == 1  # what did not change was not said again


def test_a_picture_is_skipped_by_key_and_touch_in_either_view_and_undone(page: Page, site: Site) -> None:
    assignment = site.assign(range(12))
    open_grid(page, site, assignment)
    for key in ["p", "ArrowRight", "p", "z", "p", "p"]:  # the second: skipped, undone, skipped, taken back
        page.keyboard.press(key)
    assert marks(page)[:3] == ["skipped", "no", "no"]
    cells = page.locator(".cell")
    expect(cells.nth(0)).to_have_attribute("aria-label", re.compile("^Picture 1, .*: skipped$"))
    cells.nth(4).hover()
    cells.nth(4).get_by_role("button", name="Skip").click()
    page.keyboard.press("o")
    expect(page.locator(".cell.at")).to_have_count(1)
    page.keyboard.press("p")  # the fifth again, and on to the sixth
    page.keyboard.press("p")
    page.keyboard.press("o")
    assert [place for place, mark in enumerate(marks(page)) if mark == "skipped"] == [0, 5]
    expect(page.locator(".save")).to_have_text("Save 10 no, 2 skipped")
    page.keyboard.press("Enter")
    expect(page.locator(".done")).to_contain_text("All done: 10 answers saved.2 pictures skipped")
    assert stored(site, assignment) == {row: 0 for row in range(12) if row not in (0, 5)}
    page.keyboard.press("z")
    ready_to_save(page)
    assert marks(page)[0] == "skipped", "as it was left"
    page.keyboard.press("1")
    expect(page.locator(".state")).to_have_text("All answers saved")
    assert stored(site, assignment)[0] == 1


def test_where_everything_is_decided_nothing_is_skipped(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/?assignment={site.assign(range(12))}&decides=1")
    ready_to_save(page)
    page.keyboard.press("p")
    assert set(marks(page)) == {"no"}
    expect(page.get_by_role("button", name="Skip")).to_have_count(0)


def test_two_fast_enters_do_not_answer_a_page_nobody_has_seen(page: Page, site: Site) -> None:
    assignment = site.assign(range(36))
    open_grid(page, site, assignment)
    page.evaluate(
        """async () => {
            for (let i = 0; i < 10; i += 1) {
                document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
                await new Promise((done) => setTimeout(done, 15));
            }
        }"""
    )
    expect(page.locator(".progress")).to_have_text("page 2 of 3 · 12 of 36 saved")
    assert len(stored(site, assignment)) == 12


def test_a_reply_that_got_lost_is_asked_for_again_and_stored_once(page: Page, site: Site) -> None:
    assignment = site.assign(range(12))
    open_grid(page, site, assignment)
    lost = []

    def lose_the_first(route):
        if lost:
            return route.continue_()
        lost.append(route.fetch())  # it reached the server; the browser never hears of it
        return route.abort()

    page.route("**/api/**", lose_the_first)
    page.keyboard.press("Enter")
    expect(page.locator(".state")).to_have_text("Not saved yet: 12 answers waiting")
    expect(page.locator(".done")).to_contain_text("All done: 12 answers saved.")
    of_this = [s for s in site.annotations.image_annotations(site.attribute, 0) if s.assignment_id == assignment]
    assert (len(lost), len(of_this)) == (1, 1)


@pytest.mark.parametrize("trouble", ["gone", "a sign-in page", "a stranger", "503"])
def test_answers_wait_for_a_server_in_trouble_even_in_a_closed_tab(
    page: Page, context: BrowserContext, site: Site, trouble: str
) -> None:
    assignment = site.assign(range(36))
    open_grid(page, site, assignment)
    reply = {
        "gone": lambda route: route.abort(),
        "a sign-in page": lambda route: route.fulfill(status=200, body="<html>", content_type="text/html"),
        "a stranger": lambda route: route.fulfill(status=200, json={"new": 3}),
        "503": lambda route: route.fulfill(status=503, json={"error": "later"}),
    }[trouble]
    context.route("**/api/**", reply)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator(".state")).to_have_text("Not saved yet: 12 answers waiting")
    expect(page.locator(".progress")).to_have_text("page 2 of 3 · 0 of 36 saved")
    ready_to_save(page)
    page.keyboard.press("z")  # a correction of what has not even arrived
    ready_to_save(page)
    page.keyboard.press("0")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator(".state")).to_have_text("Not saved yet: 14 answers waiting")
    assert stored(site, assignment) == {}
    page.close()
    context.unroute("**/api/**")
    other = context.new_page()
    open_grid(other, site, assignment)
    expect(other.locator(".progress")).to_have_text("page 2 of 3 · 12 of 36 saved")
    assert stored(site, assignment) == dict.fromkeys(range(12), 0) | {1: 1}
    assert other.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('bam.answers.')).length") == 0


def test_leaving_with_unsaved_answers_is_warned_of(page: Page, site: Site) -> None:
    open_grid(page, site, site.assign(range(24)))
    page.route("**/api/**", lambda route: route.abort())
    page.keyboard.press("Enter")
    expect(page.locator(".state")).to_contain_text("Not saved yet")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    ready_to_save(page)
    assert asked == ["beforeunload"]


def test_a_refusal_is_shown_and_does_not_hold_up_the_rest(page: Page, site: Site) -> None:
    assignment = site.assign(range(24))
    open_grid(page, site, assignment)
    page.route("**/api/**", lambda route: route.fulfill(status=400, json={"error": "row 3 is <b>odd</b>."}), times=1)
    page.keyboard.press("Enter")
    expect(page.locator(".state")).to_have_text("12 answers refused and kept in this browser: row 3 is <b>odd</b>.")
    ready_to_save(page)
    page.keyboard.press("Enter")
    expect(page.locator(".progress")).to_have_text("all pages · 12 of 24 saved")
    assert sorted(stored(site, assignment)) == list(range(12, 24))


def test_a_reload_loses_neither_answers_nor_marks_and_goes_on_where_it_was(page: Page, site: Site) -> None:
    assignment = site.assign(range(36))
    open_grid(page, site, assignment)
    page.keyboard.press("Enter")
    expect(page.locator(".progress")).to_have_text("page 2 of 3 · 12 of 36 saved")
    ready_to_save(page)
    page.locator(".cell").nth(4).click()
    page.reload()
    ready_to_save(page)
    expect(page.locator(".progress")).to_have_text("page 2 of 3 · 12 of 36 saved")
    assert marks(page).index("yes") == 4


def test_a_rerun_of_the_script_leaves_the_grid_as_it_is(page: Page, site: Site) -> None:
    open_grid(page, site, site.assign(range(24)))
    page.keyboard.press("Enter")
    expect(page.locator(".progress")).to_contain_text("page 2 of 2")
    ready_to_save(page)
    page.locator(".cell").nth(2).click()
    page.locator(".cell").nth(2).evaluate("cell => { cell.kept = true; }")
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("run 2")).to_be_visible()
    assert page.locator(".cell").nth(2).evaluate("cell => cell.kept && cell.dataset.mark") == "yes"
    page.locator(".cell").nth(2).focus()
    page.keyboard.press("0")
    assert marks(page)[2] == "no"


def test_keys_belong_to_fields_while_they_are_typed_in_and_letters_reach_nobody_else(page: Page, site: Site) -> None:
    open_grid(page, site, site.assign(range(24)))
    note = page.get_by_label("Note")
    note.press_sequentially("01uzv cr")
    assert note.input_value() == "01uzv cr"
    assert set(marks(page)) == {"no"}
    page.locator(".cell").first.click()
    page.evaluate("heard = []; document.body.addEventListener('keydown', (event) => heard.push(event.key))")
    for key in ["c", "r", "1", "Shift"]:
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Shift"]


def test_enter_waits_until_every_picture_has_come_and_one_that_fails_stays_unanswered(page: Page, site: Site) -> None:
    rows = range(1000, 1012)
    assignment = site.assign(rows)
    held = []
    page.route("**/thumbs/1003.webp*", lambda route: route.abort())
    page.route("**/thumbs/1005.webp*", lambda route: held.append(route))
    page.goto(f"{site.url}/?assignment={assignment}")
    expect(page.locator(".save")).to_have_text("Loading 11 of 12 pictures", timeout=30_000)
    page.keyboard.press("Enter")
    assert stored(site, assignment) == {}
    held[0].continue_()
    expect(page.locator(".save")).to_have_text("Save 11 no")
    expect(page.locator(".notice")).to_have_text("1 picture could not be loaded and will stay unanswered.")
    ready_to_save(page)
    page.locator(".cell").nth(3).click()
    page.keyboard.press("Enter")
    expect(page.locator(".done")).to_contain_text("1 picture could not be loaded and stayed unanswered.")
    expect(page.locator(".progress")).to_have_text("all pages · 11 of 12 saved")
    assert stored(site, assignment) == dict.fromkeys(set(rows) - {1003}, 0)
    page.unroute("**/thumbs/1003.webp*")
    page.get_by_role("button", name="Try the missing pictures again").click()
    expect(page.locator(".save")).to_have_text("Save 1 no")


def test_every_picture_is_asked_for_by_the_version_of_the_pictures_so_that_the_browser_keeps_it(
    page: Page, site: Site
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_grid(page, site, site.assign(range(1000, 1024)))
    pictures = [url for url in asked if "/thumbs/" in url or "/large/" in url]
    assert len(pictures) >= PER_PAGE
    assert all(url.endswith("?v=1") for url in pictures)


def test_pictures_further_down_are_looked_at_before_they_are_answered(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assignment = site.assign(range(12))
    open_grid(page, site, assignment)
    expect(page.locator(".save")).to_contain_text("not seen yet")
    page.keyboard.press("Enter")
    assert stored(site, assignment) == {}
    for _ in range(6):
        page.wait_for_timeout(500)
        page.keyboard.press("Enter")
    expect(page.locator(".done")).to_contain_text("All done: 12 answers saved.")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_large_picture_opens_and_closes_by_key_and_can_be_marked(page: Page, site: Site) -> None:
    open_grid(page, site, site.assign(range(24)))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("v")
    large = page.locator("dialog.large")
    expect(large.locator("img")).to_have_attribute("src", re.compile(r"/large/1\.webp\?v=1$"))
    expect(large.locator("figcaption")).to_have_text("<script>window.broken = 1</script> 1 · no")
    page.keyboard.press("1")
    expect(large.locator("figcaption")).to_contain_text("> 2 · no")
    page.keyboard.press("Space")
    expect(large.locator("figcaption")).to_contain_text("> 2 · yes")
    page.keyboard.press("Escape")
    expect(large).not_to_be_visible()
    assert marks(page)[:4] == ["no", "yes", "yes", "no"]
    page.keyboard.press("v")
    page.keyboard.press("Enter")  # closes; does not save
    expect(large).not_to_be_visible()
    expect(page.locator(".progress")).to_contain_text("page 1 of 2")
    assert page.evaluate("window.broken") is None


def test_the_end_is_told_to_python_once_everything_is_stored(page: Page, site: Site) -> None:
    assignment = site.assign(range(20))
    open_grid(page, site, assignment)
    page.keyboard.press("Enter")
    expect(page.locator(".progress")).to_contain_text("page 2 of 2")
    ready_to_save(page)
    page.keyboard.press("Enter")
    heard = page.get_by_text("Python heard:")
    expect(heard).to_contain_text("'answered': 20, 'unanswered': 0")
    expect(heard).to_contain_text(assignment)
    expect(page.get_by_text("run 2")).to_be_visible()
    assert len(stored(site, assignment)) == 20
    page.keyboard.press("z")
    expect(page.locator(".progress")).to_have_text("page 2 of 2 · 20 of 20 saved")


def test_a_key_that_comes_just_as_another_task_appears_marks_none_of_its_pictures(page: Page, site: Site) -> None:
    first, second = site.assign(range(10)), site.assign(range(30, 40))
    page.goto(f"{site.url}/?assignment={first}&then={second}")
    ready_to_save(page)
    pressed = page.evaluate_handle(
        """row => ({ once: new Promise((done) => {
          const look = () => {
            const roots = [...document.querySelectorAll('*')].map((part) => part.shadowRoot).filter(Boolean);
            const there = roots.some((root) => root.querySelector(`.cell[data-row="${row}"]`));
            if (!there) return void requestAnimationFrame(look);
            document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '1', bubbles: true, composed: true }));
            done();
          };
          look();
        }) })""",
        30,
    )
    page.keyboard.press("Enter")
    pressed.evaluate("pressed => pressed.once")
    ready_to_save(page)
    assert marks(page) == ["no"] * 10
    assert page.locator(".cell[data-marked]").count() == 0
    page.keyboard.press("1")
    assert marks(page) == ["yes"] + ["no"] * 9


def test_the_next_pages_pictures_are_fetched_ahead_and_no_cell_moves_while_they_come(page: Page, site: Site) -> None:
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.rpartition("/")[2].partition("?")[0]))
    open_grid(page, site, site.assign(range(60)))
    page.wait_for_timeout(300)
    assert {f"{row}.webp" for row in range(48)} <= asked
    assert not {f"{row}.webp" for row in range(48, 60)} & asked
    boxes = "cells => cells.map(cell => JSON.stringify(cell.getBoundingClientRect()))"
    before = page.locator(".cell").evaluate_all(boxes)
    page.keyboard.press("Enter")
    expect(page.locator(".progress")).to_contain_text("page 2 of 5")
    assert page.locator(".cell").evaluate_all(boxes) == before


def test_the_chosen_size_is_remembered(page: Page, site: Site) -> None:
    assignment = site.assign(range(12))
    open_grid(page, site, assignment)
    columns = "grid => getComputedStyle(grid).gridTemplateColumns.split(' ').length"
    medium = page.locator(".grid").evaluate(columns)
    page.locator(".size input").fill("2")
    large = page.locator(".grid").evaluate(columns)
    assert large < medium
    page.reload()
    expect(page.locator(".cell")).to_have_count(12)
    assert page.locator(".grid").evaluate(columns) == large
