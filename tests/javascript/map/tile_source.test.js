import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { AT_ONCE, CACHED, keyOf, TileSource } from "../../../web/components/map/tile_source.js";
import { Server, settled } from "../server.js";

/** @import { Tile } from "../../../web/components/map/tile_source.js" */

/**
 * @param {number} x
 * @param {Partial<Tile>} [about]
 * @returns {Tile}
 */
const tile = (x, about) => ({ base: "http://here/tiles/m/density", query: "v=1", z: 5, x, y: 2, ...about });

/** Tiles as the server sends them: index, size, bytes. @param {[index: number, body: string][]} parts */
function packOf(parts) {
  return Buffer.concat(
    parts.flatMap(([index, body]) => {
      const head = Buffer.alloc(6);
      head.writeUInt16LE(index, 0);
      head.writeUInt32LE(body.length, 2);
      return [head, Buffer.from(body)];
    }),
  );
}

/** A source over a server, and the tiles that have arrived. */
function made() {
  const server = new Server();
  /** @type {Record<number, string | null>} */
  const arrived = {};
  const makeImage = () =>
    /** @type {HTMLImageElement} */ (/** @type {unknown} */ ({ src: "", decode: async () => {} }));
  const source = new TileSource({ get: server.get, makeImage });
  const want = (/** @type {number} */ x, /** @type {Partial<Tile>} */ about = {}) =>
    source.want(tile(x, about), (address) => {
      arrived[x] = address && Buffer.from(address.split(",")[1], "base64").toString();
    });
  return { server, source, arrived, want };
}

test("tiles that are wanted together come in one request for each layer and zoom", async () => {
  const { server, arrived, want } = made();
  want(1);
  want(2);
  want(3, { base: "http://here/tiles/m/pictures-density" });
  want(4, { z: 6 });
  await settled();
  assert.deepEqual(server.addresses, [
    "http://here/tiles/m/density/5.pack?v=1&tiles=1.2,2.2",
    "http://here/tiles/m/pictures-density/5.pack?v=1&tiles=3.2",
    "http://here/tiles/m/density/6.pack?v=1&tiles=4.2",
  ]);
  await server.answer(
    "tiles=1.2,2.2",
    packOf([
      [1, "two"],
      [0, "one"],
    ]),
  ); // in the order in which they are drawn
  assert.deepEqual(arrived, { 1: "one", 2: "two" });
});

test("a request has at most so many tiles as the server takes", async () => {
  const { server, want } = made();
  for (let x = 0; x < AT_ONCE + 1; x += 1) want(x);
  await settled();
  assert.deepEqual(
    server.addresses.map((address) => address.split("tiles=")[1].split(",").length),
    [AT_ONCE, 1],
  );
});

test("a tile is delivered as soon as it is complete, however its bytes are cut", async () => {
  const { server, arrived, want } = made();
  want(0);
  want(1);
  await settled();
  const bytes = packOf([
    [0, "zero"],
    [1, "one"],
  ]);
  /** @type {ReadableStreamDefaultController<Uint8Array> | undefined} */
  let body;
  const answered = server.answer(".pack", new ReadableStream({ start: (control) => void (body = control) }));
  for (const [at, byte] of bytes.entries()) {
    body?.enqueue(new Uint8Array([byte]));
    await settled();
    assert.equal(0 in arrived, at >= 9);
    assert.equal(1 in arrived, at >= 18);
  }
  body?.close();
  await answered;
  assert.deepEqual(arrived, { 0: "zero", 1: "one" });
});

test("a tile that has come is not requested again, and one that is coming not twice", async () => {
  const { server, arrived, want } = made();
  want(1);
  await settled();
  want(1);
  await settled();
  assert.equal(server.requests.length, 1);
  await server.answer(".pack", packOf([[0, "one"]]));
  delete arrived[1];
  want(1);
  assert.equal(arrived[1], "one");
  await settled();
  assert.equal(server.requests.length, 0);
});

test("a request is cancelled once nobody waits for any of its tiles", async () => {
  const { server, want } = made();
  const leave = [want(1), want(2)];
  await settled();
  leave[0]();
  assert.equal(server.alive.length, 1);
  leave[1]();
  assert.equal(server.alive.length, 0);
  want(1);
  await settled();
  assert.equal(server.alive.length, 1);
});

