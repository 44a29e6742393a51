import assert from "node:assert/strict";
import { test } from "node:test";

import { buttonOf } from "../../../web/components/keys/answer_keys.js";
import { answerKeys, PRESETS } from "../../../web/components/keys/presets.js";

test("under each preset the keys that its help names press the buttons of their words, and Z presses undo", () => {
  for (const preset of PRESETS) {
    for (const [key, word] of answerKeys(preset)) assert.equal(buttonOf(key, preset), word);
    assert.equal(buttonOf("z", preset), "undo");
  }
});

test("other keys press nothing", () => {
  const [letters, digits] = PRESETS;
  assert.equal(buttonOf("Enter", letters), undefined);
  assert.equal(buttonOf("y", digits), undefined);
});
