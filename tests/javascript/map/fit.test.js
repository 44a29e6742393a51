import assert from "node:assert/strict";
import { test } from "node:test";

import { zoomThatFits } from "../../../web/components/map/fit.js";
import { TILE } from "../../../web/components/map/tile_source.js";

test("bounds are shown at the closest zoom at which they fit, around their centre", () => {
  const size = { x: 1000, y: 700 };
  for (const bounds of /** @type {[number, number, number, number][]} */ ([
    [0, 0, 1, 1],
    [0.2, 0.4, 0.3, 0.45],
    [0.5, 0, 0.6, 1],
  ])) {
    const [left, top, right, bottom] = bounds;
    const { zoom, centre } = zoomThatFits(bounds, size, { maxZoom: 16, least: 1e-6, margin: 60 });
    const fits = (/** @type {number} */ at) =>
      (right - left) * TILE * 2 ** at <= size.x - 60 && (bottom - top) * TILE * 2 ** at <= size.y - 60;
    assert.equal(fits(zoom), true);
    assert.equal(fits(zoom + 1), false);
    assert.deepEqual(centre, [(top + bottom) / 2, (left + right) / 2]);
  }
});

test("a zoom is never below the whole map or beyond the deepest, not even for a single place", () => {
  const place = /** @type {[number, number, number, number]} */ ([0.5, 0.5, 0.5, 0.5]);
  assert.equal(zoomThatFits(place, { x: 1000, y: 700 }, { maxZoom: 5, least: 1e-6 }).zoom, 5);
  assert.equal(zoomThatFits([0, 0, 1, 1], { x: 100, y: 100 }, { maxZoom: 5, least: 1e-6 }).zoom, 0);
});
