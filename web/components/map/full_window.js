// The map over the whole window. The page hides what would cover it (pages/map.py); its dialogs stay on top.

import { showPressed } from "./tools.js";

/** @import { View } from "./view.js" */

const FULL = "bam-map-full"; // of the document

/** @param {View} view */
export function fillsWindow(view) {
  return view.root.classList.contains("full");
}

/**
 * Fill the window, or go back into the page.
 *
 * @param {View} view
 * @param {boolean} yes
 */
export function fillWindow(view, yes) {
  view.root.classList.toggle("full", yes);
  document.documentElement.classList.toggle(FULL, yes);
  showPressed(view, "full", yes);
  view.map.invalidateSize({ pan: false });
  view.field.focus();
}

/** The map has left the page. */
export function leaveWindow() {
  document.documentElement.classList.remove(FULL);
}

/**
 * Escape ends it, unless it ends a tool.
 *
 * @param {View} view
 */
export function listenForEscape(view) {
  const end = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !fillsWindow(view) || view.armed || view.corners) return;
    event.stopPropagation();
    fillWindow(view, false);
  };
  view.root.addEventListener("keydown", end, { capture: true });
}
