// Tile layers. New layers are drawn over the old ones until they are loaded, so that nothing flickers.
//
// Points beneath pictures are hardly visible: they come from the next lower zoom, twice as large. That is a quarter of
// the tiles, and zooming in has already loaded them.

import * as L from "../../vendor/leaflet/leaflet-src.esm.js";
import { keyOf, TILE } from "./tile_source.js";

/** @import { Tile, TileSource } from "./tile_source.js" */
/** @import { View } from "./view.js" */
/** @typedef {Pick<Tile, "base" | "query">} Tiles the tiles of one kind */
/** @typedef {L.GridLayerOptions & { minZoom: number, maxZoom: number, tileSize: number, zoomOffset: number }} Options */

const FAINT = 0.3; // opacity of points beneath pictures
const AHEAD_AFTER = 150; // milliseconds after a move until tiles are prefetched
const RETIRE_AFTER = 4000; // milliseconds after which old layers go, whether or not the new ones are loaded
const LARGER = { tileSize: 2 * TILE, zoomOffset: -1 };

/** A Leaflet layer that gets its tiles from our source. */
export class Layer extends L.GridLayer {
  /**
   * @param {TileSource} source
   * @param {Tiles} tiles
   * @param {Options} options
   */
  constructor(source, tiles, options) {
    super(options);
    this.source = source;
    this.tiles = tiles;
    this.zooms = options;
    /** Cancels the request of a tile. @type {WeakMap<HTMLElement, () => void>} */
    this.leaving = new WeakMap();
    this.on("tileloadstart", ({ tile }) => lieFlat(tile));
    this.on("tileunload", ({ tile }) => this.leaving.get(tile)?.());
  }

  /**
   * @override
   * @param {L.Coords} coords
   * @param {L.DoneCallback} done
   */
  createTile({ x, y, z }, done) {
    const tile = { ...this.tiles, z: z + this.zooms.zoomOffset, x, y };
    const image = this.source.image(tile);
    image.dataset.tile = keyOf(tile);
    const leave = this.source.want(tile, (address) => {
      if (!address) return void done(new Error("There is no such tile."), image);
      if (image.src !== address) image.src = address;
      image.decode().then(
        () => done(undefined, image),
        (error) => done(image.naturalWidth ? undefined : error, image), // it is there all the same
      );
    });
    this.leaving.set(image, leave);
    return image;
  }
}

/**
 * A tile positioned by a transform is a layer of its own, and the browser would compose dozens of them in each frame.
 *
 * @param {HTMLElement} tile
 */
function lieFlat(tile) {
  const { x, y } = L.DomUtil.getPosition(tile);
  Object.assign(tile.style, { transform: "", left: `${x}px`, top: `${y}px` });
}

/**
 * @param {View} view
 * @param {string} kind
 * @returns {Tiles}
 */
export function tilesOf(view, kind) {
  const { mapId, version, selection, pictures } = view.data;
  const query = new URLSearchParams({ v: version, theme: view.theme });
  if (selection) query.set("only", selection);
  if (kind.startsWith("pictures-") && pictures !== "best") query.set("pictures", pictures);
  const base = `${location.origin}/tiles/${encodeURIComponent(mapId)}/${encodeURIComponent(kind)}`;
  return { base, query: String(query) };
}

/** @param {View} view */
export function showLayers(view) {
  const { map, data } = view;
  const old = view.layers;
  view.layers = data.count > 0 ? makeLayers(view) : [];
  const zoom = map.getZoom();
  const awaited = new Set(view.layers.filter(({ zooms }) => zooms.minZoom <= zoom && zoom <= zooms.maxZoom));
  const retire = () => old.forEach((each) => each.remove());
  for (const each of view.layers) {
    each.once("load", () => {
      awaited.delete(each);
      if (!awaited.size) retire();
    });
    each.on("load", () => lookAhead(view));
    each.addTo(map);
  }
  if (awaited.size) setTimeout(retire, RETIRE_AFTER);
  else retire();
}

/** @param {View} view */
function makeLayers(view) {
  const { colour, pictureFromZoom: from } = view.data;
  const layer = (/** @type {string} */ kind, /** @type {Partial<Options>} */ options) => {
    const bounds = L.latLngBounds([0, 0], [1, 1]);
    const usual = { bounds, noWrap: true, minZoom: 0, maxZoom: 16, keepBuffer: 3, tileSize: TILE, zoomOffset: 0 };
    return new Layer(view.source, tilesOf(view, kind), { ...usual, ...options });
  };
  const large = Math.max(1, from); // zoom 0 is the whole map
  return [
    layer(colour, { zIndex: 1, maxZoom: large - 1, opacity: from ? 1 : FAINT }),
    layer(colour, { zIndex: 1, minZoom: large, opacity: FAINT, ...LARGER }),
    layer(`pictures-${colour}`, { zIndex: 2, minZoom: from }),
  ];
}

/**
 * Once the view rests, prefetch the tiles that one step of the wheel at the pointer, or at the centre, would show.
 *
 * @param {View} view
 */
export function lookAhead(view, after = AHEAD_AFTER) {
  clearTimeout(view.looking);
  view.looking = setTimeout(() => {
    const saveData = "connection" in navigator && /** @type {any} */ (navigator.connection)?.saveData;
    if (view.gone || saveData || view.layers.some((layer) => layer.isLoading())) return;
    const zoom = view.map.getZoom();
    view.source.ahead([...tilesAround(view, zoom + 1), ...tilesAround(view, zoom - 1)]);
  }, after);
}

/**
 * The tiles that are visible after a zoom at the pointer, those nearest to it first.
 *
 * @param {View} view
 * @param {number} zoom
 * @returns {Tile[]}
 */
function tilesAround(view, zoom) {
  const { min } = view.map.getPixelBounds();
  if (!min) return [];
  const size = view.map.getSize();
  const at = view.pointer ?? size.divideBy(2);
  const scale = 2 ** (zoom - view.map.getZoom());
  const place = min.add(at).multiplyBy(scale); // in pixels of that zoom
  const begin = place.subtract(at);
  const found = [];
  for (const { zooms, tiles } of view.layers) {
    if (zoom < zooms.minZoom || zoom > Math.min(zooms.maxZoom, view.data.maxZoom)) continue;
    const side = zooms.tileSize;
    const last = (TILE * 2 ** zoom) / side - 1;
    const cells = (/** @type {number} */ from, /** @type {number} */ to) => [
      Math.max(0, Math.floor(from / side)),
      Math.min(last, Math.floor((to - 1) / side)),
    ];
    const [left, right] = cells(begin.x, begin.x + size.x);
    const [top, bottom] = cells(begin.y, begin.y + size.y);
    for (let y = top; y <= bottom; y += 1) {
      for (let x = left; x <= right; x += 1) {
        const far = Math.hypot((x + 0.5) * side - place.x, (y + 0.5) * side - place.y);
        found.push({ far, tile: { ...tiles, z: zoom + zooms.zoomOffset, x, y } });
      }
    }
  }
  return found.sort((one, other) => one.far - other.far).map(({ tile }) => tile);
}
