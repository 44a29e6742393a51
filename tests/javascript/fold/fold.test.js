import assert from "node:assert/strict";
import { test } from "node:test";

import { isOpen, keyOf } from "../../../web/components/fold/fold.js";
import { Store } from "../../../web/components/store.js";
import { MemoryStorage } from "../storage.js";

test("a panel is open where there is room for it, until somebody chooses otherwise at such a width", () => {
  const stores = [0, 1].map(() => {
    const storage = new MemoryStorage();
    return new Store(() => storage);
  });
  const [browser, tab] = stores;
  const open = (/** @type {boolean} */ wide) => isOpen("filters", wide, { browser, tab });
  assert.deepEqual([open(true), open(false)], [true, false]);
  browser.write(keyOf("filters", true), false);
  assert.deepEqual([open(true), open(false)], [false, false]);
  tab.write(keyOf("filters", false), true);
  assert.deepEqual([open(true), open(false)], [false, true]);
});
