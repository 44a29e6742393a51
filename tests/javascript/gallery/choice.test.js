import assert from "node:assert/strict";
import { test } from "node:test";

import { Choice } from "../../../web/components/gallery/choice.js";

test("a selection is the set of what was selected and not deselected", () => {
  const choice = new Choice();
  const expected = new Set();
  let state = 1;
  const random = (/** @type {number} */ below) => (state = (state * 48_271) % 2_147_483_647) % below;
  for (let time = 0; time < 300; time += 1) {
    const from = random(60);
    const to = from + 1 + random(10);
    const on = random(2) === 1;
    assert.equal(choice.set(from, to, on), true);
    for (let i = from; i < to; i += 1) {
      if (on) expected.add(i);
      else expected.delete(i);
    }
    for (let i = 0; i < 72; i += 1) assert.equal(choice.has(i), expected.has(i));
    assert.equal(choice.count, expected.size);
    for (const [k, [a, b]] of choice.ranges.entries()) {
      assert.ok(a < b);
      if (k) assert.ok(choice.ranges[k - 1][1] < a, "ranges that touch are one");
    }
  }
});

test("all of two million images are one range", () => {
  const choice = new Choice();
  choice.set(5, 6, true);
  choice.set(0, 2_000_000, true);
  assert.deepEqual(choice.ranges, [[0, 2_000_000]]);
  choice.clear();
  assert.equal(choice.count, 0);
});

test("too many pieces are refused, and the selection stays as it was", () => {
  const choice = new Choice();
  for (let i = 0; i < 500; i += 1) assert.equal(choice.set(2 * i, 2 * i + 1, true), true);
  assert.equal(choice.set(5000, 5001, true), false);
  assert.equal(choice.count, 500);
  assert.equal(choice.has(5000), false);
});
