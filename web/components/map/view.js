// The state of one map, which the other files of this folder share. Map coordinates are x, y in [0, 1], y down; Leaflet's
// latlng is (y, x).

import * as L from "../../vendor/leaflet/leaflet-src.esm.js";
import { add } from "../dom.js";
import { session } from "../store.js";
import { PatientMap } from "./patient_map.js";
import { TILE, TileSource } from "./tile_source.js";

/** @import { FoundImage, MapData, RegionName } from "../data.js" */
/** @import { Layer } from "./tiles.js" */
/** @import { Label } from "./names.js" */

/** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */
/** @typedef {"lasso" | "box" | "like"} Tool a tool that is armed for the next click or drag */
/** @typedef {{ corners: [x: number, y: number][] | null, drawn: string }} SentArea */

const NAMES_OFF = "bam-map-names-off";
const ENDS_AFTER = 500; // milliseconds in which Leaflet ends a zoom that has begun: it fails on a map that was removed

export class View {
  /**
   * @param {ParentNode} parent
   * @param {MapData} data
   */
  constructor(parent, data) {
    this.data = data;
    /** The data that the map shows; null before the first. @type {MapData | null} */
    this.shown = null;
    this.gone = false;
    this.path = location.pathname;
    this.source = new TileSource();

    this.root = add(parent, "div", "bam-map");
    this.field = add(this.root, "div");
    this.cross = add(this.root, "div", "bam-cross");
    this.legend = add(this.root, "div", "bam-legend");
    this.areas = add(this.root, "div", "bam-area-list");
    this.note = add(this.root, "div", "bam-note");
    this.card = add(this.root, "div", "bam-card");
    this.card.setAttribute("role", "status");
    this.picture = add(this.card, "img");
    this.title = add(this.card, "div", "title");
    this.scores = add(this.card, "div", "scores");
    this.mini = add(this.root, "div", "bam-mini");
    this.whole = add(this.mini, "img");
    this.frame = add(this.mini, "div", "frame");
    for (const part of [this.cross, this.legend, this.areas, this.note, this.card, this.mini]) part.hidden = true;
    // Leaflet focuses the map on a click, which must not scroll the page.
    this.field.focus = () => HTMLElement.prototype.focus.call(this.field, { preventScroll: true });
    this.map = makeMap(this.field);

    // what Python hears: the picked image and the drawn area
    /** @type {(picked: { row: number, like: boolean } | null) => void} */
    this.pick = () => {};
    /** @type {(area: SentArea) => void} */
    this.send = () => {};
    /** @type {(label: string) => void} */
    this.filter = () => {};

    // layers and colours
    this.theme = themeOf(this.root);
    /** @type {Layer[]} */
    this.layers = [];

    // the image under the pointer, or, with the keyboard, under the cross
    /** @type {L.Point | null} */
    this.pointer = null;
    this.keys = false;
    /** @type {Map<string, FoundImage | null>} */
    this.answers = new Map();
    /** @type {L.LatLng | null} */
    this.pendingHover = null;
    this.busy = false;
    /** The outline of the image under the pointer. @type {L.Path | null} */
    this.pointed = null;
    /** The ring around the picked image. @type {L.Path | null} */
    this.chosen = null;

    // tools, and the area that is drawn
    /** @type {Record<string, HTMLElement>} */
    this.tools = {};
    /** @type {Tool | null} */
    this.armed = null;
    /** The corners while they are drawn. @type {L.Point[] | null} */
    this.corners = null;
    this.boxed = false;
    /** @type {L.Polyline | null} */
    this.line = null;
    this.drewAt = -Infinity;
    /** @type {L.Polygon | null} */
    this.area = null;
    /** The last event that drew or cleared an area. @type {string | null} */
    this.token = null;
    /** @type {HTMLFormElement | null} */
    this.sheet = null;
    /** @type {AbortController | null} */
    this.saving = null;

    // the names of regions
    this.named = session.read(NAMES_OFF) === null;
    /** @type {RegionName[]} */
    this.names = [];
    /** @type {Map<string, Label>} */
    this.labels = new Map();
    /** @type {Label | undefined} */
    this.openName = undefined;

    // the position
    /** The last move from Python. @type {string | null} */
    this.went = null;
    /** @type {Timer} */
    this.addressing = undefined;
    /** @type {Timer} */
    this.looking = undefined;
    /** @type {Timer} */
    this.resting = undefined;
    // A map that is hidden or has left the page has no size: its view is not remembered.
    this.watcher = new ResizeObserver(() => this.root.clientWidth && this.map.invalidateSize({ pan: false }));
    this.watcher.observe(this.root);
  }

  /** @param {boolean} yes whether the names of regions are shown */
  keepNamed(yes) {
    this.named = yes;
    if (yes) session.remove(NAMES_OFF);
    else session.write(NAMES_OFF, 1);
  }

  /** The app's primary colour. */
  get primary() {
    return getComputedStyle(this.root).getPropertyValue("--st-primary-color").trim() || "#ff4b4b";
  }

  /** The map has left the page. */
  leave() {
    this.gone = true;
    this.source.close();
    clearTimeout(this.addressing);
    clearTimeout(this.looking);
    clearTimeout(this.resting);
    this.saving?.abort();
    this.watcher.disconnect();
    this.map.forget();
    setTimeout(() => this.map.remove(), ENDS_AFTER);
  }
}

/** @param {HTMLElement} field */
function makeMap(field) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const unit = L.extend({}, L.CRS.Simple, { transformation: new L.Transformation(TILE, 0, TILE, 0) });
  return new PatientMap(field, {
    crs: unit,
    minZoom: 0,
    attributionControl: false,
    fadeAnimation: false,
    zoomAnimation: !calm && hasGraphicsCard(),
    inertia: !calm,
    wheelDebounceTime: 16,
    wheelPxPerZoomLevel: 90,
    maxBounds: [
      [-1.5, -1.5],
      [2.5, 2.5],
    ],
    maxBoundsViscosity: 0.7,
    boxZoom: false, // dragging with Shift draws an area
  });
}

/** Without one, animated zooms are drawn by the CPU and delay the tiles. */
function hasGraphicsCard() {
  return document.createElement("canvas").getContext("webgl", { failIfMajorPerformanceCaveat: true }) !== null;
}

/**
 * The theme, from the brightness of the app's background.
 *
 * @param {HTMLElement} root
 * @returns {"light" | "dark"}
 */
export function themeOf(root) {
  const [red, green, blue] = getComputedStyle(root)
    .backgroundColor.match(/[\d.]+/g)
    ?.map(Number) ?? [255, 255, 255];
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128 ? "dark" : "light";
}
