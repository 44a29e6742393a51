"""The map component: drag to pan, scroll to zoom, hover for a picture, click to pick an image, draw to select an area.

In:  the id and version of a map that ``tile_routes`` serves, and what to colour it by.
Out: the image that was clicked and the area that was drawn, if any. Hovering, panning and zooming never rerun the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_LEAFLET_CSS = _HERE.parents[1] / "vendor" / "leaflet" / "leaflet.css"

_component = st.components.v2.component(
    "picture_map",
    css=_LEAFLET_CSS.read_text(encoding="utf-8") + (_HERE / "map.css").read_text(encoding="utf-8"),
    js="\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("area.js", "map.js")),  # one module
)


@dataclass(frozen=True)
class Picked:
    """One click on the map: the image's row, and what tells this click from others."""

    row: int
    click: str


@dataclass(frozen=True)
class Area:
    """One area drawn on the map: its corners (x, y) in the map's [0, 1] squared, and what tells it from others."""

    corners: tuple[tuple[float, float], ...]
    drawn: str


@dataclass(frozen=True)
class OnMap:
    """What was done on the map last: the click on an image, and the area that is selected."""

    picked: Picked | None
    area: Area | None


def picture_map(
    map_id: str,
    *,
    version: str,
    colour: str = "density",
    picture_from_zoom: int,
    max_zoom: int,
    count: int,
    bounds: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
    legend: Mapping[str, object] | None = None,
    label: str = "Map of the collection",
    height: int = 640,
    key: str | None = None,
) -> OnMap:
    """Show a map, and keep its view across reruns and changes of colour.

    Parameters
    ----------
    map_id, version : str
        Which map, as ``get_map`` of ``tile_routes`` knows it; ``MapView.version``.
    colour : str
        One of ``MapView.kinds()``.
    picture_from_zoom, max_zoom, count : int
        ``MapView.picture_from_zoom``, ``.max_zoom`` and its length.
    bounds : tuple of float
        ``MapView.bounds``: what the whole map's view shows.
    legend : mapping, optional
        ``MapView.legend(colour)``.
    label : str
        What a screen reader calls the map.
    height : int
        Pixels; the width is all there is.
    key : str, optional
        As of any widget.

    Returns
    -------
    OnMap
        ``picked``: the last click on an image; None before it, and after a click beside all images. It stays the same
        through reruns that a click did not cause; two clicks on one image differ. ``area``: what is selected now, at
        most 200 corners; None without a selection.
    """
    data = {
        "mapId": map_id,
        "version": version,
        "colour": colour,
        "pictureFromZoom": picture_from_zoom,
        "maxZoom": max_zoom,
        "count": count,
        "bounds": list(bounds),
        "legend": dict(legend) if legend else None,
        "label": label,
    }
    result = _component(
        key=key,
        data=data,
        default={"picked": None, "area": None},
        height=height,
        on_picked_change=_nothing,
        on_area_change=_nothing,
    )
    picked, area = result.picked, result.area
    return OnMap(
        None if picked is None else Picked(int(picked["row"]), str(picked["click"])),
        None if area is None else Area(tuple((float(x), float(y)) for x, y in area["corners"]), str(area["drawn"])),
    )


def _nothing() -> None:
    """Let Streamlit know that a click and an area are states; the rerun itself is the effect."""
