import assert from "node:assert/strict";
import { test } from "node:test";

import { FIRST_WAIT, LONGEST_WAIT, NONE, Outbox, PREFIX } from "../../../web/components/label_grid/outbox.js";
import { Store } from "../../../web/components/store.js";
import { MemoryStorage } from "../storage.js";

/** @import { SentAnswer } from "../../../web/components/data.js" */

/** @param {number[]} rows */
const answers = (...rows) =>
  rows.map((row) => ({ uid: `uid-${row}`, row, answer: /** @type {1} */ (1), seconds: 1, seen: NONE }));
const settled = () => new Promise((done) => setImmediate(done));

/** An outbox over a server that a test directs: each request waits until the test answers it. */
class Scene {
  constructor(storage = new MemoryStorage()) {
    this.storage = storage;
    /** @type {{ assignment: string, rows: number[], answer: (status: number, reply: unknown) => void, fail: () => void }[]} */
    this.requests = [];
    /** @type {{ does: () => void, milliseconds: number }[]} */
    this.timers = [];
    this.outbox = this.open();
  }

  /** Open the page: what is stored is sent. */
  open() {
    return new Outbox({
      store: new Store(() => this.storage),
      post: (assignment, sent) =>
        new Promise((resolve, reject) => {
          const rows = sent.map(({ row }) => row);
          const answer = (/** @type {number} */ status, /** @type {unknown} */ reply) => resolve({ status, reply });
          this.requests.push({ assignment, rows, answer, fail: () => reject(new TypeError("no connection")) });
        }),
      later: (does, milliseconds) => {
        const timer = { does, milliseconds };
        this.timers.push(timer);
        return () => (this.timers = this.timers.filter((one) => one !== timer));
      },
      now: () => 1000,
    });
  }

  get last() {
    const request = this.requests.at(-1);
    assert.ok(request, "no request was made");
    return request;
  }

  get stored() {
    const keys = Object.keys(this.storage.kept).sort();
    return keys.map((key) =>
      JSON.parse(this.storage.kept[key]).answers.map((/** @type {SentAnswer} */ one) => one.row),
    );
  }

  async store() {
    this.last.answer(200, { new: this.last.rows.length, repeated: 0 });
    await settled();
  }

  async fire() {
    const [timer] = this.timers;
    this.timers = [];
    timer.does();
    await settled();
    return timer.milliseconds;
  }
}

test("batches are sent one at a time, in the order in which they were given", async () => {
  const scene = new Scene();
  scene.outbox.put("a", answers(1, 2));
  scene.outbox.put("b", answers(3));
  scene.outbox.put("a", answers(1));
  assert.deepEqual(
    scene.requests.map(({ rows }) => rows),
    [[1, 2]],
  );
  await scene.store();
  await scene.store();
  assert.deepEqual(
    scene.requests.map(({ rows }) => rows),
    [[1, 2], [3], [1]],
  );
  assert.deepEqual(
    scene.requests.map(({ assignment }) => assignment),
    ["a", "b", "a"],
  );
});

test("a batch stays in the storage until the server has confirmed it, and counts as waiting until then", async () => {
  const scene = new Scene();
  scene.outbox.put("a", answers(1, 2));
  assert.deepEqual(scene.stored, [[1, 2]]);
  assert.equal(scene.outbox.pending, true);
  assert.deepEqual(
    scene.outbox.waiting(new Set(["a"])).map(({ row }) => row),
    [1, 2],
  );
  assert.deepEqual(scene.outbox.waiting(new Set(["b"])), []);
  await scene.store();
  assert.deepEqual(scene.stored, []);
  assert.equal(scene.outbox.pending, false);
});

test("whoever opens the page again finds unsent batches sent, oldest first, however many at one moment", async () => {
  const closed = new Scene();
  for (const row of [5, 4, 3]) closed.outbox.put("a", answers(row));
  const scene = new Scene(closed.storage);
  await scene.store();
  await scene.store();
  await scene.store();
  assert.deepEqual(
    scene.requests.map(({ rows }) => rows),
    [[5], [4], [3]],
  );
  assert.deepEqual(scene.stored, []);
});

test("what is stored and no batch is left alone", () => {
  const scene = new Scene(new MemoryStorage({ [`${PREFIX}1`]: "{}", [`${PREFIX}2`]: "not JSON", other: "[]" }));
  assert.deepEqual(scene.outbox.batches, []);
  assert.equal(scene.storage.length, 3);
});

test("after a failure the same batch is sent again, later each time but within the longest wait", async () => {
  const scene = new Scene();
  scene.outbox.put("a", answers(1));
  const waits = [];
  for (let time = 0; time < 8; time += 1) {
    scene.last.fail();
    await settled();
    waits.push(await scene.fire());
  }
  assert.deepEqual(waits.slice(0, 3), [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]);
  assert.equal(waits.at(-1), LONGEST_WAIT);
  assert.ok(scene.requests.every(({ rows }) => rows.join() === "1"));
  await scene.store();
  scene.outbox.put("a", answers(2));
  scene.last.fail();
  await settled();
  assert.equal(scene.timers[0].milliseconds, FIRST_WAIT, "a success starts again with the first wait");
});

