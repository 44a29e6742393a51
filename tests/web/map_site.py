"""A small app with a map, for browser tests: 5,000 generated points, drawn pictures, made-up names; how to use it."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import small_app

SERVER = """
    import csv, io, os
    from pathlib import Path

    import numpy as np
    import streamlit as st
    from PIL import Image
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    from bam_engine.projection import MapView, fit_unit_square
    from bam_engine.projection.view_sources import Sources
    from web.routes.modules import module_routes
    from web.routes.tiles import tile_routes

    FOLDER = Path(os.environ["PICTURES"])
    with (FOLDER / "labels.csv").open(newline="", encoding="utf-8") as file:
        FILES = [line["path"] for line in csv.DictReader(file)][::2]

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
            sources=Sources(describe=lambda row: {"title": f"generated {row} <b>"}),
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
            *module_routes(),
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
    if st.checkbox("no map"):
        st.stop()
    view = MAPS[name]
    colour = st.segmented_control("Colour", view.kinds(), default="density")
    found = picture_map(
        name, version=view.version, colour=colour, picture_from_zoom=view.picture_from_zoom, max_zoom=view.max_zoom,
        count=len(view), legend=view.legend(colour), key="map",
    )
    st.write(f"picked: {found.picked.row if found.picked else None}")
    st.write(f"swatch: {found.swatch.label if found.swatch else None}")
    st.write(f"corners: {len(found.area.corners) if found.area else None}")
    st.write(f"inside: {len(view.source.in_polygon(found.area.corners)) if found.area else None}")
"""


def map_site(folder: Path, pictures: Path) -> contextlib.AbstractContextManager[str]:
    """Serve the app by uvicorn on a free port from ``folder``; give its URL."""
    return small_app(folder, SERVER, SCRIPT, {"PICTURES": str(pictures)}, ask="/tiles/demo/density/0/0/0")


@contextlib.contextmanager
def fresh_page(browser: Any) -> Iterator[Any]:
    """Give a page of its own."""
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
    tiles = page.locator(f'.bam-map img.leaflet-tile-loaded[data-tile*="/{kind}/"]')
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
