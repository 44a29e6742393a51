import assert from "node:assert/strict";
import { test } from "node:test";

import { newId } from "../../web/components/ids.js";

test("no two ids are the same", () => {
  assert.equal(new Set(Array.from({ length: 1000 }, newId)).size, 1000);
});

test("a browser that makes no UUIDs makes ids of as many bits", () => {
  Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
  const ids = Array.from({ length: 1000 }, newId);
  Reflect.deleteProperty(crypto, "randomUUID");
  assert.equal(new Set(ids).size, 1000);
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
});
