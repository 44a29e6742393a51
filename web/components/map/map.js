// The map in the browser: Leaflet with our tiles. Hovering, pictures and names use routes; only clicks and selections
// reach Python. The map is created once, then updated at every rerun of the script.

import { clearSelection, dropArea, followSelection, listenForAreas } from "./area.js";
import { writeAddress } from "./address.js";
import { toggleAreas } from "./areas.js";
import { newId } from "../ids.js";
import { hideCard } from "./card.js";
import { fillsWindow, fillWindow, leaveWindow, listenForEscape } from "./full_window.js";
import { listen } from "./hover.js";
import { showLegend } from "./legend.js";
import { addMinimap, showMinimap } from "./minimap.js";
import { fetchNames, showNames } from "./names.js";
import { follow, home, recall } from "./position.js";
import { openSheet } from "./sheet.js";
import { showLayers } from "./tiles.js";
import { addTools } from "./tools.js";
import { themeOf, View } from "./view.js";
import { WheelPace } from "./wheel.js";

/** @import { Component, MapData } from "../data.js" */

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
  view.filter = (label) => setStateValue("swatch", { label, colour: data.colour, map: data.mapId, click: newId() });
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
  leaveWindow();
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
    areas: () => toggleAreas(view),
    full: () => fillWindow(view, !fillsWindow(view)),
    print: () => openSheet(view),
  });
  listenForEscape(view);
  addMinimap(view);
  listenForAreas(view);
  listen(view);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => setTimeout(() => recolour(view), RECOLOUR_AFTER));
  return view;
}

/**
 * The map rests after each zoom by the wheel; then what the wheel turned meanwhile counts.
 *
 * @param {View} view
 */
function paceWheel(view) {
  const pace = new WheelPace();
  /** The last event that was held. @type {WheelEvent | null} */
  let last = null;
  let turning = false;
  const hold = (/** @type {WheelEvent} */ event) => {
    view.pointer = view.map.mouseEventToContainerPoint(event);
    if (turning || !pace.rests(performance.now())) return; // a timer may end a little before its time
    event.preventDefault();
    event.stopImmediatePropagation();
    pace.hold(event);
    last = event;
  };
  const turn = () => {
    const deltaY = view.gone ? 0 : pace.take();
    if (!deltaY || !last) return;
    const { clientX, clientY } = last;
    turning = true;
    view.field.dispatchEvent(new WheelEvent("wheel", { deltaY, clientX, clientY, bubbles: true, cancelable: true }));
    turning = false;
  };
  view.field.addEventListener("wheel", hold, { capture: true, passive: false });
  const begins = () => {
    pace.zooms(performance.now());
    clearTimeout(view.resting);
  };
  view.map.on("goal", begins);
  view.map.on("zoomstart", () => view.map.goal || begins()); // what the wheel has turned since the goal is held
  view.map.on("zoomend", () => {
    view.resting = setTimeout(turn, pace.ends(performance.now()));
  });
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
