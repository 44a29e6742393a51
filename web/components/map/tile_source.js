// Fetches tiles, many per request, and caches them in memory; tiles of the next zoom are prefetched.
//
// In: the requested tiles. Out: the address of each, or a decoded image. Requests that are no longer needed are
// cancelled. A tile is {base, query, z, x, y}; its key is its address on the server.

const TILES_CACHED = 600;
const TILES_AT_ONCE = 64; // in one request
const TILES_AGAIN = 1000; // milliseconds after a failure
const TRIES = 30;
const HEAD = 6; // bytes: the index and the size of a tile

const keyOf = ({ base, query, z, x, y }) => `${base}/${z}/${x}/${y}?${query}`;
const lineOf = (tile) => ({ tile, key: keyOf(tile), tries: 0, waiting: new Set(), pack: null });

class TileSource {
  constructor() {
    this.cache = new Map(); // key to address, the last used ones last
    this.coming = new Map(); // key to {tile, key, tries, waiting, pack}
    this.queued = []; // the tiles of the next request
    this.images = new Map(); // decoded images of prefetched tiles
  }

  // Call `arrived` with the tile's address, or null if it does not exist; return a function that cancels the request.
  want(tile, arrived) {
    const key = keyOf(tile);
    const address = this.cache.get(key);
    if (address !== undefined) {
      this.store(key, address);
      arrived(address);
      return () => {};
    }
    let line = this.coming.get(key);
    if (!line || line.pack?.ahead) this.ask((line = lineOf(tile)));
    line.waiting.add(arrived);
    return () => {
      line.waiting.delete(arrived);
      if (!line.waiting.size) this.leave(line);
    };
  }

  // An image element for the tile, already decoded if it was prefetched.
  image(tile) {
    const key = keyOf(tile);
    const found = this.images.get(key) ?? document.createElement("img");
    this.images.delete(key);
    return Object.assign(found, { alt: "" });
  }

  // Prefetch tiles, in place of those prefetched before.
  ahead(tiles) {
    const lines = tiles.map(lineOf);
    const keys = new Set(lines.map(({ key }) => key));
    for (const key of this.images.keys()) if (!keys.has(key)) this.images.delete(key);
    for (const pack of this.packs()) {
      if (pack.ahead && [...pack.lines].some(({ key }) => !keys.has(key))) this.drop(pack);
    }
    this.fetchAll(lines.filter(({ key }) => !this.cache.has(key) && !this.coming.has(key)), true);
  }

  dropAhead() {
    for (const pack of this.packs()) if (pack.ahead) this.drop(pack);
  }

  close() {
    this.closed = true;
    for (const pack of this.packs()) this.drop(pack);
  }

  // The packs that are being fetched.
  packs() {
    return new Set([...this.coming.values()].map(({ pack }) => pack).filter(Boolean));
  }

  ask(line) {
    this.coming.set(line.key, line);
    if (this.queued.push(line) > 1) return;
    queueMicrotask(() => {
      const lines = this.queued.filter(({ waiting }) => waiting.size);
      this.queued = [];
      this.fetchAll(lines, false);
    });
  }

  // Cancel a line, and its pack if nothing waits for the pack any more.
  leave(line) {
    if (line.pack) {
      if (![...line.pack.lines].some(({ waiting }) => waiting.size)) this.drop(line.pack);
    } else if (this.coming.get(line.key) === line) this.coming.delete(line.key);
  }

  drop(pack) {
    pack.control.abort();
    for (const line of pack.lines) if (this.coming.get(line.key) === line) this.coming.delete(line.key);
  }

  fetchAll(lines, ahead) {
    const layers = new Map();
    for (const line of lines) {
      const { base, query, z } = line.tile;
      const name = `${base}/${z}.pack?${query}`;
      layers.set(name, [...(layers.get(name) ?? []), line]);
    }
    for (const [address, all] of layers) {
      for (let at = 0; at < all.length; at += TILES_AT_ONCE) {
        this.fetch(address, all.slice(at, at + TILES_AT_ONCE), ahead);
      }
    }
  }

  async fetch(address, lines, ahead) {
    const pack = { ahead, control: new AbortController(), lines: new Set(lines) };
    for (const line of lines) {
      line.pack = pack;
      this.coming.set(line.key, line);
    }
    const tiles = lines.map(({ tile }) => `${tile.x}.${tile.y}`).join();
    const url = `${address}&tiles=${tiles}${ahead ? "&ahead=1" : ""}`;
    try {
      const answer = await fetch(url, { signal: pack.control.signal, priority: ahead ? "low" : "high" });
      if (answer.status === 404) return lines.forEach((line) => this.deliver(line, null));
      if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
      await unpackTiles(answer.body, (number, bytes) => this.arrived(pack, lines[number], bytes));
    } catch (error) {
      if (!pack.control.signal.aborted) console.warn(error);
    }
    if (!pack.control.signal.aborted && pack.lines.size) this.failed(pack);
  }

  arrived(pack, line, bytes) {
    pack.lines.delete(line);
    const address = addressOf(bytes);
    this.store(line.key, address);
    if (pack.ahead) this.prepare(line.key, address);
    this.deliver(this.coming.get(line.key), address);
  }

  prepare(key, address) {
    const image = document.createElement("img");
    image.src = address;
    image.decode().catch(() => {});
    this.images.set(key, image);
  }

  deliver(line, address) {
    if (!line) return;
    this.coming.delete(line.key);
    for (const arrived of line.waiting) arrived(address);
  }

  failed(pack) {
    this.drop(pack);
    const again = [...pack.lines].filter((line) => line.waiting.size && (line.tries += 1) < TRIES);
    for (const line of again) this.coming.set(line.key, Object.assign(line, { pack: null }));
    setTimeout(() => this.closed || this.fetchAll(again.filter((line) => line.waiting.size), false), TILES_AGAIN);
  }

  store(key, address) {
    this.cache.delete(key);
    this.cache.set(key, address);
    if (this.cache.size > TILES_CACHED) this.cache.delete(this.cache.keys().next().value);
  }
}

// Call `arrived` with the index and the bytes of each tile of a response, as soon as it is complete.
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
