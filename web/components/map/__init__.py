"""The map component: drag to pan, scroll to zoom, hover for a picture, click to pick an image, draw to select an area.

In:  the id and version of a map that ``tile_routes`` and ``map_routes`` serve, what to colour it by, what is selected.
Out: the image that was clicked and the area that was drawn, if any. Hovering, panning and zooming never rerun the page;
the browser itself keeps the page's address up to date.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

_HERE = Path(__file__).parent
_PARTS = (
    "../picture_address",
    "tools",
    "area",
    "address",
    "names",
    "minimap",
    "sheet",
    "tile_source",
    "tiles",
    "hover",
    "map",
)
_LEAFLET_CSS = _HERE.parents[1] / "vendor" / "leaflet" / "leaflet.css"

_component = st.components.v2.component(
    "picture_map",
    css=_LEAFLET_CSS.read_text(encoding="utf-8") + (_HERE / "map.css").read_text(encoding="utf-8"),
    js="\n".join((_HERE / f"{name}.js").read_text(encoding="utf-8") for name in _PARTS),  # one module
)


@dataclass(frozen=True)
class ImageClick:
    """One click on the map: the image's row, what tells this click from others, whether it asks for images alike."""

    row: int
    click: str
    like: bool = False


@dataclass(frozen=True)
class DrawnArea:
    """One area drawn on the map: its corners (x, y) in the map's [0, 1] squared, and what tells it from others."""

    corners: tuple[tuple[float, float], ...]
    drawn: str


@dataclass(frozen=True)
class MapEvents:
    """What was done on the map last: the click on an image, the area that was drawn, the click that cleared it."""

    picked: ImageClick | None
    area: DrawnArea | None
    cleared: str | None = None

    @property
    def selection_event(self) -> str | None:
        """What the browser calls the last area, or its clearing."""
        return self.cleared if self.area is None else self.area.drawn


@dataclass(frozen=True)
class Goto:
    """Where the map shall go, once for each ``id``: to (x, y) at a zoom, with a ring if ``mark``; or to ``bounds``.

    ``zoom`` None is where pictures begin, two deeper. ``bounds`` are left, top, right and bottom.
    """

    id: str
    x: float = 0.5
    y: float = 0.5
    zoom: int | None = None
    mark: bool = False
    bounds: tuple[float, float, float, float] | None = None


def picture_map(
    map_id: str,
    *,
    version: str,
    colour: str = "density",
    pictures: str = "best",
    picture_from_zoom: int,
    max_zoom: int,
    count: int,
    bounds: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
    legend: Mapping[str, object] | None = None,
    legend_dark: Mapping[str, object] | None = None,
    selection: str = "",
    handled: str | None = None,
    show_area: bool = True,
    goto: Goto | None = None,
    label: str = "Map of the collection",
    height: int | Literal["stretch"] = 640,
    key: str | None = None,
) -> MapEvents:
    """Show a map, and keep its view across reruns and changes of colour.

    Parameters
    ----------
    map_id, version : str
        Which map, as ``get_map`` of ``tile_routes`` knows it; ``MapView.version``.
    colour : str
        One of ``MapView.kinds()``.
    pictures : str
        Which image of a cell is shown: one of ``pictures.REPRESENTATIVES``.
    picture_from_zoom, max_zoom, count : int
        ``MapView.picture_from_zoom``, ``.max_zoom`` and its length.
    bounds : tuple of float
        ``MapView.bounds``: what the whole map's view shows.
    legend, legend_dark : mapping, optional
        ``MapView.legend(colour)``, and what it is on a dark page where that differs.
    selection : str
        The id of what is selected (``selections.save``): other images are drawn as context.
    handled : str, optional
        ``MapEvents.selection_event`` that the page has dealt with.
    show_area : bool
        Whether the drawn line stays: what is selected came of it.
    goto : Goto, optional
        Where the map shall go.
    label : str
        What a screen reader calls the map.
    height : int or "stretch"
        Pixels, or as high as what holds it; the width is all there is.
    key : str, optional
        As of any widget.

    Returns
    -------
    MapEvents
        ``picked``: the last click on an image; None before it, and after a click beside all images. It stays the same
        through reruns that a click did not cause; two clicks on one image differ. ``area``: what was drawn last on this
        map, at most 200 corners; None before it, and after it was cleared (``cleared``).
    """
    data = {
        "mapId": map_id,
        "version": version,
        "colour": colour,
        "pictures": pictures,
        "pictureFromZoom": picture_from_zoom,
        "maxZoom": max_zoom,
        "count": count,
        "bounds": list(bounds),
        "legend": dict(legend) if legend else None,
        "legendDark": dict(legend_dark or legend or {}) or None,
        "label": label,
        "selection": selection,
        "handled": handled,
        "showArea": show_area,
        "goto": _goto(goto),
    }
    result = _component(
        key=key,
        data=data,
        default={"picked": None, "area": None},
        height=height,
        on_picked_change=_nothing,
        on_area_change=_nothing,
    )
    return _told(result.picked, result.area, map_id)


def last_map_events(key: str, map_id: str) -> MapEvents:
    """Return what was done on the map with ``key``, before it is drawn in this run."""
    state = st.session_state.get(key) or {}
    return _told(state.get("picked"), state.get("area"), map_id)


def _told(picked: Mapping[str, Any] | None, area: Mapping[str, Any] | None, map_id: str) -> MapEvents:
    found = None
    if picked is not None:
        found = ImageClick(int(picked["row"]), str(picked["click"]), bool(picked.get("like")))
    if area is None or area.get("map") != map_id:
        return MapEvents(found, None)
    if area["corners"] is None:
        return MapEvents(found, None, str(area["drawn"]))
    return MapEvents(found, DrawnArea(tuple((float(x), float(y)) for x, y in area["corners"]), str(area["drawn"])))


def _goto(goto: Goto | None) -> dict[str, object] | None:
    if goto is None:
        return None
    return {
        "id": goto.id,
        "x": goto.x,
        "y": goto.y,
        "z": goto.zoom,
        "mark": goto.mark,
        "bounds": None if goto.bounds is None else list(goto.bounds),
    }


def _nothing() -> None:
    """Let Streamlit know that a click and an area are states; the rerun itself is the effect."""
