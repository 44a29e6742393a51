import assert from "node:assert/strict";
import { test } from "node:test";

import { GAP, GridLayout, LINE, RowsLayout, WORDS } from "../../../web/components/gallery/layout.js";

/** @import { Layout } from "../../../web/components/gallery/layout.js" */

/** Shapes of pictures: bytes around 128, which is a square. @param {number} n */
const shapesOf = (n) => Uint8Array.from({ length: n }, (_, i) => 128 + ((i * 37) % 97) - 48);

/** @type {[name: string, make: (n: number, width: number, size: number, line: number | null) => Layout][]} */
const LAYOUTS = [
  ["grid", (n, width, size, line) => new GridLayout(n, width, size, line)],
  ["rows", (n, width, size, line) => new RowsLayout(shapesOf(n), width, size, line)],
];

for (const [name, make] of LAYOUTS) {
  for (const [n, width, size, line] of /** @type {[number, number, number, number | null][]} */ ([
    [1, 900, 150, null],
    [37, 900, 150, null],
    [37, 900, 150, 20],
    [40, 240, 150, 7],
    [500, 1200, 64, 499],
    [500, 1200, 360, 1],
    [10, 900, 150, 0],
    [10, 900, 150, 10],
  ])) {
    const what = `${name} of ${n} at ${width} px, threshold ${line}`;
    const layout = make(n, width, size, line);
    const boxes = Array.from({ length: n }, (_, i) => layout.box(i));
    const threshold = line !== null && line > 0 && line < n ? line : null;

    test(`${what}: every image has a place within the width, and none covers another`, () => {
      for (const box of boxes) {
        assert.ok(box.width > 0 && box.height > 0);
        assert.ok(box.x >= 0 && box.x + box.width <= width + 0.01);
        assert.ok(box.y + box.height + WORDS <= layout.height);
      }
      for (let i = 1; i < n; i += 1) {
        const [one, next] = [boxes[i - 1], boxes[i]];
        if (next.y === one.y) assert.ok(next.x >= one.x + one.width + GAP - 0.01);
        else assert.ok(next.x === 0 && next.y >= one.y + one.height + WORDS + GAP - 0.01);
      }
    });

    test(`${what}: the lines hold every image once, in order`, () => {
      const found = [];
      for (let i = 0; i < n; i = layout.end(layout.lineFor(boxes[i].y))) {
        const at = layout.lineFor(boxes[i].y);
        assert.equal(layout.start(at), i);
        for (let k = i; k < layout.end(at); k += 1) found.push(k);
      }
      assert.deepEqual(found, [...boxes.keys()]);
    });

    test(`${what}: a height inside a picture belongs to its line`, () => {
      for (const [i, { y, height }] of boxes.entries()) {
        for (const at of [y, y + height / 2, y + height]) {
          const found = layout.lineFor(at);
          assert.ok(layout.start(found) <= i && i < layout.end(found));
        }
      }
      assert.equal(layout.start(layout.lineFor(-100)), 0);
      assert.equal(layout.end(layout.lineFor(layout.height + 100)), n);
    });

    test(`${what}: the threshold's line has room between the last accepted and the first rejected image`, () => {
      if (threshold === null) return void assert.equal(layout.lineAt, null);
      const [above, below] = [boxes[threshold - 1], boxes[threshold]];
      assert.ok(layout.lineAt !== null && layout.lineAt >= above.y + above.height + WORDS);
      assert.ok(layout.lineAt + LINE <= below.y + 0.01);
      assert.equal(below.x, 0);
    });

    test(`${what}: up and down lead to the neighbouring line and stay where there is none`, () => {
      for (const [i, box] of boxes.entries()) {
        const [up, down] = [layout.beyond(i, -1), layout.beyond(i, 1)];
        if (box.y === 0) assert.equal(up, i);
        else assert.equal(layout.lineFor(boxes[up].y), layout.lineFor(box.y) - 1);
        if (layout.end(layout.lineFor(box.y)) === n) assert.equal(down, i);
        else assert.equal(layout.lineFor(boxes[down].y), layout.lineFor(box.y) + 1);
      }
    });
  }

  test(`${name}: a narrower window makes the gallery taller`, () => {
    assert.ok(make(200, 500, 150, null).height > make(200, 1000, 150, null).height);
    assert.ok(make(200, 1000, 300, null).height > make(200, 1000, 100, null).height);
  });
}

test("a grid fills the width with squares of at least the size, two at least where there is room", () => {
  const { columns, side } = new GridLayout(100, 900, 150, null);
  assert.equal(columns, 5);
  assert.ok(Math.abs(columns * side + (columns - 1) * GAP - 900) < 1e-9);
  assert.equal(new GridLayout(100, 400, 360, null).columns, 2);
  assert.equal(new GridLayout(100, 250, 360, null).columns, 1);
});

test("rows keep the shape of each picture within limits, and all but the last fill the width", () => {
  const shapes = Uint8Array.from([128, 160, 96, 255, 0, 128, 160, 128]);
  const layout = new RowsLayout(shapes, 600, 150, null);
  const expected = [1, 2, 0.5, 4, 0.4, 1, 2, 1];
  const boxes = [...shapes.keys()].map((i) => layout.box(i));
  for (const [i, { width, height }] of boxes.entries()) assert.ok(Math.abs(width / height - expected[i]) < 1e-3);
  const last = layout.start(layout.lineFor(layout.height));
  for (const [i, { x, width, y }] of boxes.entries()) {
    if (i + 1 < last && boxes[i + 1].y > y) assert.ok(Math.abs(x + width - 600) < 0.01);
  }
});
