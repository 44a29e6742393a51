import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { MAX_CACHED, Source } from "../../../web/components/gallery/source.js";
import { Server, settled } from "../server.js";

const LISTING = {
  id: "abc",
  q: '{"sort":"score"}',
  total: 1000,
  line: null,
  block: 10,
  pack: 4,
  address: "/api/gallery",
};

/** A source over a server, and what it reports. */
function made() {
  const server = new Server();
  /** @type {string[]} */
  const heard = [];
  const source = new Source(
    LISTING,
    {
      block: (from, to) => heard.push(`block ${from} ${to}`),
      moved: (now) => heard.push(`moved ${now.id}`),
      again: () => heard.push("again"),
      trouble: (words) => words && heard.push(words),
    },
    server.get,
  );
  return { server, heard, source };
}

/** The window that starts with an image. @param {number} first */
const windowFrom = (first, count = 10) => ({
  rows: Array.from({ length: count }, (_, k) => 7 * (first + k)),
  titles: Array(count).fill("a title"),
  scores: Array(count).fill(0.5),
  probabilities: Array(count).fill(null),
  accepted: Array(count).fill(true),
  marks: Array(count).fill(""),
  counts: Array(count).fill(1),
});

/** A pack of pictures, as the server sends it. @param {string[]} pictures */
function packOf(pictures) {
  const head = new Uint32Array([pictures.length, ...pictures.map(({ length }) => length)]);
  return Buffer.concat([Buffer.from(head.buffer), ...pictures.map((one) => Buffer.from(one))]);
}

/** @param {string | null} address */
const textOf = (address) => address && Buffer.from(address.split(",")[1], "base64").toString();

test("the windows between two indices are requested once each, and give their items", async () => {
  const { server, heard, source } = made();
  source.want(12, 31);
  source.want(12, 31);
  const query = encodeURIComponent(LISTING.q);
  assert.deepEqual(
    server.addresses,
    [1, 2, 3].map((block) => `/api/gallery/abc/${block}.json?q=${query}`),
  );
  await server.json("/2.json", windowFrom(20));
  assert.deepEqual(heard, ["block 20 30"]);
  assert.equal(source.item(23)?.row, 7 * 23);
  assert.equal(source.item(13), null);
});

test("windows that are no longer needed are cancelled, and requested again when they are", () => {
  const { server, source } = made();
  source.want(0, 20);
  source.want(500, 501);
  assert.deepEqual(
    server.alive.map((address) => address.split("/")[4].split(".")[0]),
    ["50"],
  );
  source.want(0, 1);
  assert.equal(server.requests.length, 4);
});

test("pictures come in packs: one request for all of a pack, and an empty one is nothing", async () => {
  const { server, source } = made();
  const addresses = [4, 5, 6, 7].map((i) => source.picture(i));
  assert.equal(server.requests.length, 1);
  await server.answer("/1.pack", packOf(["four", "", "six", "seven"]));
  assert.deepEqual((await Promise.all(addresses)).map(textOf), ["four", null, "six", "seven"]);
});

test("a pack that is cancelled, fails or has moved gives nothing, and is requested again", async () => {
  const { server, source } = made();
  const cancelled = source.picture(0);
  source.want(100, 110);
  assert.equal(await cancelled, null);
  const failed = source.picture(0);
  await server.json("/0.pack", { error: "no" }, 500);
  assert.equal(await failed, null);
  const third = source.picture(0);
  await server.answer("/0.pack", packOf(["zero"]));
  assert.equal(textOf(await third), "zero");
});

test("of windows and packs, the most recently used are kept", async () => {
  const { server, source } = made();
  for (let block = 0; block < MAX_CACHED; block += 1) {
    source.want(10 * block, 10 * block + 10);
    await server.json(`/${block}.json`, windowFrom(10 * block));
  }
  source.want(0, 10); // uses the first again
  source.want(10 * MAX_CACHED, 10 * MAX_CACHED + 10);
  await server.json(`/${MAX_CACHED}.json`, windowFrom(10 * MAX_CACHED));
  assert.equal(source.blocks.size, MAX_CACHED);
  assert.notEqual(source.item(0), null);
  assert.equal(source.item(10), null);
  for (let pack = 0; pack <= MAX_CACHED; pack += 1) void source.picture(4 * pack);
  assert.equal(source.packs.size, MAX_CACHED);
});

test("a listing that has changed is replaced, whichever request finds out", async () => {
  const { server, heard, source } = made();
  source.want(0, 10);
  await server.json("/0.json", { moved: { ...LISTING, id: "new" } });
  const shapes = source.shapes();
  await server.json("/shapes.bin", { moved: { ...LISTING, id: "newer" } });
  assert.equal(await shapes, null);
  assert.deepEqual(heard, ["moved new", "moved newer"]);
});

test("the shapes are one byte for each image", async () => {
  const { server, source } = made();
  const shapes = source.shapes();
  await server.answer("/shapes.bin", new Uint8Array([1, 2, 3]));
  assert.deepEqual(await shapes, new Uint8Array([1, 2, 3]));
});

test("a failure is reported in the server's words and tried again later, but not for ever", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { server, heard, source } = made();
    for (let time = 0; time < 45; time += 1) {
      source.want(0, 10);
      await server.json("/0.json", { error: "The query cannot be applied." }, 400);
      mock.timers.tick(1500);
    }
    assert.equal(heard[0], "The query cannot be applied.");
    assert.equal(heard.filter((words) => words === "again").length, 39);
  } finally {
    mock.timers.reset();
  }
});

test("a closed source reports nothing more, and cancels everything", async () => {
  const { server, heard, source } = made();
  source.want(0, 10);
  const [request] = server.requests;
  const picture = source.picture(0);
  source.close();
  assert.deepEqual(server.alive, []);
  request.answer(new Response(JSON.stringify(windowFrom(0))));
  await settled();
  assert.equal(await picture, null);
  assert.deepEqual(heard, []);
});
