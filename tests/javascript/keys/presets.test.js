import assert from "node:assert/strict";
import { test } from "node:test";

import { hintsOf as galleryHints } from "../../../web/components/gallery/endless_keys.js";
import { effectOf, hintsOf } from "../../../web/components/label_grid/keys.js";
import { KeyChoice, PRESETS } from "../../../web/components/keys/presets.js";
import { Store } from "../../../web/components/store.js";
import { MemoryStorage } from "../storage.js";

/** @import { LabelGrid } from "../../../web/components/label_grid/label_grid.js" */

/** @param {Record<string, string>} [kept] */
const choiceIn = (kept) => new KeyChoice(new Store(() => storageOf(kept)));
const storage = new MemoryStorage();
/** @param {Record<string, string>} [kept] */
const storageOf = (kept) => (kept ? new MemoryStorage(kept) : storage);

/**
 * What a key does to a grid of one picture under a preset, as words.
 *
 * @param {string} key
 * @param {string} id of the preset
 */
function does(key, id) {
  const preset = PRESETS.find((each) => each.id === id) ?? PRESETS[0];
  /** @type {string[]} */
  const made = [];
  const grid = {
    ...{ at: 0, cells: [{ row: 7 }] },
    step: (/** @type {number} */ mark) => made.push(mark === 1 ? "yes" : "no"),
    turnUnsure: () => made.push("unsure"),
  };
  const effect = effectOf(key, { control: null, finished: false, repeat: false, preset });
  effect?.(/** @type {LabelGrid} */ (/** @type {unknown} */ (grid)));
  return made.join();
}

test("under each preset the keys that its help names answer", () => {
  for (const preset of PRESETS) {
    const [yes, no, unsure] = ["yes", "no", "unsure"].map(
      (word) => hintsOf(preset, true).find(([, meaning]) => meaning === word)?.[0] ?? "",
    );
    assert.deepEqual(
      [yes, no, unsure].map((key) => does(key, preset.id)),
      ["yes", "no", "unsure"],
    );
    assert.deepEqual(preset.name.slice(0, 5), [yes, no, unsure].join(" "), "the name is the keys");
  }
});

test("the gallery names the same keys as the labelling grid", () => {
  const answers = (/** @type {[string, string][]} */ hints) =>
    hints.filter(([, meaning]) => ["yes", "no", "unsure", "undo"].includes(meaning));
  for (const preset of PRESETS) assert.deepEqual(answers(galleryHints(preset)), answers(hintsOf(preset, true)));
});

test("the keys of another preset answer nothing", () => {
  assert.equal(does("y", "right"), "");
  assert.equal(does("0", "digits"), "");
  assert.equal(does("2", "letters"), "");
  assert.equal(does("2", "digits"), "no");
});

test("no preset takes a key that has another meaning, nor one key twice", () => {
  const others = ["a", "x", "r", "o", "v", "z", " ", "enter"];
  for (const { yes, no, unsure } of PRESETS) {
    const keys = [...yes, ...no, ...unsure];
    assert.equal(new Set(keys).size, keys.length);
    assert.deepEqual(
      keys.filter((key) => others.includes(key)),
      [],
    );
  }
});

test("a key that is held down turns unsure once, and answers on", () => {
  const [, , right] = PRESETS;
  const about = { control: null, finished: false, repeat: true, preset: right };
  let calls = 0;
  const count = () => (calls += 1);
  const grid = { at: 0, cells: [{ row: 1 }], step: count, turnUnsure: count };
  for (const key of ["l", "j"]) effectOf(key, about)?.(/** @type {LabelGrid} */ (/** @type {unknown} */ (grid)));
  assert.equal(calls, 1);
});

test("each annotator has a preset of their own in a browser, at first the letters", () => {
  const choice = choiceIn();
  assert.equal(choice.of("ada").id, "letters");
  choice.choose("ada", "right");
  choice.choose("ben", "digits");
  assert.deepEqual(
    ["ada", "ben", "eve", ""].map((name) => choiceIn().of(name).id),
    ["right", "digits", "letters", "letters"],
  );
});

test("what is kept and cannot be read counts as nothing", () => {
  for (const kept of ["[1]", '"x"', "{", "null", '{"ada": "other"}', '{"ada": 3}'])
    assert.equal(choiceIn({ "bam.grid.keys": kept }).of("ada").id, "letters", kept);
});