test("a tile that is no longer wanted before its request begins is not requested", async () => {
  const { server, want } = made();
  want(1)();
  want(2);
  await settled();
  assert.deepEqual(
    server.addresses.map((address) => address.split("tiles=")[1]),
    ["2.2"],
  );
});

test("a tile that does not exist is delivered as nothing and not tried again", async () => {
  const { server, arrived, want } = made();
  want(1);
  await settled();
  await server.answer(".pack", "Not found.", { status: 404 });
  assert.deepEqual(arrived, { 1: null });
  assert.equal(server.requests.length, 0);
});

test("after a failure, the tiles that are missing and still wanted are requested again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const warned = mock.method(console, "warn", () => {});
  try {
    const { server, arrived, want } = made();
    const leave = [want(1), want(2), want(3)];
    await settled();
    await server.answer(".pack", packOf([[0, "one"]])); // the stream ends before the others
    leave[2]();
    mock.timers.tick(1000);
    await settled();
    assert.deepEqual(
      server.addresses.map((address) => address.split("tiles=")[1]),
      ["2.2"],
    );
    await server.answer(".pack", "busy", { status: 503 });
    mock.timers.tick(2000);
    await settled();
    await server.answer(".pack", packOf([[0, "two"]]));
    assert.deepEqual(arrived, { 1: "one", 2: "two" });
  } finally {
    warned.mock.restore();
    mock.timers.reset();
  }
});

test("prefetched tiles are low in priority, decoded, and at hand when they are wanted", async () => {
  const { server, source, arrived, want } = made();
  source.ahead([tile(1), tile(2)]);
  assert.deepEqual(server.addresses, ["http://here/tiles/m/density/5.pack?v=1&tiles=1.2,2.2&ahead=1"]);
  await server.answer(
    "ahead=1",
    packOf([
      [0, "one"],
      [1, "two"],
    ]),
  );
  const image = source.image(tile(1));
  assert.ok(image.src.startsWith("data:"), "the image is decoded already");
  assert.notEqual(source.image(tile(1)), image, "an image is in one place only");
  want(1);
  assert.equal(arrived[1], "one");
});

test("a tile that is being prefetched is requested anew when it is wanted, since prefetching may wait long", async () => {
  const { server, source, want } = made();
  source.ahead([tile(1)]);
  want(1);
  await settled();
  assert.deepEqual(server.addresses.filter((address) => !address.includes("ahead=1")).length, 1);
});

test("what was prefetched and is all wanted meanwhile is cancelled by a move, too: it would hold up what is wanted", async () => {
  const { server, source, arrived, want } = made();
  source.ahead([tile(1), tile(2)]);
  want(1);
  want(2);
  await settled();
  source.dropAhead();
  assert.deepEqual(
    server.alive.map((address) => address.split("?")[1]),
    ["v=1&tiles=1.2,2.2"],
  );
  await server.answer(
    ".pack",
    packOf([
      [0, "one"],
      [1, "two"],
    ]),
  );
  assert.deepEqual(arrived, { 1: "one", 2: "two" });
});

test("a wanted tile arrives whatever becomes of its prefetching", async () => {
  for (const [body, status] of /** @type {[BodyInit, number][]} */ ([
    ["Not found.", 404],
    [packOf([[0, "one"]]), 200],
    [packOf([]), 200],
  ])) {
    const { server, source, arrived, want } = made();
    source.ahead([tile(1)]);
    want(1);
    await settled();
    await server.answer("ahead=1", body, { status });
    await server.answer(".pack", packOf([[0, "one"]]));
    assert.deepEqual(arrived, { 1: "one" });
  }
});

test("a tile is requested for as long as it is wanted, ever more rarely while the server does not answer", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const warned = mock.method(console, "warn", () => {});
  try {
    const { server, arrived, want } = made();
    want(1);
    await settled();
    for (let attempt = 1; attempt <= 60; attempt += 1) {
      await server.answer(".pack", "busy", { status: 503 });
      mock.timers.tick(1000 * Math.min(10, attempt) - 1);
      await settled();
      assert.equal(server.requests.length, 0);
      mock.timers.tick(1);
      await settled();
      assert.equal(server.requests.length, 1);
    }
    await server.answer(".pack", packOf([[0, "one"]]));
    assert.deepEqual(arrived, { 1: "one" });
  } finally {
    warned.mock.restore();
    mock.timers.reset();
  }
});

