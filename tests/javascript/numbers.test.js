import assert from "node:assert/strict";
import { test } from "node:test";

import { decimal, percent, whole } from "../../web/components/numbers.js";

test("a proportion has at most one decimal, and none where it is whole", () => {
  assert.equal(percent(0.9), "90%");
  assert.equal(percent(0.9712), "97.1%");
  assert.equal(percent(0), "0%");
  assert.equal(percent(1), "100%");
});

test("a proportion that is not quite none or all is not written as none or all", () => {
  assert.equal(percent(0.0004), "<0.1%");
  assert.equal(percent(0.0005), "0.1%");
  assert.equal(percent(0.9996), ">99.9%");
});

test("a count has its thousands apart", () => {
  assert.equal(whole(2780), "2,780");
  assert.equal(whole(12), "12");
});

test("a decimal has two places or as many as asked for, and a true minus sign, which zero never has", () => {
  assert.equal(decimal(0.806), "0.81");
  assert.equal(decimal(-0.27), "\u22120.27");
  assert.equal(decimal(-0.001), "0.00");
  assert.equal(decimal(-0.001, 3), "\u22120.001");
});
