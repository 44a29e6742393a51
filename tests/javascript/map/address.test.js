import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf } from "../../../web/components/map/address.js";

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
