// Hover, click and keys: the image under the pointer or the crosshair.

import { clearSelection, dropLine, selectView } from "./area.js";
import { writeAddressSoon } from "./address.js";
import { hideCard, outline, showCard } from "./card.js";
import { moveFrame } from "./minimap.js";
import { drawNames, pointAtName } from "./names.js";
import { home, remember } from "./position.js";
import { TILE } from "./tile_source.js";
import { lookAhead } from "./tiles.js";
import { arm } from "./tools.js";

/** @import * as L from "leaflet" */
/** @import { FoundImage } from "../data.js" */
/** @import { View } from "./view.js" */

const REACH = 12; // radius in pixels within which a point is hit
const MAX_ANSWERS = 600; // cached
const POINTER_RESTS = 300; // milliseconds after a pointer move until tiles are prefetched around it
const DREW = 300; // milliseconds after drawing in which a click is the end of it

/** @param {View} view */
export function listen(view) {
  const { map, field } = view;
  map.on("mousemove", (event) => {
    keysInUse(view, false);
    const { target } = event.originalEvent;
    if (target instanceof Element && target.closest(".leaflet-control")) return hideCard(view); // not the image below
    view.pointer = event.containerPoint;
    lookAhead(view, POINTER_RESTS);
    if (view.corners) return;
    pointAtName(view, event.latlng);
    void hover(view, event.latlng);
  });
  map.on("mouseout dragstart zoomstart", () => hideCard(view));
  map.on("mouseout", () => (view.pointer = null));
  map.on("click", (event) => {
    if (performance.now() - view.drewAt > DREW) void choose(view, event.latlng);
  });
  map.on("move", () => moveFrame(view));
  map.on("moveend", () => {
    remember(view);
    writeAddressSoon(view);
    drawNames(view);
    view.source.dropAhead();
    lookAhead(view);
    if (view.keys) void hover(view, map.getCenter());
  });
  field.addEventListener("keydown", (event) => onKey(view, event));
  field.addEventListener("blur", () => {
    keysInUse(view, false);
    hideCard(view);
  });
}

/**
 * @param {View} view
 * @param {KeyboardEvent} event
 */
function onKey(view, event) {
  if (event.target !== view.field || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && event.shiftKey) selectView(view);
  else if (event.key === "Enter") void choose(view, view.map.getCenter());
  else if (event.key === "Home") home(view, true);
  else if (event.key === "Escape") escape(view);
  else if (event.key.startsWith("Arrow") || "+-=".includes(event.key)) keysInUse(view, true);
}

/** @param {View} view */
function escape(view) {
  if (view.corners || view.armed) {
    dropLine(view);
    if (view.armed) arm(view, view.armed);
  } else if (!view.card.hidden) hideCard(view);
  else clearSelection(view);
}

/**
 * With the keyboard, the centre of the map is the pointer.
 *
 * @param {View} view
 * @param {boolean} yes
 */
function keysInUse(view, yes) {
  view.keys = yes;
  view.cross.hidden = !yes;
}

/**
 * The image at a place; null where there is none.
 *
 * @param {View} view
 * @param {L.LatLng} place
 * @returns {Promise<FoundImage | null>}
 */
async function ask(view, { lat, lng }) {
  const { mapId, version, colour, selection, pictures } = view.data;
  const { answers } = view;
  const zoom = view.map.getZoom();
  const pixels = TILE * 2 ** zoom;
  const key = [zoom, Math.round((lng * pixels) / 3), Math.round((lat * pixels) / 3)].join();
  const known = answers.get(key);
  if (known !== undefined) return known;
  const place = { x: `${lng}`, y: `${lat}`, r: `${REACH / pixels}`, kind: colour, z: `${zoom}`, v: version };
  const query = new URLSearchParams(place);
  if (pictures !== "best") query.set("pictures", pictures);
  if (selection) query.set("only", selection);
  const reply = await fetch(`${location.origin}/tiles/${encodeURIComponent(mapId)}/nearest?${query}`);
  if (!reply.ok) return null;
  const found = await reply.json();
  const answer = found.row === null ? null : found;
  for (const oldest of answers.keys()) {
    if (answers.size < MAX_ANSWERS) break;
    answers.delete(oldest);
  }
  answers.set(key, answer);
  return answer;
}

/**
 * Show the card of the image at a place. One request at a time; meanwhile only the latest position is remembered.
 *
 * @param {View} view
 * @param {L.LatLng} latlng
 */
async function hover(view, latlng) {
  view.pendingHover = latlng;
  if (view.busy) return;
  view.busy = true;
  try {
    while (view.pendingHover) {
      /** @type {L.LatLng} */
      const place = view.pendingHover;
      const found = await ask(view, place);
      if (view.pendingHover !== place) continue;
      view.pendingHover = null;
      if (found) showCard(view, found, place);
      else hideCard(view);
    }
  } catch {
    hideCard(view); // the server is unreachable; the next move tries again
  } finally {
    view.busy = false;
  }
}

/**
 * Pick the image at a place.
 *
 * @param {View} view
 * @param {L.LatLng} latlng
 */
async function choose(view, latlng) {
  const found = await ask(view, latlng).catch(() => undefined);
  if (found === undefined) return;
  view.chosen?.remove();
  view.chosen = found ? outline(view, found, true) : null;
  if (found) showCard(view, found, latlng);
  const like = view.armed === "like";
  if (like && !found) return; // the tool waits for an image
  if (like) arm(view, "like");
  view.pick(found ? { row: found.row, like } : null);
}
