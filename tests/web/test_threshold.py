"""The histogram with a threshold in a real browser: what follows at once, what is pending, what the page is told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import small_app

SERVER = """
    import os
    import threading
    from pathlib import Path

    import streamlit as st
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route
    from PIL import Image

    from benchmarks.generated import collection, scored_attribute
    from tests.labelling.team import vote
    from web.routes.borderline import borderline_routes
    from web.routes.direct_answers import direct_answer_routes
    from web.routes.modules import module_routes

    WORKSPACE = collection(Path(os.environ["HOME_OF_TEST"]), 600, projects=20)
    ONE = scored_attribute(WORKSPACE, "one", cut=0.5, seed=1)
    vote(WORKSPACE, ONE, "ada", {row: row % 2 for row in range(0, 600, 20)})
    GATE = threading.Event()
    GATE.set()

    def gate(request):
        GATE.set() if request.path_params["state"] == "open" else GATE.clear()
        return JSONResponse("done")

    def thumb(request):
        image = Image.new("RGB", (48, 32), (request.path_params["row"] % 256, 90, 120))
        return Response(WORKSPACE.thumbnails.render(image).data, media_type="image/webp")

    app = st.App(
        Path(__file__).with_name("script.py").resolve(),
        routes=[
            Route("/thumbs/{row:int}.webp", thumb),
            Route("/gate/{state}", gate),
            *borderline_routes(lambda: WORKSPACE),
            *direct_answer_routes(lambda: WORKSPACE),
            *module_routes(),
        ],
    )
