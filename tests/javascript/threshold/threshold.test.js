import assert from "node:assert/strict";
import { test } from "node:test";

import { across, countTicks, down, outline, scoreAt, scoreTicks } from "../../../web/components/threshold/scale.js";
import { closest, countsAt, moved, pointed } from "../../../web/components/threshold/steps.js";
import { figures, spoken } from "../../../web/components/threshold/words.js";

/** @import { Histogram, ThresholdData } from "../../../web/components/data.js" */

/** @type {Histogram} */
const HISTOGRAM = {
  title: "score",
  limits: [-2, 2],
  counts: [0.5, 50],
  bars: [{ name: "all images", colour: "#888888", runs: [] }],
};

/** @type {ThresholdData} */
const DATA = {
  attribute: 1,
  answering: null,
  value: 0,
  measured: { precision: ["92%", "88–95%"], recall: ["70%", "60–80%"] },
  thresholds: [-1, 0, 1],
  byClassifier: [1900, 1000, 0],
  noAbove: [9, 3, 0],
  yesBelow: [0, 2, 12],
  certified: [false, false, true],
  byPeople: 200,
  total: 2780,
  target: "90%",
  marks: [{ name: "In use", value: 0 }],
  histogram: HISTOGRAM,
  version: "1",
};

test("the closest threshold is the one with the smallest distance, of two the lower", () => {
  const thresholds = [-1, 0, 0.5, 3];
  for (let value = -2; value < 4; value += 0.13) {
    const distances = thresholds.map((each) => Math.abs(each - value));
    assert.equal(closest(thresholds, value), distances.indexOf(Math.min(...distances)), String(value));
  }
  assert.equal(closest(thresholds, 0.25), 1);
  assert.equal(closest([], 1), -1);
});

test("a pointer within reach of a named threshold means that one, the closest of several", () => {
  const thresholds = [0, 0.1, 0.2, 0.3, 0.4];
  assert.equal(pointed(thresholds, [], 0.31, 0.15), 3);
  assert.equal(pointed(thresholds, [0.2], 0.31, 0.15), 2);
  assert.equal(pointed(thresholds, [0.2, 0.4], 0.31, 0.15), 4);
  assert.equal(pointed(thresholds, [0.2], 0.39, 0.15), 4);
});

test("keys of a slider move by one, by ten and to the ends, and never beyond them", () => {
  assert.equal(moved(5, "ArrowLeft", 100), 4);
  assert.equal(moved(5, "ArrowDown", 100), 4);
  assert.equal(moved(5, "ArrowRight", 100), 6);
  assert.equal(moved(5, "ArrowUp", 100), 6);
  assert.equal(moved(50, "PageUp", 100), 60);
  assert.equal(moved(50, "PageDown", 100), 40);
  assert.equal(moved(5, "PageDown", 100), 0);
  assert.equal(moved(99, "ArrowRight", 100), 99);
  assert.equal(moved(5, "Home", 100), 0);
  assert.equal(moved(5, "End", 100), 99);
  for (const key of ["Enter", " ", "a", "Tab"]) assert.equal(moved(5, key, 100), null);
});

test("a place on the axis and its score belong to each other, and what lies beyond is at the ends", () => {
  assert.equal(across(HISTOGRAM, -1), 25);
  assert.equal(scoreAt(HISTOGRAM, 25), -1);
  assert.equal(across(HISTOGRAM, -9), 0);
  assert.equal(across(HISTOGRAM, 9), 100);
  assert.equal(across({ ...HISTOGRAM, limits: [1, 1] }, 1), 50, "all scores are equal");
});

test("numbers of images are on a logarithmic axis, from the floor to the top", () => {
  assert.equal(down(HISTOGRAM, 0.5), 100);
  assert.ok(Math.abs(down(HISTOGRAM, 5) - 50) < 1e-9);
  assert.equal(down(HISTOGRAM, 50), 0);
  assert.equal(down(HISTOGRAM, 0), 100, "no image is at the floor");
  assert.deepEqual(countTicks(HISTOGRAM), [1, 10]);
});

test("an outline goes from the floor along the steps of each run", () => {
  const runs = /** @type {[number, number][][]} */ ([
    [
      [-2, 0.5],
      [-2, 50],
      [0, 0.5],
    ],
  ]);
  assert.equal(outline(HISTOGRAM, { name: "", colour: "", runs }), "M0 100H0V100H0V0H50V100");
});

test("the axis names round scores within its limits", () => {
  assert.deepEqual(scoreTicks(HISTOGRAM, 4), [-2, -1, 0, 1, 2]);
  assert.deepEqual(scoreTicks({ ...HISTOGRAM, limits: [0.03, 0.31] }, 3), [0.1, 0.2, 0.3]);
  assert.deepEqual(scoreTicks({ ...HISTOGRAM, limits: [1, 1] }), [1]);
});

test("what is accepted is what people labelled yes and what the classifier takes of the rest", () => {
  const counts = countsAt(DATA, 1);
  assert.equal(counts.accepted, 1200);
  assert.deepEqual([counts.noAbove, counts.yesBelow, counts.certified], [3, 2, false]);
  assert.equal(
    spoken(counts),
    "0.000: 1,200 accepted, 200 by people, 1,000 by the classifier; 3 labelled no at or above, 2 labelled yes below",
  );
  assert.ok(spoken(countsAt(DATA, 2)).endsWith("; certified"));
});

test("precision and recall are shown only for the threshold that they were measured at", () => {
  /** @param {"moving" | "pending" | "measured"} measuring */
  const shown = (measuring, data = DATA) =>
    figures(data, countsAt(data, 1), measuring)
      .filter(([name]) => name === "Precision" || name === "Recall")
      .map(([, value, note]) => [value, note]);
  assert.deepEqual(shown("measured"), [
    ["92%", "88–95%"],
    ["70%", "60–80%"],
  ]);
  for (const [measuring, note] of /** @type {const} */ ([
    ["moving", "let go to measure"],
    ["pending", "being measured"],
  ]))
    assert.deepEqual(shown(measuring), [
      ["–", note],
      ["–", note],
    ]);
  assert.deepEqual(shown("measured", { ...DATA, measured: null })[0], ["–", "not measured"]);
});

test("a threshold says whether it is certified, and for what", () => {
  assert.equal(figures(DATA, countsAt(DATA, 1), "measured")[0][2], "not certified for 90%");
  assert.equal(figures(DATA, countsAt(DATA, 2), "measured")[0][2], "certified for 90%");
});
