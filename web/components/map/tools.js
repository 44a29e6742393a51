// The buttons on the map.

import * as L from "../../vendor/leaflet/leaflet-src.esm.js";
import { add } from "../dom.js";

/** @import { Tool, View } from "./view.js" */

const ICONS = {
  whole: '<path d="M3 9.5 10 3.5l7 6V17h-4.5v-4.5h-5V17H3z"/>',
  lasso: '<path d="M10 3.5c4 0 7 2 7 4.6s-3 4.6-7 4.6-7-2-7-4.6 3-4.6 7-4.6zM6.5 12.5c1.6 1.2.6 4-2 4"/>',
  box: '<path stroke-dasharray="2.6 2" d="M3 4.5h14v11H3z"/>',
  like: '<path d="M3 3h9v9H3zM8 14v3h9V8h-3M5 10l2.4-3L9.5 10"/>',
  clear: '<path d="m5 5 10 10M15 5 5 15"/>',
  areas: '<path d="M7 5h10M7 10h10M7 15h10M3 5h.5M3 10h.5M3 15h.5"/>',
  full: '<path d="M3 7.5V3h4.5M12.5 3H17v4.5M17 12.5V17h-4.5M7.5 17H3v-4.5"/>',
  names: '<path d="M3.5 16 8.5 4l5 12M5.3 12h6.4M15 12.5a2 2 0 1 0 2 2v-3.2c0-1.1-.8-1.8-2-1.8"/>',
  print: '<path d="M5.5 7V3h9v4M5.5 14H3V7h14v7h-2.5M5.5 11.5h9V17h-9z"/>',
};
const LASSO = "Select an area: draw around it (or drag with Shift; Shift+Enter takes what is in view)";
/** @type {Tool[]} */
const ARMED = ["lasso", "box", "like"];

/** @typedef {[name: keyof typeof ICONS, title: string, does: () => void]} Button */

/** @param {keyof typeof ICONS} name */
function icon(name) {
  const about = 'viewBox="0 0 20 20" width="17" height="17" aria-hidden="true" fill="none" stroke="currentColor"';
  return `<svg ${about} stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round">${ICONS[name]}</svg>`;
}

/**
 * Add a bar of buttons at the upper left.
 *
 * @param {View} view
 * @param {Button[]} buttons
 */
function addBar(view, buttons) {
  const control = new L.Control({ position: "topleft" });
  control.onAdd = () => {
    const bar = L.DomUtil.create("div", "leaflet-bar");
    L.DomEvent.disableClickPropagation(bar);
    for (const [name, title, does] of buttons) {
      const button = add(bar, "a", `bam-tool bam-${name}`);
      Object.assign(button, { href: "#", innerHTML: icon(name), title });
      button.setAttribute("role", "button");
      button.setAttribute("aria-label", title);
      const act = (/** @type {Event} */ event) => {
        L.DomEvent.stop(event);
        does();
      };
      L.DomEvent.on(button, "click", act);
      L.DomEvent.on(button, "keydown", (event) => event instanceof KeyboardEvent && event.key === " " && act(event));
      view.tools[name] = button;
    }
    return bar;
  };
  control.addTo(view.map);
}

/**
 * @param {View} view
 * @param {{ home: () => void, clear: () => void, names: () => void, areas: () => void, full: () => void,
 *   print: () => void }} on
 */
export function addTools(view, on) {
  addBar(view, [
    ["whole", "Show the whole map", on.home],
    ["full", "Fill the window (Escape ends it)", on.full],
  ]);
  addBar(view, [
    ["lasso", LASSO, () => arm(view, "lasso")],
    ["box", "Select a rectangle: drag from corner to corner", () => arm(view, "box")],
    ["like", "Find images like one: click it", () => arm(view, "like")],
    ["clear", "Clear the selection (Escape)", on.clear],
  ]);
  addBar(view, [
    ["names", "Names of the areas", on.names],
    ["areas", "List of the areas", on.areas],
    ["print", "Save this view for print", on.print],
  ]);
  view.tools.clear.hidden = true;
  view.tools.print.setAttribute("aria-expanded", "false");
  showPressed(view, "names", view.named);
  for (const name of ["areas", "full"]) showPressed(view, name, false);
  for (const name of ARMED) showPressed(view, name, false);
}

/**
 * @param {View} view
 * @param {string} name
 * @param {boolean} yes
 */
export function showPressed(view, name, yes) {
  view.tools[name].setAttribute("aria-pressed", String(yes));
}

/**
 * Arm a tool for the next click on the map, or disarm it; only one is armed at a time.
 *
 * @param {View} view
 * @param {Tool} tool
 */
export function arm(view, tool) {
  view.armed = view.armed === tool ? null : tool;
  for (const name of ARMED) showPressed(view, name, view.armed === name);
  view.root.classList.toggle("drawing", view.armed === "lasso" || view.armed === "box");
  view.root.classList.toggle("picking", view.armed === "like");
}
