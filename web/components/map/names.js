// The names of regions, at the zooms where there is room for them.
//
// A name never blocks the mouse: hovering shows the reason for it, a click reaches the image below. With the keyboard,
// Tab reaches the first name and the arrow keys the others.

import * as L from "../../vendor/leaflet/leaflet-src.esm.js";
import { element } from "../dom.js";
import { drawAreas } from "./areas.js";
import { showPressed } from "./tools.js";

/** @import { RegionName } from "../data.js" */
/** @import { View } from "./view.js" */
/** @typedef {{ marker: L.Marker, words: HTMLElement, size: [width: number, height: number] }} Label */
/** @typedef {[left: number, top: number, right: number, bottom: number]} Pixels */

const ASK_AGAIN = 2500; // milliseconds between requests while names are being computed
const ASK_TIMES = 40;

/** @param {View} view */
export async function fetchNames(view, attempt = 0) {
  const { mapId, version } = view.data;
  if (!attempt) view.names = [];
  const address = `/api/maps/${encodeURIComponent(mapId)}/names.json?v=${encodeURIComponent(version)}`;
  const reply = await fetch(location.origin + address).catch(() => null);
  const current = () => !view.gone && view.data.mapId === mapId && view.data.version === version;
  if (!reply?.ok || !current()) return;
  const { names, busy } = await reply.json();
  if (!current()) return;
  view.names = names;
  drawNames(view);
  drawAreas(view);
  if (busy && attempt < ASK_TIMES) setTimeout(() => current() && void fetchNames(view, attempt + 1), ASK_AGAIN);
}

/**
 * @param {View} view
 * @param {boolean} yes
 */
export function showNames(view, yes) {
  view.keepNamed(yes);
  showPressed(view, "names", yes);
  drawNames(view);
}

/**
 * Draw the visible names of this zoom, larger regions first, without overlaps.
 *
 * @param {View} view
 */
export function drawNames(view) {
  const zoom = view.map.getZoom();
  const seen = view.map.getBounds().pad(0.1);
  const shown = view.named && view.data.count > 0 ? view.names : [];
  const visible = shown.filter((one) => one.from <= zoom && zoom <= one.to && seen.contains([one.y, one.x]));
  visible.sort((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1));
  const key = (/** @type {RegionName} */ one) => [one.name, one.x, one.y].join("|");
  const keys = new Set(visible.map(key));
  for (const [old, { marker }] of view.labels) {
    if (keys.has(old)) continue;
    marker.remove();
    view.labels.delete(old);
  }
  /** @type {Pixels[]} */
  const taken = [];
  for (const one of visible) {
    const label = view.labels.get(key(one)) ?? makeLabel(view, one);
    view.labels.set(key(one), label);
    const box = boxOf(view, label);
    const free = !taken.some((other) => overlap(box, other));
    hide(label, !free);
    if (free) taken.push(box);
  }
  shownNames(view).forEach((words, place) => (words.tabIndex = place ? -1 : 0));
}

/**
 * @param {Label} label
 * @param {boolean} yes
 */
function hide({ marker }, yes) {
  const box = marker.getElement();
  if (box) box.hidden = yes;
}

/** @param {Label} label */
function isShown({ marker }) {
  return marker.getElement()?.hidden === false;
}

/** @param {View} view */
function shownNames(view) {
  return [...view.labels.values()].filter(isShown).map(({ words }) => words);
}

/**
 * The names are one tab stop; arrow keys move between them.
 *
 * @param {View} view
 * @param {HTMLElement} words
 * @param {KeyboardEvent} event
 */
function stepToName(view, words, event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const names = shownNames(view);
  names[(names.indexOf(words) + step + names.length) % names.length]?.focus({ preventScroll: true });
}

/**
 * @param {View} view
 * @param {RegionName} one
 * @returns {Label}
 */
function makeLabel(view, one) {
  const words = element("span", {}, one.name);
  const icon = L.divIcon({ className: "bam-name", html: words, iconSize: undefined });
  const marker = L.marker([one.y, one.x], { icon, keyboard: false, interactive: false, zIndexOffset: one.count });
  const why = element("div", {}, one.why);
  marker.bindTooltip(why, { direction: "top", className: "bam-why", offset: [0, -8] });
  marker.addTo(view.map);
  words.setAttribute("role", "note");
  words.setAttribute("aria-label", `${one.name}. ${one.why}`);
  words.addEventListener("focus", () => marker.openTooltip());
  words.addEventListener("blur", () => marker.closeTooltip());
  words.addEventListener("keydown", (event) => stepToName(view, words, event));
  const size = 13 + Math.min(4, Math.log10(Math.max(1, one.count / 20)) * 1.5);
  words.style.setProperty("--size", `${size.toFixed(1)}px`);
  return { marker, words, size: [words.offsetWidth, words.offsetHeight] };
}

/**
 * @param {View} view
 * @param {Label} label
 * @returns {Pixels}
 */
function boxOf(view, { marker, size: [width, height] }) {
  const at = view.map.latLngToLayerPoint(marker.getLatLng());
  return [at.x - width / 2 - 3, at.y - height / 2 - 1, at.x + width / 2 + 3, at.y + height / 2 + 1];
}

/**
 * @param {Pixels} one
 * @param {Pixels} other
 */
function overlap(one, other) {
  return one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
}

/** @param {View} view */
export function pointAtNothing(view) {
  view.openName?.marker.closeTooltip();
  view.openName = undefined;
}

/**
 * Show the reason for the name under the mouse.
 *
 * @param {View} view
 * @param {L.LatLng} latlng
 */
export function pointAtName(view, latlng) {
  const at = view.map.latLngToLayerPoint(latlng);
  const hit = (/** @type {Label} */ label) => {
    const [left, top, right, bottom] = boxOf(view, label);
    return isShown(label) && left <= at.x && at.x <= right && top <= at.y && at.y <= bottom;
  };
  const found = [...view.labels.values()].find(hit);
  if (found === view.openName) return;
  view.openName?.marker.closeTooltip();
  view.openName = found;
  found?.marker.openTooltip();
}
