// Drawing an area on the map, freehand or as a rectangle: with Shift, or after a button. Python receives its corners, x
// and y in [0, 1], and selects the images inside.

import * as L from "../../vendor/leaflet/leaflet-src.esm.js";
import { newId } from "../ids.js";
import { hideCard } from "./card.js";
import { arm } from "./tools.js";

/** @import { MapData } from "../data.js" */
/** @import { View } from "./view.js" */

const MAX_CORNERS = 200; // of an area that is sent
const MIN_SIDE = 6; // pixels: smaller areas are accidental

/** @param {View} view */
export function listenForAreas(view) {
  view.field.addEventListener("pointerdown", (event) => beginArea(view, event), { capture: true });
  view.field.addEventListener("pointermove", (event) => extendArea(view, event));
  view.field.addEventListener("pointerup", () => endArea(view));
  view.field.addEventListener("pointercancel", () => dropLine(view));
}

/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function beginArea(view, event) {
  const drawing = view.armed === "lasso" || view.armed === "box";
  if (event.button || !event.isPrimary || !(event.shiftKey || drawing)) return;
  if (event.target instanceof Element && event.target.closest(".leaflet-control")) return;
  hideCard(view);
  view.map.dragging.disable(); // before Leaflet handles the mousedown that follows
  view.boxed = view.armed === "box";
  view.corners = [view.map.mouseEventToContainerPoint(event)];
  view.line = L.polyline([], areaStyle(view)).addTo(view.map);
  view.field.setPointerCapture(event.pointerId);
}

/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function extendArea(view, event) {
  const { corners, boxed } = view;
  const last = corners?.at(-1);
  if (!corners || !last) return;
  const corner = view.map.mouseEventToContainerPoint(event);
  if (corner.distanceTo(last) < 2) return;
  const [first] = corners;
  if (boxed) view.corners = [first, new L.Point(corner.x, first.y), corner, new L.Point(first.x, corner.y)];
  else corners.push(corner);
  const line = boxed ? [...(view.corners ?? []), first] : corners;
  view.line?.setLatLngs(line.map((each) => view.map.containerPointToLatLng(each)));
}

/** @param {View} view */
function endArea(view) {
  const { corners, boxed, map } = view;
  if (!corners) return;
  dropLine(view);
  const sides = new L.Bounds(corners).getSize();
  if (corners.length < 3 || Math.min(sides.x, sides.y) < MIN_SIDE) return;
  const few = boxed ? corners : simplify(corners);
  select(
    view,
    few.map((corner) => map.containerPointToLatLng(corner)),
  );
}

/**
 * Simplify the outline to within a pixel, or to within more pixels while there are too many corners. If a scribble
 * collapses, thin it evenly instead.
 *
 * @param {L.Point[]} corners
 */
function simplify(corners) {
  for (let slack = 1; ; slack *= 1.5) {
    const few = L.LineUtil.simplify(corners, slack);
    if (few.length < 3) return corners.filter((_, place) => place % Math.ceil(corners.length / MAX_CORNERS) === 0);
    if (few.length <= MAX_CORNERS) return few;
  }
}

/**
 * Stop drawing.
 *
 * @param {View} view
 */
export function dropLine(view) {
  if (!view.corners) return;
  view.corners = null;
  view.line?.remove();
  view.drewAt = performance.now(); // the click that ends the drawing selects no image
  view.map.dragging.enable();
  if (view.armed) arm(view, view.armed);
}

/**
 * @param {View} view
 * @param {L.LatLng[]} places
 */
function select(view, places) {
  dropArea(view);
  view.area = L.polygon(places, areaStyle(view)).addTo(view.map);
  view.tools.clear.hidden = false;
  view.token = newId();
  view.send({ corners: places.map(({ lat, lng }) => [lng, lat]), drawn: view.token });
}

/** @param {View} view */
export function clearSelection(view) {
  if (!view.area && !view.data.selection) return;
  dropArea(view);
  view.tools.clear.hidden = true;
  view.token = newId();
  view.send({ corners: null, drawn: view.token });
  view.field.focus();
}

/** @param {View} view */
export function dropArea(view) {
  view.area?.remove();
  view.area = null;
}

/**
 * Follow the selection from Python. A drawn outline stays while it is the source of the selection, or while Python has
 * not handled it yet.
 *
 * @param {View} view
 * @param {MapData} data
 */
export function followSelection(view, data) {
  const handled = !view.token || data.handled === view.token;
  if (view.area && handled && !data.showArea) dropArea(view);
  view.tools.clear.hidden = !view.area && !data.selection;
}

/**
 * Select all that is in view.
 *
 * @param {View} view
 */
export function selectView(view) {
  const seen = view.map.getBounds();
  select(view, [seen.getSouthWest(), seen.getNorthWest(), seen.getNorthEast(), seen.getSouthEast()]);
}

/** @param {View} view */
function areaStyle(view) {
  return { color: view.primary, weight: 2, fill: true, fillOpacity: 0.08, interactive: false };
}
