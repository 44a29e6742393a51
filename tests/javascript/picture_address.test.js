import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf, inBase64 } from "../../web/components/picture_address.js";

test("the address of a picture holds its bytes, however many", () => {
  for (const length of [0, 1, 2, 3, 8191, 8192, 8193, 30_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 31) % 256);
    const [head, text] = addressOf(bytes).split(",");
    assert.equal(head, "data:image/webp;base64");
    assert.deepEqual(new Uint8Array(Buffer.from(text, "base64")), bytes);
    assert.equal(inBase64(bytes), text);
  }
});

test("the address of a picture names its format", () => {
  assert.match(addressOf(Uint8Array.of(0x89, 0x50, 0x4e, 0x47)), /^data:image\/png;/);
  assert.match(addressOf(Uint8Array.of(0x52, 0x49, 0x46, 0x46)), /^data:image\/webp;/);
});