"""

SCRIPT = """
    import json

    import streamlit as st

    from server import GATE, ONE, WORKSPACE
    from bam_engine.training.borderline import borderline
    from bam_engine.training.charts import score_distribution
    from bam_engine.training.delivered import delivered_at
    from bam_engine.training.score_counts import labelled_scores, score_counts
    from web.components.threshold import Mark, last_set, threshold_histogram

    st.set_page_config(layout="wide")
    last = last_set("threshold")
    value = 0.0 if last is None else last.value
    GATE.wait(20)
    scores, marks = labelled_scores(WORKSPACE, ONE), [Mark("In use", 0.5), Mark("Suggested, certified", 1.0)]
    picked = threshold_histogram(
        score_distribution(scores.every, scores.by_name, threshold=value),
        score_counts(WORKSPACE, ONE, [value, 0.5, 1.0], certified=[1.0]),
        value,
        attribute=ONE.id,
        total=600,
        target="90%",
        measured=((f"at {value}", "80–95%"), ("50%", "40–60%")),
        marks=marks,
        version=WORKSPACE.picture_version,
        key="threshold",
        answering={"attribute": ONE.id, "question": ONE.question, "annotator": "ada"},
    )
    counts = delivered_at(WORKSPACE, ONE, value).counts
    beside = [rows.tolist() for rows in borderline(WORKSPACE, ONE, value)]
    known = {"value": value, "accepted": counts.accepted, "above": beside[0], "below": beside[1]}
    known["picked"] = None if picked is None else [picked.row, list(picked.among)]
    st.text(f"known: {json.dumps(known)}")
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("threshold_app")
    with small_app(folder, SERVER, SCRIPT, {"HOME_OF_TEST": str(folder / "home")}) as url:
        yield url


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1100, "height": 1200})
    page = context.new_page()
    page.set_default_timeout(20_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.locator(".beside .cell").first.wait_for()
    yield page
    assert errors == []
    context.close()


def known(page: Any) -> dict[str, Any]:
    """Return what the script says of the threshold that it was told."""
    found: dict[str, Any] = json.loads(page.get_by_text("known: ").text_content().partition(": ")[2])
    return found


def figure(page: Any, name: str) -> tuple[str, str]:
    """Return a figure below the histogram, and its note."""
    line = page.locator(".figures > div", has=page.get_by_text(name, exact=True))
    value, note = line.locator("dd").all_text_contents()
    return value, note


def settled(page: Any) -> None:
    """Wait until the page has answered the threshold in sight."""
    page.get_by_text("being measured").first.wait_for(state="detached")
    page.get_by_text("let go to measure").first.wait_for(state="detached")
    page.locator(".beside:not([aria-busy])").wait_for()


def slider(page: Any) -> Any:
    return page.get_by_role("slider", name="Threshold")


def grab(page: Any) -> tuple[float, float]:
    """Press the pointer on the handle; return where."""
    box = slider(page).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 40
    page.mouse.move(x, y)
    page.mouse.down()
    return x, y


def test_counts_follow_a_drag_at_once_and_measured_figures_wait_for_the_page(page: Any, address: str) -> None:
    before = figure(page, "Accepted")[0]
    assert before == str(known(page)["accepted"])
    x, y = grab(page)
    page.mouse.move(x + 130, y, steps=5)
    moved = figure(page, "Accepted")[0]
    assert int(moved) < int(before)
    assert figure(page, "Precision") == ("–", "let go to measure")
    assert known(page)["value"] == 0.0, "the page knows of it only when it is let go"
    page.request.get(f"{address}/gate/close")
    page.mouse.up()
    page.get_by_text("being measured").first.wait_for()
    assert figure(page, "Precision") == ("–", "being measured")
    page.request.get(f"{address}/gate/open")
    settled(page)
    now = known(page)
    assert moved == str(now["accepted"]), "what was counted is what is delivered"
    assert figure(page, "Precision") == (f"at {now['value']}", "80–95%")
    assert float(slider(page).get_attribute("aria-valuenow")) == now["value"]


def test_pictures_beside_the_threshold_follow_when_it_rests(page: Any) -> None:
    def rows(side: str) -> list[int]:
        cells = page.locator(f".beside .{side} .cell")
        return [int(row) for row in cells.evaluate_all("cells => cells.map(cell => cell.dataset.row)")]

    x, y = grab(page)
    before = rows("above")
    with page.expect_response(lambda response: "borderline.json" in response.url):
        page.mouse.move(x - 90, y, steps=3)  # still held
    page.locator(".beside:not([aria-busy])").wait_for()
    assert rows("above") != before
    page.mouse.up()
    settled(page)
    assert (rows("above"), rows("below")) == (known(page)["above"], known(page)["below"])
    page.locator(".beside .below .cell").nth(2).click()
    page.get_by_text('"picked": [').wait_for()
    assert known(page)["picked"] == [known(page)["below"][2], known(page)["below"]]


def test_arrow_keys_move_the_slider_which_says_what_it_accepts_and_set_it_when_they_rest(page: Any) -> None:
    handle = slider(page)
    handle.focus()
    before = float(handle.get_attribute("aria-valuenow"))
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    after = float(handle.get_attribute("aria-valuenow"))
    assert after > before
    assert figure(page, "Recall") == ("–", "let go to measure")
    page.get_by_text(f'"value": {after},').wait_for()
    settled(page)
    words = handle.get_attribute("aria-valuetext")
    assert f"{known(page)['accepted']} accepted" in words
    assert handle.evaluate("handle => handle.getRootNode().activeElement === handle"), "it keeps the focus"
    page.keyboard.press("Home")
    assert figure(page, "Labelled yes, below")[0] == "0"
    assert handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemin")


def test_escape_gives_up_a_drag(page: Any) -> None:
    before = figure(page, "Accepted")
    x, y = grab(page)
    page.mouse.move(x + 80, y, steps=3)
    assert figure(page, "Accepted") != before
    page.keyboard.press("Escape")
    assert figure(page, "Accepted") == before
    page.mouse.up()
    assert figure(page, "Precision")[1] == "80–95%", "nothing was set"


def test_named_thresholds_are_buttons_and_a_certified_one_says_so(page: Any) -> None:
    assert figure(page, "Threshold")[1] == "not certified for 90%"
    page.get_by_role("button", name="Suggested, certified").click()
    page.get_by_text('"value": 1.0,').wait_for()
    settled(page)
    assert figure(page, "Threshold") == ("1.000", "certified for 90%")
    assert page.get_by_text("✓ Certified for 90%").is_visible()
    page.get_by_role("button", name="In use").click()
    page.get_by_text('"value": 0.5,').wait_for()


def test_a_key_answers_about_the_picture_beside_the_threshold_that_has_the_focus(page: Any) -> None:
    settled(page)
    cells = page.locator(".beside .above .cell")
    first, row = cells.first, cells.first.get_attribute("data-row")
    before = first.locator(".mark").all_text_contents()
    first.focus()
    page.keyboard.press("u")
    page.get_by_role("status").get_by_text(f"Image {row}: unsure.").wait_for()
    assert first.locator(".mark").all_text_contents() == ["unsure"]
    page.keyboard.press("z")
    page.get_by_role("status").get_by_text("Undone.").wait_for()
    assert first.locator(".mark").all_text_contents() == before
    page.keyboard.press("ArrowRight")
    assert cells.nth(1).evaluate("cell => cell === cell.getRootNode().activeElement")