test("a new batch does not overtake one that failed, and does not wait for its timer", async () => {
  const scene = new Scene();
  scene.outbox.put("a", answers(1));
  scene.last.fail();
  await settled();
  scene.outbox.put("a", answers(2));
  assert.equal(scene.timers.length, 0);
  assert.deepEqual(scene.last.rows, [1]);
  await scene.store();
  assert.deepEqual(scene.last.rows, [2]);
});

test("answers that the server has already are confirmed too", async () => {
  const scene = new Scene();
  scene.outbox.put("a", answers(1, 2));
  scene.last.answer(200, { new: 0, repeated: 2 });
  await settled();
  assert.equal(scene.outbox.pending, false);
});

for (const [what, status, reply] of /** @type {[string, number, unknown][]} */ ([
  ["a sign-in page", 200, null],
  ["a confirmation of fewer answers", 200, { new: 1, repeated: 0 }],
  ["an error of a proxy", 502, { error: "bad gateway" }],
  ["a busy database", 503, { error: "The answers could not be stored." }],
  ["a 404 that is not ours", 404, null],
])) {
  test(`${what} confirms nothing: the batch is sent again`, async () => {
    const scene = new Scene();
    scene.outbox.put("a", answers(1, 2));
    scene.last.answer(status, reply);
    await settled();
    assert.deepEqual(scene.stored, [[1, 2]]);
    await scene.fire();
    assert.equal(scene.requests.length, 2);
  });
}

for (const status of [400, 404, 409, 413, 415]) {
  test(`a refusal with ${status} is not retried, keeps nothing else from being sent, and keeps the batch`, async () => {
    const scene = new Scene();
    scene.outbox.put("a", answers(1));
    scene.outbox.put("a", answers(2));
    scene.last.answer(status, { error: "There is no such assignment." });
    await settled();
    assert.deepEqual(scene.last.rows, [2]);
    await scene.store();
    assert.equal(scene.timers.length, 0);
    assert.equal(scene.outbox.pending, false);
    assert.deepEqual(
      scene.outbox.refused(new Set(["a"])).map(({ refused }) => refused),
      ["There is no such assignment."],
    );
    assert.deepEqual(scene.stored, [[1]]);
    const again = new Scene(scene.storage);
    assert.deepEqual(again.last.rows, [1], "it is tried again when the page is opened again");
  });
}

test("with a full storage, answers are kept in memory and sent all the same", async () => {
  const scene = new Scene(new MemoryStorage({}, 10));
  scene.outbox.put("a", answers(1));
  assert.deepEqual(scene.stored, []);
  assert.equal(scene.outbox.pending, true);
  await scene.store();
  assert.equal(scene.outbox.pending, false);
});

test("listeners hear of a batch that is put, stored or late", async () => {
  const scene = new Scene();
  let heard = 0;
  scene.outbox.listeners.add(() => (heard += 1));
  scene.outbox.put("a", answers(1));
  assert.equal(heard, 1);
  scene.last.fail();
  await settled();
  assert.equal(heard, 2);
  assert.equal(scene.outbox.failures, 1);
  await scene.fire();
  await scene.store();
  assert.equal(heard, 3);
  assert.equal(scene.outbox.failures, 0);
});

test("answers that were given elsewhere settle their batch, and can be taken once", async () => {
  const scene = new Scene();
  scene.outbox.put("a", answers(1, 2, 3));
  scene.last.answer(200, { new: 1, repeated: 0, newer: { 2: 0, 3: NONE } });
  await settled();
  assert.deepEqual([scene.outbox.pending, scene.stored], [false, []]);
  assert.deepEqual(scene.outbox.takeNewer(new Set(["b"])), []);
  assert.deepEqual(scene.outbox.takeNewer(new Set(["a"])), [
    { row: 2, answer: 0 },
    { row: 3, answer: null },
  ]);
  assert.deepEqual(scene.outbox.takeNewer(new Set(["a"])), []);
});

test("the answers of several assignments wait together, and those that came too late to count are counted", async () => {
  const scene = new Scene();
  scene.outbox.put("a", answers(1, 2));
  scene.outbox.put("b", answers(3));
  const both = new Set(["a", "b"]);
  assert.deepEqual(
    scene.outbox.waiting(both).map(({ row }) => row),
    [1, 2, 3],
  );
  scene.last.answer(200, { new: 2, repeated: 0, extra: 2 });
  await settled();
  await scene.store();
  assert.deepEqual([scene.outbox.pending, scene.outbox.extraIn(both)], [false, 2]);
  assert.equal(scene.outbox.extraIn(new Set(["b"])), 0);
});
