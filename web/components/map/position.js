// Where the map is: the whole map, a move from Python, the view remembered in the session.

import { session } from "../store.js";
import { outline } from "./card.js";
import { zoomThatFits } from "./fit.js";

/** @import { Goto } from "../data.js" */
/** @import { View } from "./view.js" */

const MARGIN = 60; // pixels in which what is drawn around the outermost places is seen whole

/**
 * Show the whole map at the closest zoom.
 *
 * @param {View} view
 */
export function home(view, animate = false) {
  const { bounds, maxZoom } = view.data;
  const { zoom, centre } = zoomThatFits(bounds, view.map.getSize(), { maxZoom, least: 1e-3, margin: MARGIN });
  view.map.setView(centre, zoom, { animate });
}

/**
 * Apply a move from Python, to a position or to bounds, once.
 *
 * @param {View} view
 * @param {Goto} goto
 */
export function follow(view, goto) {
  view.went = goto.id;
  const { map, data } = view;
  view.chosen?.remove();
  view.chosen = null;
  if (goto.bounds) {
    const about = { maxZoom: data.maxZoom, least: 1e-6, margin: MARGIN };
    const { zoom, centre } = zoomThatFits(goto.bounds, map.getSize(), about);
    map.setView(centre, zoom, { animate: false });
    return;
  }
  const zoom = goto.z ?? data.pictureFromZoom + 2;
  map.setView([goto.y, goto.x], Math.min(Math.max(0, zoom), data.maxZoom), { animate: false });
  if (goto.mark) view.chosen = outline(view, goto, true);
}

/** Maps of several workspaces may have one id. @param {View} view */
const memory = ({ data }) => `bam-map-${data.workspace ? `${data.workspace}-` : ""}${data.mapId}`;

/**
 * Remember the view of this map for the session.
 *
 * @param {View} view
 */
export function remember(view) {
  if (view.gone) return;
  const { lat, lng } = view.map.getCenter();
  session.write(memory(view), [lat, lng, view.map.getZoom()]);
}

/**
 * Return to the remembered view; return whether there is one.
 *
 * @param {View} view
 */
export function recall(view) {
  const [lat, lng, zoom] = session.read(memory(view)) ?? [];
  if (![lat, lng, zoom].every(Number.isFinite) || zoom > view.data.maxZoom) return false;
  view.map.setView([lat, lng], zoom, { animate: false });
  return true;
}
