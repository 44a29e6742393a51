"""The map component: drag to pan, scroll to zoom, hover for a picture, click an image, draw an area to select.

In:  the id and version of a map that ``tile_routes`` and ``map_routes`` serve, its colouring and selection.
Out: the clicked image and the drawn area, if any. Hovering, panning and zooming never rerun the script; the browser
keeps the page's address up to date.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from web.modules import component

_component = component("picture_map", "map/map.js", ["../vendor/leaflet/leaflet.css", "map/map.css"])


@dataclass(frozen=True)
class ImageClick:
    """A click on an image: its row, a unique id of the click, and whether it asks for similar images."""

    row: int
    click: str
    like: bool = False


@dataclass(frozen=True)
class DrawnArea:
    """An area drawn on the map: its corners (x, y) in [0, 1] squared, and a unique id."""

    corners: tuple[tuple[float, float], ...]
    drawn: str


@dataclass(frozen=True)
class SwatchClick:
    """A click on a swatch of the legend: its label, the colouring, and a unique id of the click."""

    label: str
    colour: str
    click: str


@dataclass(frozen=True)
class MapEvents:
    """The last events on the map: the click on an image, the drawn area, or the id of the event that cleared it.

    ``swatch`` is the last click on the legend.
    """

    picked: ImageClick | None
    area: DrawnArea | None
    cleared: str | None = None
    swatch: SwatchClick | None = None

    @property
    def selection_event(self) -> str | None:
        """The id of the last event that drew or cleared an area."""
        return self.cleared if self.area is None else self.area.drawn


@dataclass(frozen=True)
class Goto:
    """A move of the map, applied once for each ``id``: to (x, y) at a zoom, with a ring if ``mark``; or to ``bounds``.

    ``zoom`` None is two zooms deeper than the first with pictures. ``bounds`` are left, top, right and bottom.
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
    workspace: str = "",
    swatch: str = "",
    label: str = "Map of the collection",
    height: int | Literal["stretch"] = 640,
    key: str | None = None,
) -> MapEvents:
    """Show a map, which keeps its view across reruns and changes of colour.

    Parameters
    ----------
    map_id, version : str
        The map's id for ``tile_routes``; ``MapView.version``.
    colour : str
        One of ``MapView.kinds()``.
    pictures : str
        Which image of a cell is shown: one of ``picture_tiles.REPRESENTATIVES``.
    picture_from_zoom, max_zoom, count : int
        ``MapView.picture_from_zoom``, ``.max_zoom`` and its length.
    bounds : tuple of float
        ``MapView.bounds``: what the view of the whole map shows.
    legend, legend_dark : mapping, optional
        ``MapView.legend(colour)``, and that of the dark theme if it differs.
    selection : str
        The id of the selection (``selections.save``); other images are greyed.
    handled : str, optional
        The last ``MapEvents.selection_event`` that the page has handled.
    show_area : bool
        Whether the drawn outline stays visible, because the selection is the result of it.
    goto : Goto, optional
        A move of the map.
    workspace : str
        The id of the workspace that the map is of: a view is remembered for each.
    swatch : str
        The label of the swatch whose images are selected.
    label : str
        The accessible name of the map.
    height : int or "stretch"
        Pixels, or the height of its container; the width is that of the container.
    key : str, optional
        The widget's key.

    Returns
    -------
    MapEvents
        ``picked``: the last click on an image, or None before it and after a click outside all images. It stays the
        same through reruns with another cause; two clicks on one image differ, and so for ``swatch``. ``area``: the
        area drawn last on this map, with at most 200 corners; None before it, and after it was cleared (``cleared``).
    """
    data = {
        "mapId": map_id,
        "workspace": workspace,
        "swatch": swatch,
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
        default={"picked": None, "area": None, "swatch": None},
        height=height,
        on_picked_change=_nothing,
        on_area_change=_nothing,
        on_swatch_change=_nothing,
    )
    return _events(result.picked, result.area, result.swatch, map_id)


def last_map_events(key: str, map_id: str) -> MapEvents:
    """Return the last events on the map with ``key``, before it is drawn in this run."""
    state = st.session_state.get(key) or {}
    return _events(state.get("picked"), state.get("area"), state.get("swatch"), map_id)


_State = Mapping[str, Any] | None


def _events(picked: _State, area: _State, swatch: _State, map_id: str) -> MapEvents:
    click = chosen = None
    if picked is not None:
        click = ImageClick(int(picked["row"]), str(picked["click"]), bool(picked.get("like")))
    if swatch is not None and swatch.get("map") == map_id:
        chosen = SwatchClick(str(swatch["label"]), str(swatch["colour"]), str(swatch["click"]))
    if area is None or area.get("map") != map_id:
        return MapEvents(click, None, swatch=chosen)
    if area["corners"] is None:
        return MapEvents(click, None, str(area["drawn"]), chosen)
    corners = tuple((float(x), float(y)) for x, y in area["corners"])
    return MapEvents(click, DrawnArea(corners, str(area["drawn"])), swatch=chosen)


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
    """Do nothing: a callback makes the click and the area states, and the rerun is the effect."""
