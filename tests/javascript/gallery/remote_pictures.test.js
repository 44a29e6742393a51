import assert from "node:assert/strict";
import { test } from "node:test";

import { RemotePictures } from "../../../web/components/gallery/remote_pictures.js";

/** A server that answers when it is told to. */
function patientServer() {
  /** @type {{ where: string, reply: (answer: Response) => void, fail: (error: Error) => void }[]} */
  const asked = [];
  /** @type {any} */
  const get = (/** @type {string} */ where) => new Promise((reply, fail) => asked.push({ where, reply, fail }));
  return { asked, get };
}

const settled = () => new Promise((go) => setImmediate(go));

test("three pictures are asked for at once, and the next when one has come", async () => {
  const { asked, get } = patientServer();
  const pictures = new RemotePictures("/api/pictures", get);
  const found = [1, 2, 3, 4].map((row) => pictures.load(row, new AbortController().signal));
  await settled();
  assert.deepEqual(
    asked.map(({ where }) => where),
    ["/api/pictures/1.webp", "/api/pictures/2.webp", "/api/pictures/3.webp"],
  );
  asked[0].reply(new Response(new Uint8Array([1, 2])));
  assert.match((await found[0])?.address ?? "", /^data:image\/webp;base64,/);
  await settled();
  assert.equal(asked.length, 4);
});

test("what nobody looks at any more is not asked for", async () => {
  const { asked, get } = patientServer();
  const pictures = new RemotePictures("/api/pictures", get);
  const leaving = [1, 2, 3, 4, 5].map(() => new AbortController());
  const found = leaving.map(({ signal }, k) => pictures.load(k, signal));
  await settled();
  leaving[3].abort();
  asked[0].reply(new Response(new Uint8Array([1])));
  assert.equal(await found[3], null);
  await settled();
  assert.deepEqual(
    asked.map(({ where }) => where.slice(14)),
    ["0.webp", "1.webp", "2.webp", "4.webp"],
  );
});

test("why there is no picture is told, and the others go on", async () => {
  const { asked, get } = patientServer();
  const pictures = new RemotePictures("/api/pictures", get);
  const look = () => new AbortController().signal;
  const [first, second, third] = [1, 2, 3].map((row) => pictures.load(row, look()));
  await settled();
  asked[0].reply(Response.json({ error: "It is gone." }, { status: 404 }));
  asked[1].reply(new Response("?", { status: 502 }));
  asked[2].fail(new Error("No network."));
  assert.deepEqual(await first, { why: "It is gone." });
  assert.deepEqual(await second, { why: "The server answered 502." });
  assert.deepEqual(await third, { why: "No network." });
  const later = pictures.load(4, look());
  await settled();
  asked[3].reply(new Response(new Uint8Array([1])));
  assert.ok((await later)?.address);
});
