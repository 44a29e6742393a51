import assert from "node:assert/strict";
import { test } from "node:test";

import { effectOf, hintsOf } from "../../../web/components/label_grid/keys.js";
import { PRESETS } from "../../../web/components/keys/presets.js";

/** @import { LabelGrid } from "../../../web/components/label_grid/label_grid.js" */

const FREE = { control: null, finished: false, repeat: false, preset: PRESETS[0] };

/**
 * The calls that a key makes on a grid of ten pictures in rows of four, the sixth of which is focused.
 *
 * @param {string} key
 * @param {Partial<Parameters<typeof effectOf>[1]>} [about]
 */
function calls(key, about = {}) {
  /** @type {string[]} */
  const made = [];
  const log =
    (/** @type {string} */ name) =>
    (/** @type {unknown[]} */ ...values) =>
      made.push([name, ...values].join(" "));
  const grid = {
    ...{ at: 5, columns: 4, cells: Array.from({ length: 10 }, (_, row) => ({ row: 100 + row })) },
    ...{ large: { open: false, close: log("close") }, focus: log("focus"), step: log("step"), toggle: log("toggle") },
    ...{ markAll: log("all"), markRest: log("rest"), turnSingle: log("single") },
    ...{
      turnUnsure: log("unsure"),
      turnSkip: log("skip"),
      enlarge: log("enlarge"),
      undo: log("undo"),
      submit: log("submit"),
    },
  };
  effectOf(key, { ...FREE, ...about })?.(/** @type {LabelGrid} */ (/** @type {unknown} */ (grid)));
  return made;
}

test("each key does what the hints say, capitals too", () => {
  for (const key of ["y", "Y", "1"]) assert.deepEqual(calls(key), ["step 1"]);
  for (const key of ["n", "N", "0"]) assert.deepEqual(calls(key), ["step 0"]);
  assert.deepEqual(calls(" "), ["toggle 105"]);
  assert.deepEqual(calls("u"), ["unsure 105"]);
  assert.deepEqual(calls("U"), ["unsure 105"]);
  assert.deepEqual(calls("p"), ["skip 105"]);
  assert.deepEqual(calls("a"), ["all 1"]);
  assert.deepEqual(calls("x"), ["all 0"]);
  assert.deepEqual(calls("r"), ["rest 1"]);
  assert.deepEqual(calls("o"), ["single"]);
  assert.deepEqual(calls("v"), ["enlarge 105"]);
  assert.deepEqual(calls("z"), ["undo"]);
  assert.deepEqual(calls("Enter"), ["submit"]);
});

test("arrows move by one picture or one line, and not beyond the first and the last line", () => {
  assert.deepEqual(calls("ArrowLeft"), ["focus 4"]);
  assert.deepEqual(calls("ArrowRight"), ["focus 6"]);
  assert.deepEqual(calls("ArrowUp"), ["focus 1"]);
  assert.deepEqual(calls("ArrowDown"), ["focus 9"]);
  assert.deepEqual(calls("Home"), ["focus 0"]);
  assert.deepEqual(calls("End"), ["focus 9"]);
});

test("other letters are kept from the page, whose shortcuts they are; other keys are not", () => {
  for (const letter of ["c", "d", "C"]) assert.equal(effectOf(letter, FREE), null);
  for (const key of ["Tab", "Escape", "F5", "5"]) assert.equal(effectOf(key, FREE), undefined);
});

test("a button keeps Enter and Space; one of the page keeps every key but letters and digits", () => {
  for (const key of ["Enter", " "]) assert.equal(effectOf(key, { ...FREE, control: "own" }), undefined);
  assert.deepEqual(calls("ArrowLeft", { control: "own" }), ["focus 4"]);
  for (const key of ["Enter", " ", "ArrowLeft"])
    assert.equal(effectOf(key, { ...FREE, control: "foreign" }), undefined);
  assert.deepEqual(calls("1", { control: "foreign" }), ["step 1"]);
});

test("a key that is held down moves on, but saves, undoes and turns once", () => {
  assert.deepEqual(calls("ArrowRight", { repeat: true }), ["focus 6"]);
  for (const key of ["Enter", "z", "u", "p", "v", " "]) {
    assert.deepEqual(calls(key, { repeat: true }), []);
    assert.notEqual(effectOf(key, { ...FREE, repeat: true }), undefined, "the page does not get it either");
  }
});

test("after the last page only undo is left", () => {
  assert.deepEqual(calls("z", { finished: true }), ["undo"]);
  assert.equal(effectOf("Enter", { ...FREE, finished: true }), undefined);
  assert.equal(effectOf("u", { ...FREE, finished: true }), null);
});

test("the key that skips is named where pictures may be skipped", () => {
  const named = (/** @type {boolean} */ skips) => hintsOf(PRESETS[0], skips).some(([key]) => key === "P");
  assert.deepEqual([named(true), named(false)], [true, false]);
});
