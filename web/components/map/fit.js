// The view that shows bounds of the map. No DOM.

import { TILE } from "./tile_source.js";

/** @import { Bounds } from "../data.js" */

/**
 * The closest zoom at which the bounds fit, and their centre (y, x).
 *
 * @param {Bounds} bounds
 * @param {{ x: number, y: number }} size of the window on the map in pixels
 * @param {object} limits
 * @param {number} limits.maxZoom
 * @param {number} limits.least side of the bounds
 * @param {number} [limits.margin] pixels that stay free in each direction
 * @returns {{ zoom: number, centre: [y: number, x: number] }}
 */
export function zoomThatFits([left, top, right, bottom], size, { maxZoom, least, margin = 0 }) {
  const across = (size.x - margin) / Math.max(right - left, least);
  const down = (size.y - margin) / Math.max(bottom - top, least);
  const zoom = Math.floor(Math.log2(Math.min(across, down) / TILE));
  return { zoom: Math.min(Math.max(0, zoom), maxZoom), centre: [(top + bottom) / 2, (left + right) / 2] };
}
