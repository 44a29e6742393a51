import assert from "node:assert/strict";
import { test } from "node:test";

import { RESTS, WheelPace } from "../../../web/components/map/wheel.js";

const pixels = (/** @type {number} */ deltaY) => ({ deltaY, deltaMode: 0 });
const lines = (/** @type {number} */ deltaY) => ({ deltaY, deltaMode: 1 });

test("the map rests after the start of a zoom, and not before the first", () => {
  const pace = new WheelPace();
  assert.equal(pace.rests(5), false);
  pace.zooms(1000);
  assert.equal(pace.ends(1001), RESTS - 1, "it is told how long");
  assert.equal(pace.rests(1000 + RESTS - 1), true);
  assert.equal(pace.rests(1000 + RESTS), false);
});

test("the map rests until the end of a zoom that takes longer", () => {
  const pace = new WheelPace();
  pace.zooms(1000);
  assert.equal(pace.rests(1000 + 3 * RESTS), true);
  assert.equal(pace.ends(1000 + 3 * RESTS), 0);
  assert.equal(pace.rests(1000 + 3 * RESTS), false);
});

test("a notch that comes while the map rests zooms by one level afterwards, in its direction", () => {
  for (const notch of [pixels(-100), pixels(-53), lines(-3), { deltaY: -1, deltaMode: 2 }]) {
    const pace = new WheelPace();
    pace.zooms(0);
    pace.hold(notch);
    assert.equal(pace.take(), -100);
    assert.equal(pace.take(), 0, "once");
  }
});

test("several notches zoom by one level: the map does not run on when the wheel stands still", () => {
  const pace = new WheelPace();
  pace.zooms(0);
  for (let turn = 0; turn < 5; turn += 1) pace.hold(pixels(100));
  assert.equal(pace.take(), 100);
});

test("the end of a movement on a touchpad, and turns that cancel each other, zoom no further", () => {
  const pace = new WheelPace();
  pace.zooms(0);
  for (const turn of [-14, -9, -5, -3, -1, -1]) pace.hold(pixels(turn));
  assert.equal(pace.take(), 0);
  pace.hold(pixels(-100));
  pace.hold(pixels(100));
  assert.equal(pace.take(), 0);
});

test("what was held before a zoom is not held after it", () => {
  const pace = new WheelPace();
  pace.zooms(0);
  pace.hold(pixels(-100));
  pace.zooms(300);
  assert.equal(pace.take(), 0);
});
