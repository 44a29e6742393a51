// Fetches tiles, many per request, and caches them in memory; tiles of the next zoom are prefetched. In: the requested
// tiles. Out: the address of each, or a decoded image. Requests that are no longer needed are cancelled.

import { addressOf } from "../picture_address.js";

/**
 * One tile of a layer: `base` and `query` are those of its address on the server.
 *
 * @typedef {{ base: string, query: string, z: number, x: number, y: number }} Tile
 */
/** @typedef {(address: string | null) => void} Arrived called with the tile's address, or null if there is none */
/** @typedef {{ tile: Tile, key: string, tries: number, waiting: Set<Arrived>, pack: Pack | null }} Line */
/** @typedef {{ ahead: boolean, control: AbortController, lines: Set<Line> }} Pack one request */

/**
 * @typedef {object} Environment
 * @property {typeof fetch} get
 * @property {() => HTMLImageElement} makeImage
 */

export const TILE = 256; // pixels
export const CACHED = 600;
export const AT_ONCE = 64; // in one request
const AGAIN = 1000; // milliseconds after a failure, longer after each further one
const SLOWEST = 10; // times as long at most
const HEAD = 6; // bytes: the index and the size of a tile

/**
 * The address of a tile on the server, which is its key.
 *
 * @param {Tile} tile
 */
export const keyOf = ({ base, query, z, x, y }) => `${base}/${z}/${x}/${y}?${query}`;

/**
 * @param {Tile} tile
 * @returns {Line}
 */
const lineOf = (tile) => ({ tile, key: keyOf(tile), tries: 0, waiting: new Set(), pack: null });

/** @type {Environment} */
const BROWSER = {
  get: (address, options) => fetch(address, options),
  makeImage: () => document.createElement("img"),
};

export class TileSource {
  /** @param {Environment} environment */
  constructor(environment = BROWSER) {
    this.environment = environment;
    /** Key to address, the least recently used first. @type {Map<string, string>} */
    this.cache = new Map();
    /** The requested tiles by key. @type {Map<string, Line>} */
    this.coming = new Map();
    /** The tiles of the next request. @type {Line[]} */
    this.queued = [];
    /** The packs that are being fetched. @type {Set<Pack>} */
    this.packs = new Set();
    /** Decoded images of prefetched tiles by key. @type {Map<string, HTMLImageElement>} */
    this.images = new Map();
    this.closed = false;
  }

  /**
   * Request a tile; return a function that cancels the request.
   *
   * @param {Tile} tile
   * @param {Arrived} arrived
   */
  want(tile, arrived) {
    const key = keyOf(tile);
    const address = this.cache.get(key);
    if (address !== undefined) {
      this.store(key, address);
      arrived(address);
      return () => {};
    }
    const known = this.coming.get(key);
    const line = known && !known.pack?.ahead ? known : this.ask(lineOf(tile));
    line.waiting.add(arrived);
    return () => {
      line.waiting.delete(arrived);
      if (!line.waiting.size) this.leave(line);
    };
  }

  /**
   * An image element for the tile, already decoded if it was prefetched.
   *
   * @param {Tile} tile
   */
  image(tile) {
    const key = keyOf(tile);
    const found = this.images.get(key) ?? this.environment.makeImage();
    this.images.delete(key);
    return Object.assign(found, { alt: "" });
  }

  /**
   * Prefetch tiles, in place of those prefetched before.
   *
   * @param {Tile[]} tiles
   */
  ahead(tiles) {
    const lines = tiles.map(lineOf);
    const keys = new Set(lines.map(({ key }) => key));
    for (const key of this.images.keys()) if (!keys.has(key)) this.images.delete(key);
    for (const pack of this.packs) {
      if (pack.ahead && [...pack.lines].some(({ key }) => !keys.has(key))) this.drop(pack);
    }
    this.fetchAll(
      lines.filter(({ key }) => !this.cache.has(key) && !this.coming.has(key)),
      true,
    );
  }

  dropAhead() {
    for (const pack of this.packs) if (pack.ahead) this.drop(pack);
  }

  close() {
    this.closed = true;
    for (const pack of this.packs) this.drop(pack);
  }

  /**
   * @param {Line} line
   * @returns {Line}
   */
  ask(line) {
    this.coming.set(line.key, line);
    if (this.queued.push(line) > 1) return line;
    queueMicrotask(() => {
      const lines = this.queued.filter(({ waiting }) => waiting.size);
      this.queued = [];
      this.fetchAll(lines, false);
    });
    return line;
  }

  /**
   * Cancel a line, and its pack if nothing waits for the pack any more.
   *
   * @param {Line} line
   */
  leave(line) {
    if (line.pack) {
      if (![...line.pack.lines].some(({ waiting }) => waiting.size)) this.drop(line.pack);
    } else if (this.coming.get(line.key) === line) this.coming.delete(line.key);
  }

