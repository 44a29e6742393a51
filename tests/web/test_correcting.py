"""One click below a picture of a short gallery corrects its label or adds it to the guidelines, in a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import small_app

SERVER = """
    import os
    from pathlib import Path

    import streamlit as st
    from starlette.responses import Response
    from starlette.routing import Route
    from PIL import Image

    from benchmarks.generated import collection, scored_attribute
    from tests.labelling.team import vote
    from web.routes.direct_answers import direct_answer_routes
    from web.routes.modules import module_routes

    WORKSPACE = collection(Path(os.environ["HOME_OF_TEST"]), 40, projects=20)
    ONE = scored_attribute(WORKSPACE, "one", cut=0.5, seed=1)
    vote(WORKSPACE, ONE, "ada", {3: 0, 4: 1})

    def thumb(request):
        image = Image.new("RGB", (48, 32), (40 * request.path_params["row"] % 256, 90, 120))
        return Response(WORKSPACE.thumbnails.render(image).data, media_type="image/webp")

    app = st.App(
        Path(__file__).with_name("script.py").resolve(),
        routes=[Route("/thumbs/{row:int}.webp", thumb), *direct_answer_routes(lambda: WORKSPACE), *module_routes()],
    )
"""

SCRIPT = """
    import streamlit as st

    from server import ONE, WORKSPACE
    from bam_engine.labelling.label_states import states
    from web.components.gallery import Answering, Guidelines, Picture, gallery

    rows, examples = [3, 4, 5], st.session_state.setdefault("examples", [])

    def add_example(row):
        examples.append(row)
        st.rerun()

    marks = states(WORKSPACE, ONE).marks(rows)
    answering = Answering(ONE.id, ONE.question, "ada", Guidelines(tuple(examples), add_example))
    pictures = [Picture(row, mark=mark) for row, mark in zip(rows, marks)]
    picked = gallery(pictures, key="strip", version="1", answering=answering)
    plain = Answering(ONE.id, ONE.question, "ada", names_keys=False)
    gallery([Picture(row) for row in (11, 12)], key="plain", version="1", answering=plain)
    st.text(f"picked: {picked}")
    st.text(f"stored: {' '.join(mark or '-' for mark in marks)}")
    st.button("Run again")
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("correcting_app")
    with small_app(folder, SERVER, SCRIPT, {"HOME_OF_TEST": str(folder / "home")}) as url:
        yield url


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.locator(".item").nth(2).wait_for()
    yield page
    assert errors == []
    context.close()


def test_one_click_corrects_a_label_and_another_one_undoes_it(page: Any) -> None:
    item = page.locator(".item").nth(0)
    assert item.locator(".mark").text_content() == "no"
    assert item.get_by_role("button", name="No", exact=True).get_attribute("aria-pressed") == "true"
    item.get_by_role("button", name="Yes", exact=True).click()
    page.get_by_role("status").get_by_text("Image 3: yes.").wait_for()
    assert item.locator(".mark").text_content() == "yes"
    page.get_by_role("button", name="Run again").click()
    page.get_by_text("stored: yes yes -", exact=True).wait_for()
    page.locator(".item").nth(0).get_by_role("button", name="Unsure").click()
    page.get_by_role("status").get_by_text("Image 3: unsure.").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("status").get_by_text("Undone.").wait_for()
    assert page.locator(".item").nth(0).locator(".mark").text_content() == "yes"


def test_a_key_answers_about_the_picture_that_has_the_focus(page: Any) -> None:
    cell = page.locator(".item .cell").nth(1)
    assert cell.locator(".mark").text_content() == "yes"
    cell.focus()
    page.keyboard.press("n")
    page.get_by_role("status").get_by_text("Image 4: no.").wait_for()
    assert cell.locator(".mark").text_content() == "no"
    no = page.locator(".item").nth(1).get_by_role("button", name="No", exact=True)
    assert no.get_attribute("aria-pressed") == "true"
    page.keyboard.press("z")
    page.get_by_role("status").get_by_text("Undone.").wait_for()
    assert cell.locator(".mark").text_content() == "yes"


def test_pictures_without_buttons_are_answered_about_by_key_and_the_keys_are_named_once_on_the_page(page: Any) -> None:
    cell = page.locator(".cell[data-row='12']")
    cell.focus()
    page.keyboard.press("u")
    page.get_by_role("status").get_by_text("Image 12: unsure.").wait_for()
    assert cell.locator(".mark").text_content() == "unsure"
    assert page.locator(".item").count() == 3, "these two have no buttons"
    assert page.locator(".hints:visible").count() == 1
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("y")
    page.get_by_role("status").get_by_text("Image 11: yes.").wait_for()


def test_one_click_adds_a_picture_to_the_guidelines_and_says_that_it_is_there(page: Any) -> None:
    page.locator(".item").nth(1).get_by_role("button", name="Add to guidelines").click()
    there = page.locator(".item").nth(1).get_by_role("button", name="In the guidelines")
    there.wait_for()
    assert there.is_disabled()
    assert page.get_by_role("button", name="Add to guidelines").count() == 2
    assert page.get_by_text("picked: None", exact=True).is_visible(), "no picture was opened"


def test_a_click_on_the_picture_still_opens_it(page: Any) -> None:
    page.locator(".item .cell").nth(2).click()
    page.get_by_text("picked: 5", exact=True).wait_for()
