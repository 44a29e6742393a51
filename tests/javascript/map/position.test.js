import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf } from "../../../web/components/map/address.js";
import { zoomThatFits } from "../../../web/components/map/fit.js";
import { TILE } from "../../../web/components/map/tile_source.js";

const DATA = { mapId: "tsne-1", colour: "score-one", pictures: "best", selection: "" };

test("the address holds the view, and gives it back", () => {
  const centre = { lat: 0.123456, lng: 0.98765 };
  const data = { ...DATA, mapId: "a map & more", pictures: "newest", selection: "s1" };
  const { searchParams } = new URL(addressOf("http://localhost:8501/map", data, centre, 7));
  assert.deepEqual(Object.fromEntries(searchParams), {
    map: "a map & more",
    colour: "score-one",
    pictures: "newest",
    selection: "s1",
    x: "0.98765",
    y: "0.12346",
    z: "7",
  });
});

test("the address of an address is the same, and other parameters and the fragment stay", () => {
  const once = addressOf("http://localhost/map?attribute=one&z=2#top", DATA, { lat: 0.5, lng: 0.5 }, 3);
  const { searchParams, hash } = new URL(once);
  assert.equal(searchParams.get("attribute"), "one");
  assert.deepEqual(searchParams.getAll("z"), ["3"]);
  assert.equal(hash, "#top");
  assert.equal(addressOf(once, DATA, { lat: 0.5, lng: 0.5 }, 3), once);
});

test("what is usual is left out, also where the address had it", () => {
  const { searchParams } = new URL(
    addressOf("http://localhost/map?pictures=newest&selection=s", DATA, { lat: 0, lng: 0 }, 0),
  );
  assert.equal(searchParams.has("pictures"), false);
  assert.equal(searchParams.has("selection"), false);
  assert.equal(searchParams.get("z"), "0");
});

test("a view beyond the map is written as its edge", () => {
  const { searchParams } = new URL(addressOf("http://localhost/map", DATA, { lat: -0.4, lng: 1.2 }, 1));
  assert.deepEqual([searchParams.get("x"), searchParams.get("y")], ["1.00000", "0.00000"]);
});

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
