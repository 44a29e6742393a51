// The card of an image, and its outline on the map.

import * as L from "../../vendor/leaflet/leaflet-src.esm.js";
import { add } from "../dom.js";
import { decimal, percent } from "../numbers.js";
import { pointAtNothing } from "./names.js";

/** @import { Bounds, FoundImage } from "../data.js" */
/** @import { View } from "./view.js" */

/**
 * Outline the picture of an image; a chosen image, or one that has no picture here, gets a ring.
 *
 * @param {View} view
 * @param {{ x: number, y: number, box?: Bounds | null }} found
 * @returns {L.Path}
 */
export function outline(view, { x, y, box }, chosen = false) {
  const style = { color: view.primary, weight: chosen ? 3 : 2, fill: false, interactive: false };
  if (!box || chosen) return L.circleMarker([y, x], { ...style, radius: 8 }).addTo(view.map);
  const [left, top, right, bottom] = box;
  const corners = L.latLngBounds([top, left], [bottom, right]);
  return L.rectangle(corners, style).addTo(view.map);
}

/**
 * @param {View} view
 * @param {FoundImage} found
 * @param {L.LatLng} latlng
 */
export function showCard(view, found, latlng) {
  const { card, picture, title, map } = view;
  const address = `${location.origin}/thumbs/${found.row}.webp`;
  if (picture.src !== address) {
    picture.removeAttribute("src"); // never the previous image with the new title
    picture.src = address;
  }
  picture.alt = found.title ?? "";
  title.textContent = found.title ?? `Image ${found.row}`;
  showScores(view, found);
  card.hidden = false;
  const at = map.latLngToContainerPoint(latlng);
  const size = map.getSize();
  const left = at.x + 18 + card.offsetWidth < size.x ? at.x + 18 : at.x - 18 - card.offsetWidth;
  const top = at.y + 18 + card.offsetHeight < size.y ? at.y + 18 : at.y - 18 - card.offsetHeight;
  card.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  view.pointed?.remove();
  view.pointed = outline(view, found);
}

/**
 * The highest scores of the image, or the score that the map is coloured by.
 *
 * @param {View} view
 * @param {FoundImage} found
 */
function showScores(view, found) {
  view.scores.replaceChildren();
  for (const { name, value, accepted } of scoreLines(found)) {
    const line = add(view.scores, "div", "score");
    add(line, "span", "", name);
    add(line, "span", accepted ? "accepted" : "", value);
  }
}

/**
 * @param {FoundImage} found
 * @returns {{ name: string, value: string, accepted: boolean }[]}
 */
function scoreLines({ score, scores = [] }) {
  const number = (/** @type {number | null} */ value) => (value === null ? "not scored" : decimal(value));
  if (!scores.length) return score === undefined ? [] : [{ name: "score", value: number(score), accepted: false }];
  return scores.map((one) => {
    const value = typeof one.probability === "number" ? percent(one.probability) : number(one.score);
    return { name: one.name, value: one.accepted ? `${value} ✓` : value, accepted: one.accepted === true };
  });
}

/** @param {View} view */
export function hideCard(view) {
  pointAtNothing(view);
  view.pendingHover = null;
  view.card.hidden = true;
  view.pointed?.remove();
  view.pointed = null;
}
