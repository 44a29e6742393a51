// The map in the browser: Leaflet with our tiles. Hovering, pictures and names use routes; only clicks and selections
// reach Python. The map is created once, then updated at every rerun of the script.

import { clearSelection, dropArea, followSelection, listenForAreas } from "./area.js";
import { writeAddress } from "./address.js";
import { newId } from "../ids.js";
import { hideCard } from "./card.js";
import { listen } from "./hover.js";
import { showLegend } from "./legend.js";
import { addMinimap, showMinimap } from "./minimap.js";
import { fetchNames, showNames } from "./names.js";
import { follow, home, recall } from "./position.js";
import { openSheet } from "./sheet.js";
import { showLayers } from "./tiles.js";
import { addTools } from "./tools.js";
import { themeOf, View } from "./view.js";

/** @import { Component, MapData } from "../data.js" */

const WHEEL_RESTS = 200; // milliseconds after the start of a zoom in which the wheel is ignored
const RECOLOUR_AFTER = 300; // milliseconds in which the app changes its theme
const KEYS = "Arrow keys pan, plus and minus zoom, Enter picks, Shift+Enter selects what is in view.";
/** The data that tiles depend on. @type {(keyof MapData)[]} */
const SHOWN = ["mapId", "version", "colour", "selection", "pictures"];

/** @type {WeakMap<Node, View>} */
const views = new WeakMap();

/** @param {Component<MapData>} component */
export default function mount({ data, parentElement, setStateValue }) {
  let view = views.get(parentElement);
  if (!view) views.set(parentElement, (view = start(parentElement, data)));
  view.pick = (picked) => setStateValue("picked", picked && { ...picked, click: newId() });
  view.send = (area) => setStateValue("area", { ...area, map: data.mapId });
  update(view, data);
  return () => setTimeout(() => leave(parentElement), 0);
}

/**
 * Streamlit also cleans up after superseded calls; only a map that has left the page is removed.
 *
 * @param {Node} parentElement
 */
function leave(parentElement) {
  if (parentElement.isConnected) return;
  views.get(parentElement)?.leave();
  views.delete(parentElement);
}

/**
 * @param {ParentNode} parent
 * @param {MapData} data
 */
function start(parent, data) {
  const view = new View(parent, data);
  paceWheel(view);
  addTools(view, {
    home: () => home(view, true),
    clear: () => clearSelection(view),
    names: () => showNames(view, !view.named),
    print: () => openSheet(view),
  });
  addMinimap(view);
  listenForAreas(view);
  listen(view);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => setTimeout(() => recolour(view), RECOLOUR_AFTER));
  return view;
}

/**
 * A wheel or touchpad sends many small events: pause after each zoom.
 *
 * @param {View} view
 */
function paceWheel(view) {
  let zoomed = -Infinity;
  const pause = (/** @type {WheelEvent} */ event) => {
    view.pointer = view.map.mouseEventToContainerPoint(event);
    if (performance.now() - zoomed > WHEEL_RESTS) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  view.field.addEventListener("wheel", pause, { capture: true, passive: false });
  view.map.on("zoomstart", () => (zoomed = performance.now()));
}

/**
 * @param {View} view
 * @param {MapData} data
 */
function update(view, data) {
  if (view.gone) return;
  const before = view.shown;
  view.data = view.shown = data;
  view.field.setAttribute("role", "application");
  view.field.setAttribute("aria-label", `${data.label}. ${KEYS}`);
  view.note.textContent = "There is no image on this map yet.";
  view.note.hidden = data.count > 0;
  view.map.setMaxZoom(data.maxZoom);
  const other = !before || before.mapId !== data.mapId;
  if (other) {
    view.chosen?.remove();
    if (before) dropArea(view);
  }
  followSelection(view, data);
  if (data.goto && data.goto.id !== view.went) follow(view, data.goto);
  else if (other && !recall(view)) home(view);
  const theme = themeOf(view.root);
  const changed = !before || theme !== view.theme || SHOWN.some((name) => before[name] !== data[name]);
  view.theme = theme;
  if (changed) {
    view.answers = new Map();
    hideCard(view);
    showLayers(view);
    showMinimap(view);
  }
  if (other || before.version !== data.version) void fetchNames(view);
  showLegend(view);
  writeAddress(view);
}

/**
 * The app has switched between the light and the dark theme.
 *
 * @param {View} view
 */
function recolour(view) {
  const theme = themeOf(view.root);
  if (view.gone || theme === view.theme) return;
  view.theme = theme;
  showLayers(view);
  showMinimap(view);
  showLegend(view);
}
