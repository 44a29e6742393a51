import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_LENGTH, problemOf, wordsOf } from "../../../web/components/label_grid/remarks.js";

test("a remark reads as what it is, with its words", () => {
  assert.equal(wordsOf({ kind: "flag", text: "" }), "flagged");
  assert.equal(
    wordsOf({ kind: "unjudgeable", text: "Too small or blurred" }),
    "cannot be judged: Too small or blurred",
  );
});

test("a flag needs no words, anything else does, and too many are refused", () => {
  assert.equal(problemOf({ kind: "flag", text: "" }), "");
  assert.equal(problemOf({ kind: "comment", text: " " }), "Say it in a few words.");
  assert.equal(problemOf({ kind: "unjudgeable", text: "Damaged or empty" }), "");
  assert.match(problemOf({ kind: "comment", text: "x".repeat(MAX_LENGTH + 1) }), /300 characters/);
});
