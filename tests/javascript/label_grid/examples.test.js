import assert from "node:assert/strict";
import { test } from "node:test";

import { captionOf, groupsOf } from "../../../web/components/label_grid/examples.js";

/** @import { GuidelineExample } from "../../../web/components/data.js" */

/**
 * @param {number} row
 * @param {GuidelineExample["kind"]} kind
 */
const example = (row, kind) => ({ row, kind, note: "" });

test("examples come good, bad, corner cases, each kind in its order, and are counted", () => {
  const groups = groupsOf([example(4, "corner"), example(2, "good"), example(9, "bad"), example(1, "good")]);
  assert.deepEqual(
    groups.map(({ words, members }) => [words, members.map(({ row }) => row)]),
    [
      ["2 good examples", [2, 1]],
      ["1 bad example", [9]],
      ["1 corner case", [4]],
    ],
  );
});

test("kinds without an example are left out", () => {
  assert.deepEqual(
    groupsOf([example(3, "bad")]).map(({ kind }) => kind),
    ["bad"],
  );
  assert.deepEqual(groupsOf([]), []);
});

test("a caption names the kind, and the note if there is one", () => {
  assert.equal(captionOf("bad example", ""), "Bad example");
  assert.equal(captionOf("corner case", "ink, not paint"), "Corner case: ink, not paint");
});
