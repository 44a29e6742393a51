// The page's address contains the view: the map, its colour and pictures, the selection, and the position. It is
// replaced without a rerun; other parameters stay. Python reads it in web/map_state.py.

/** @import { MapData } from "../data.js" */
/** @import { View } from "./view.js" */

const RESTING = 150; // milliseconds without a move before the address is updated

/** @param {View} view */
export function writeAddressSoon(view) {
  clearTimeout(view.addressing);
  view.addressing = setTimeout(() => writeAddress(view), RESTING);
}

/** @param {View} view */
export function writeAddress(view) {
  clearTimeout(view.addressing);
  if (view.gone || !view.root.isConnected || location.pathname !== view.path) return;
  const address = addressOf(location.href, view.data, view.map.getCenter(), view.map.getZoom());
  if (address !== location.href) history.replaceState(history.state, "", address);
}

/**
 * The address of a view.
 *
 * @param {string} href the page's address, whose other parameters stay
 * @param {Pick<MapData, "mapId" | "colour" | "pictures" | "selection">} data
 * @param {{ lat: number, lng: number }} centre
 * @param {number} zoom
 * @returns {string}
 */
export function addressOf(href, { mapId, colour, pictures, selection }, { lat, lng }, zoom) {
  const parameters = {
    map: mapId,
    colour,
    pictures: pictures === "best" ? "" : pictures,
    selection,
    x: withinMap(lng),
    y: withinMap(lat),
    z: String(zoom),
  };
  const address = new URL(href);
  for (const [name, value] of Object.entries(parameters)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  return address.href;
}

/** @param {number} value */
function withinMap(value) {
  return Math.min(1, Math.max(0, value)).toFixed(5);
}