  /** @param {Pack} pack */
  drop(pack) {
    pack.control.abort();
    this.packs.delete(pack);
    for (const line of pack.lines) if (this.coming.get(line.key) === line) this.coming.delete(line.key);
  }

  /**
   * @param {Line[]} lines
   * @param {boolean} ahead
   */
  fetchAll(lines, ahead) {
    if (this.closed) return;
    /** @type {Map<string, Line[]>} */
    const layers = new Map();
    for (const line of lines) {
      const { base, query, z } = line.tile;
      const name = `${base}/${z}.pack?${query}`;
      layers.set(name, [...(layers.get(name) ?? []), line]);
    }
    for (const [address, all] of layers) {
      for (let at = 0; at < all.length; at += AT_ONCE) void this.fetch(address, all.slice(at, at + AT_ONCE), ahead);
    }
  }

  /**
   * @param {string} address of the layer's packs
   * @param {Line[]} lines
   * @param {boolean} ahead
   */
  async fetch(address, lines, ahead) {
    /** @type {Pack} */
    const pack = { ahead, control: new AbortController(), lines: new Set(lines) };
    this.packs.add(pack);
    for (const line of lines) {
      line.pack = pack;
      this.coming.set(line.key, line);
    }
    const { signal } = pack.control;
    const tiles = lines.map(({ tile }) => `${tile.x}.${tile.y}`).join();
    const url = `${address}&tiles=${tiles}${ahead ? "&ahead=1" : ""}`;
    try {
      const answer = await this.environment.get(url, { signal, priority: ahead ? "low" : "high" });
      if (answer.status === 404) return lines.forEach((line) => this.deliver(line, null));
      if (!answer.ok || !answer.body) throw new Error(`The server answered ${answer.status}.`);
      await unpackTiles(answer.body, (number, bytes) => this.arrived(pack, lines[number], bytes));
    } catch (error) {
      if (!signal.aborted) console.warn(error);
    } finally {
      this.packs.delete(pack);
    }
    if (!signal.aborted && pack.lines.size) this.failed(pack);
  }

  /**
   * @param {Pack} pack
   * @param {Line} line
   * @param {Uint8Array} bytes
   */
  arrived(pack, line, bytes) {
    pack.lines.delete(line);
    const address = addressOf(bytes);
    this.store(line.key, address);
    if (pack.ahead) this.prepare(line.key, address);
    for (const each of new Set([line, this.coming.get(line.key)])) this.deliver(each, address);
  }

  /**
   * @param {string} key
   * @param {string} address
   */
  prepare(key, address) {
    const image = this.environment.makeImage();
    image.src = address;
    image.decode().catch(() => {});
    this.images.set(key, image);
  }

  /**
   * @param {Line | undefined} line
   * @param {string | null} address
   */
  deliver(line, address) {
    if (!line) return;
    if (this.coming.get(line.key) === line) this.coming.delete(line.key); // and no later request for the same tile
    const waiting = [...line.waiting];
    line.waiting.clear();
    for (const arrived of waiting) arrived(address);
  }

  /**
   * Request again what is still waited for, for as long as it is: a server may take a while to start.
   *
   * @param {Pack} pack
   */
  failed(pack) {
    this.drop(pack);
    const again = [...pack.lines].filter((line) => line.waiting.size);
    for (const line of again) this.coming.set(line.key, Object.assign(line, { pack: null, tries: line.tries + 1 }));
    const pause = AGAIN * Math.min(SLOWEST, Math.max(...again.map(({ tries }) => tries)));
    const waiting = () => again.filter((line) => line.waiting.size);
    if (again.length) setTimeout(() => this.fetchAll(waiting(), false), pause);
  }

  /**
   * @param {string} key
   * @param {string} address
   */
  store(key, address) {
    this.cache.delete(key);
    this.cache.set(key, address);
    for (const oldest of this.cache.keys()) {
      if (this.cache.size <= CACHED) break;
      this.cache.delete(oldest);
    }
  }
}

/**
 * Call `arrived` with the index and the bytes of each tile of a response, as soon as it is complete.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {(index: number, bytes: Uint8Array) => void} arrived
 */
async function unpackTiles(body, arrived) {
  const reader = body.getReader();
  let rest = new Uint8Array();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const bytes = new Uint8Array(rest.length + value.length);
    bytes.set(rest);
    bytes.set(value, rest.length);
    const view = new DataView(bytes.buffer);
    let at = 0;
    while (at + HEAD <= bytes.length) {
      const end = at + HEAD + view.getUint32(at + 2, true);
      if (end > bytes.length) break;
      arrived(view.getUint16(at, true), bytes.subarray(at + HEAD, end));
      at = end;
    }
    rest = bytes.slice(at);
  }
}