test("a source that was closed requests nothing any more", async () => {
  const { server, source, want } = made();
  want(1);
  source.close();
  want(2);
  source.ahead([tile(3)]);
  await settled();
  assert.deepEqual(server.addresses, []);
});

test("a move cancels what was prefetched for another place, and nothing that is wanted", async () => {
  const { server, source, want } = made();
  want(9);
  await settled();
  source.ahead([tile(1), tile(2)]);
  source.ahead([tile(3)]);
  assert.deepEqual(
    server.alive.map((address) => address.split("tiles=")[1]),
    ["9.2", "3.2&ahead=1"],
  );
  source.dropAhead();
  assert.deepEqual(
    server.alive.map((address) => address.split("tiles=")[1]),
    ["9.2"],
  );
  source.close();
  assert.deepEqual(server.alive, []);
});

test("the most recently used tiles are kept", () => {
  const { source, want } = made();
  for (let x = 0; x < CACHED; x += 1) source.store(keyOf(tile(x)), "data:,");
  want(0);
  source.store(keyOf(tile(CACHED)), "data:,");
  assert.equal(source.cache.size, CACHED);
  assert.equal(source.cache.has(keyOf(tile(0))), true);
  assert.equal(source.cache.has(keyOf(tile(1))), false);
});

/** Numbers below `n` that look random and are the same each time. @param {number} seed */
function dice(seed) {
  let state = seed + 1;
  return (/** @type {number} */ n) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % n;
  };
}

/** The tiles of a pack's address, as many as `kept` says, sent under their number. @param {string} address */
function bodyOf(address, kept = Infinity) {
  const places = (address.match(/tiles=([^&]*)/)?.[1] ?? "").split(",");
  return packOf(places.slice(0, kept).map((place, index) => [index, place]));
}

test("no tile that is wanted stays away, however views are left and entered and whatever the server does", async (context) => {
  context.mock.method(console, "warn", () => {});
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  for (let seed = 0; seed < 60; seed += 1) {
    const throws = dice(seed);
    const { server, source } = made();
    /** What is waited for: the tile, whether it came, and how it is left. @type {Set<{ x: number, came: boolean, leave: () => void }>} */
    const views = new Set();
    const open = () => server.requests.filter(({ signal }) => !signal?.aborted);
    const answer = async (/** @type {number} */ at, /** @type {number} */ outcome) => {
      const [request] = open().splice(at, 1);
      server.requests.splice(server.requests.indexOf(request), 1);
      if (outcome === 0) request.answer(new Response("", { status: 503 }));
      else request.answer(new Response(bodyOf(request.address, outcome === 1 ? 1 : Infinity)));
      await settled();
    };
    for (let move = 0; move < 80; move += 1) {
      const action = throws(6);
      if (action <= 1) {
        for (let n = throws(4); n >= 0; n -= 1) {
          const view = { x: throws(12), came: false, leave: () => {} };
          view.leave = source.want(tile(view.x), () => (view.came = true));
          views.add(view);
        }
      } else if (action === 2) {
        for (const view of [...views].filter(() => throws(2))) {
          view.leave();
          views.delete(view);
        }
      } else if (action === 3) source.ahead([tile(throws(12)), tile(throws(12))]);
      else if (action === 4 && throws(3) === 0) source.dropAhead();
      else if (open().length) await answer(throws(open().length), throws(3));
      if (throws(3)) await settled();
      if (throws(4) === 0) mock.timers.tick(1000);
    }
    for (let n = 0; n < 60 && [...views].some(({ came }) => !came); n += 1) {
      await settled();
      while (open().length) await answer(0, 2);
      mock.timers.tick(10_000);
    }
    const missing = [...views].filter(({ came }) => !came).map(({ x }) => x);
    assert.deepEqual(missing, [], `seed ${seed}`);
  }
});
