"""A small app with the endless gallery, for browser tests: 2.5 million generated images; how to use it."""

import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tests.browser import small_app

SERVER = """
    import os
    from dataclasses import replace
    from pathlib import Path

    import numpy as np
    import streamlit as st
    from PIL import Image
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    from bam_engine.gallery.query import Query
    from bam_engine.gallery.listing import LISTINGS as CACHED, list_images
    from benchmarks.generated import collection, scored_attribute
    from tests.labelling.team import vote
    from web.routes.gallery import gallery_routes
    from web.routes.modules import module_routes

    WORKSPACE = collection(Path(os.environ["HOME_OF_TEST"]), 3000, projects=40)
    ONE = scored_attribute(WORKSPACE, "one", cut=4.0, seed=1)
    QUERY = Query(attribute="one")
    ASKED = []

    def pixels(row):
        image = Image.new("RGB", (48, 32), (row * 7 % 256, row * 13 % 256, 120))
        return WORKSPACE.thumbnails.render(image)

    STORED = list_images(WORKSPACE, QUERY).rows[:3].tolist()
    for row in STORED:
        WORKSPACE.thumbnails.store(row, pixels(row))

    def thumb(request):
        row = request.path_params["row"]
        if row == 7:
            return Response("no picture", status_code=404)
        return Response(pixels(row).data, media_type="image/webp")

    def asked(request):
        return JSONResponse(ASKED)

    def answer(request):
        vote(WORKSPACE, ONE, "ada", {int(row): 1 for row in list_images(WORKSPACE, QUERY).rows[:3]})
        WORKSPACE.memory.clear()
        return JSONResponse("done")

    def many():
        # two and a half million images, of which the three thousand are shown again and again
        base = list_images(WORKSPACE, QUERY)
        rows = np.resize(base.rows, 2_500_000)
        counts = np.resize([1, 4], len(rows))
        made = replace(base, id="many", rows=rows, matched=len(rows), line=1_000_000, counts=counts)
        WORKSPACE.memory.get(CACHED, made.id, None, lambda: made)
        return made

    LISTINGS = {
        "real": lambda: list_images(WORKSPACE, QUERY),
        "many": many,
        "none": lambda: replace(list_images(WORKSPACE, QUERY), id="none", rows=np.empty(0, np.int64), line=None),
        "one": lambda: replace(list_images(WORKSPACE, QUERY), id="single", rows=np.array([7]), line=None),
    }
    many()
    WORKSPACE.memory.get(CACHED, "single", None, LISTINGS["one"])
    app = st.App(
        Path(__file__).with_name("script.py").resolve(),
        routes=[
            Route("/thumbs/{row:int}.webp", thumb),
            Route("/answer", answer),
            *gallery_routes(lambda: WORKSPACE),
            *module_routes(),
        ],
    )
"""

SCRIPT = """
    import streamlit as st

    from server import LISTINGS, WORKSPACE
    from web.components.gallery import endless_gallery

    st.set_page_config(layout="wide")
    name = st.radio("Listing", list(LISTINGS), index=list(LISTINGS).index(st.query_params.get("listing", "real")))
    listing = LISTINGS[name]()
    if st.checkbox("Away"):
        st.stop()
    picked, chosen = endless_gallery(listing, key="gallery", version=WORKSPACE.id, line_text="Over <b>", height=600)
    if picked is not None:
        st.session_state.picked = picked
    st.write(f"picked: {st.session_state.get('picked')}")
    st.write(f"chosen: {len(chosen)}, {chosen[:1].tolist()}")
    st.write(f"best: {listing.rows[:40].tolist()}")
"""


def gallery_site(folder: Path) -> AbstractContextManager[str]:
    """Serve the little app from a folder by uvicorn on a free port; give its URL."""
    return small_app(folder, SERVER, SCRIPT, {"HOME_OF_TEST": str(folder / "home")})


def opened(page: Any, address: str, listing: str = "real") -> Any:
    """Open the gallery of a listing and wait for its first picture."""
    page.goto(f"{address}/?listing={listing}")
    page.locator(".cell img.picture").first.wait_for()
    return page.locator(".endless")


def arranged(page: Any, mode: str) -> None:
    """Choose an arrangement and wait until the pictures lie in it: rows need the shapes of all first."""
    page.get_by_role("button", name=mode).click()
    page.locator(f'.endless[data-laid="{mode.lower()}"] .cell img.picture').first.wait_for()


def until(page: Any, true: Any, words: str) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, words
        page.wait_for_timeout(30)


def counted(page: Any) -> tuple[int, int, int]:
    """Return the first and last number in sight and the total, as the bar says."""
    numbers = page.locator(".counted").text_content().replace(",", "").replace("of", "–").split("–")
    return int(numbers[0]), int(numbers[1]), int(numbers[2])


def in_sight(page: Any) -> list[int]:
    """Return the places in the list of the cells that are wholly in sight, in order."""
    return page.locator(".endless").evaluate(
        """frame => { const box = frame.getBoundingClientRect();
        return [...frame.querySelectorAll('.cell')].filter(cell => {
        const own = cell.getBoundingClientRect(); return own.top >= box.top - 6 && own.bottom <= box.bottom + 6; })
        .map(cell => Number(cell.dataset.index)).sort((a, b) => a - b); }"""
    )


def active(page: Any) -> int:
    return int(page.locator(".endless").get_attribute("aria-activedescendant").rpartition("-")[2])


def best(page: Any) -> list[int]:
    words = page.get_by_text("best: ").text_content()
    return [int(row) for row in words.partition("[")[2].rstrip("]").split(",")]
