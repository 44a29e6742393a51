import assert from "node:assert/strict";
import { test } from "node:test";

import { listed } from "../../../web/components/map/area_list.js";

/** @import { RegionName } from "../../../web/components/data.js" */

/**
 * @param {string} name
 * @param {number} count
 * @returns {RegionName}
 */
const area = (name, count) => ({ name, count, why: "", x: 0, y: 0, from: 0, to: 3 });

test("areas are listed once each, where they are largest, the largest first", () => {
  const names = [area("cats", 4), area("dogs", 9), area("cats", 30), area("birds", 9)];
  assert.deepEqual(
    listed(names).map(({ name, count }) => [name, count]),
    [
      ["cats", 30],
      ["birds", 9],
      ["dogs", 9],
    ],
  );
});
