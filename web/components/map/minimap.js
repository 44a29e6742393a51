// A small map in the corner, with a frame around the view; a click or a drag moves the view.

import { hideCard } from "./card.js";
import { keyOf } from "./tile_source.js";
import { tilesOf } from "./tiles.js";

/** @import { View } from "./view.js" */

/** @param {View} view */
export function addMinimap(view) {
  const { mini } = view;
  Object.assign(view.whole, { alt: "", draggable: false });
  mini.setAttribute("role", "img");
  mini.setAttribute("aria-label", "The whole map; the frame shows what is in view");
  mini.title = "The whole map: click or drag to go there";
  const goThere = (/** @type {PointerEvent} */ event) => {
    const { left, top, width, height } = mini.getBoundingClientRect();
    const x = (event.clientX - left) / width;
    const y = (event.clientY - top) / height;
    view.map.panTo([Math.min(1, Math.max(0, y)), Math.min(1, Math.max(0, x))], { animate: false });
  };
  mini.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    mini.setPointerCapture(event.pointerId);
    hideCard(view);
    goThere(event);
  });
  mini.addEventListener("pointermove", (event) => mini.hasPointerCapture(event.pointerId) && goThere(event));
}

/** @param {View} view */
export function showMinimap(view) {
  const address = keyOf({ ...tilesOf(view, view.data.colour), z: 0, x: 0, y: 0 });
  if (view.whole.src !== address) view.whole.src = address;
  moveFrame(view);
}

/**
 * The small map is hidden while the whole map is visible.
 *
 * @param {View} view
 */
export function moveFrame(view) {
  const seen = view.map.getBounds();
  const [west, east] = [Math.max(0, seen.getWest()), Math.min(1, seen.getEast())];
  const [north, south] = [Math.max(0, seen.getSouth()), Math.min(1, seen.getNorth())]; // y runs down
  const [left, top, right, bottom] = view.data.bounds;
  view.mini.hidden = view.data.count === 0 || (west <= left && north <= top && right <= east && bottom <= south);
  Object.assign(view.frame.style, {
    left: `${100 * west}%`,
    top: `${100 * north}%`,
    width: `${100 * Math.max(0, east - west)}%`,
    height: `${100 * Math.max(0, south - north)}%`,
  });
}
