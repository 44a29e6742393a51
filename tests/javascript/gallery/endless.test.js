import assert from "node:assert/strict";
import { test } from "node:test";

import { describeItem } from "../../../web/components/gallery/endless_cells.js";
import { onKey } from "../../../web/components/gallery/endless_keys.js";
import { PRESETS } from "../../../web/components/keys/presets.js";

/** @import { Preset } from "../../../web/components/keys/presets.js" */
/** @import { Endless } from "../../../web/components/gallery/endless.js" */

const ITEM = {
  ...{ row: 3, title: "A title", score: null, chance: null, accepted: null, mark: "", count: 1 },
  ...{ picture: 3, words: "" },
};

test("an image is described by what is known of it", () => {
  assert.deepEqual(describeItem(ITEM), ["A title"]);
  assert.deepEqual(describeItem({ ...ITEM, words: "place 90%" }), ["A title", "place 90%"]);
  const chance = /** @type {[number, number, number]} */ ([0.9, 0.83, 0.95]);
  const lines = describeItem({ ...ITEM, score: -0.5, chance, accepted: false, mark: "yes", count: 4 });
  assert.deepEqual(lines, [
    "A title",
    "score \u22120.50",
    "probability 90% (83% to 95%)",
    "rejected",
    "label: yes",
    "stands for 4 near-duplicates",
  ]);
});

/**
 * What a key does in a gallery of 100 images whose 50th is active, and whether the page is kept from it.
 *
 * @param {string} key
 * @param {{ shiftKey?: boolean, ctrlKey?: boolean, altKey?: boolean, chosen?: number, total?: number,
 *   answering?: boolean, preset?: Preset }} [about]
 */
function pressed(key, { chosen = 0, total = 100, answering = false, preset = PRESETS[0], ...modifiers } = {}) {
  /** @type {string[]} */
  const calls = [];
  let kept = 0;
  const gallery = {
    ...{ layout: {}, total, active: 50, choice: { count: chosen, has: (/** @type {number} */ i) => i < chosen } },
    beyond: (/** @type {number} */ i, /** @type {number} */ way) => i + 10 * way,
    page: (/** @type {number} */ i, /** @type {number} */ way) => i + 30 * way,
    choose: (/** @type {unknown[]} */ ...range) => calls.push(`choose ${range.join(" ")}`),
    step: (/** @type {unknown[]} */ ...to) => calls.push(`step ${to.join(" ")}`),
    openImage: (/** @type {number} */ i) => calls.push(`open ${i}`),
    answer: (/** @type {number} */ i, /** @type {number} */ value) => calls.push(`answer ${i} ${value}`),
    answering: { about: answering ? {} : null, undo: () => calls.push("undo") },
    parts: { keys: { preset } },
  };
  const none = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };
  const event = { ...none, key, ...modifiers, preventDefault: () => (kept += 1), stopPropagation: () => (kept += 1) };
  onKey(
    /** @type {Endless} */ (/** @type {unknown} */ (gallery)),
    /** @type {KeyboardEvent} */ (/** @type {unknown} */ (event)),
  );
  assert.equal(kept, calls.length ? 2 : 0, "the page gets exactly the keys that do nothing here");
  return calls;
}

test("arrows, Page keys, Home and End move, and with Shift they select", () => {
  assert.deepEqual(pressed("ArrowLeft"), ["step 49 false"]);
  assert.deepEqual(pressed("ArrowRight", { shiftKey: true }), ["step 51 true"]);
  assert.deepEqual(pressed("ArrowUp"), ["step 40 false"]);
  assert.deepEqual(pressed("PageDown"), ["step 80 false"]);
  assert.deepEqual(pressed("Home"), ["step 0 false"]);
  assert.deepEqual(pressed("End"), ["step 99 false"]);
});

test("Enter opens, Space selects or deselects, Ctrl+A selects all, Escape none", () => {
  assert.deepEqual(pressed("Enter"), ["open 50"]);
  assert.deepEqual(pressed(" "), ["choose 50 51 true"]);
  assert.deepEqual(pressed(" ", { chosen: 60 }), ["choose 50 51 false"]);
  assert.deepEqual(pressed("a", { ctrlKey: true }), ["choose 0 100 true"]);
  assert.deepEqual(pressed("Escape", { chosen: 1 }), ["choose 0 100 false"]);
});

test("Y, N and U answer about the active image and Z undoes it, where there is an attribute to answer about", () => {
  assert.deepEqual(pressed("y", { answering: true }), ["answer 50 1"]);
  assert.deepEqual(pressed("N", { answering: true, shiftKey: true }), ["answer 50 0"]);
  assert.deepEqual(pressed("u", { answering: true }), ["answer 50 -1"]);
  assert.deepEqual(pressed("z", { answering: true }), ["undo"]);
  for (const key of ["y", "n", "u", "z"]) assert.deepEqual(pressed(key), []);
  assert.deepEqual(pressed("z", { answering: true, ctrlKey: true }), [], "of the browser");
});

test("the keys of the preset that was chosen answer, and those of another do not", () => {
  const [, digits] = PRESETS;
  assert.deepEqual(pressed("2", { answering: true, preset: digits }), ["answer 50 0"]);
  assert.deepEqual(pressed("y", { answering: true, preset: digits }), []);
});

test("other keys are left to the page, and so are all keys of an empty gallery", () => {
  assert.deepEqual(pressed("Escape"), []);
  assert.deepEqual(pressed("a"), []);
  assert.deepEqual(pressed("ArrowLeft", { altKey: true }), []);
  assert.deepEqual(pressed("End", { total: 0 }), []);
});
