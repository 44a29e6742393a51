import assert from "node:assert/strict";
import { test } from "node:test";

import { Store } from "../../web/components/store.js";
import { MemoryStorage } from "./storage.js";

test("what is written is read again, until it is removed", () => {
  const store = new Store(() => storage);
  const storage = new MemoryStorage();
  assert.equal(store.read("marks"), null);
  assert.equal(store.write("marks", [[3, 1]]), true);
  assert.deepEqual(store.read("marks"), [[3, 1]]);
  store.remove("marks");
  assert.equal(store.read("marks"), null);
});

test("keys are those with the prefix, in ascending order", () => {
  const storage = new MemoryStorage({ "bam.2": "1", "other.0": "1", "bam.1": "1" });
  assert.deepEqual(new Store(() => storage).keys("bam."), ["bam.1", "bam.2"]);
});

test("a full storage keeps nothing and says so", () => {
  const store = new Store(() => storage);
  const storage = new MemoryStorage({}, 10);
  assert.equal(store.write("long", "x".repeat(20)), false);
  assert.equal(store.read("long"), null);
});

test("a disabled storage is like an empty one", () => {
  const store = new Store(() => {
    throw new DOMException("disabled", "SecurityError");
  });
  assert.equal(store.read("a"), null);
  assert.equal(store.write("a", 1), false);
  assert.deepEqual(store.keys(""), []);
  store.remove("a");
});

test("what is not JSON counts as nothing", () => {
  const storage = new MemoryStorage({ a: "{" });
  assert.equal(new Store(() => storage).read("a"), null);
});
