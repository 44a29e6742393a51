// The positions of n images, before any of them is loaded: a grid, or justified rows. Both leave room for the line of
// the threshold between two images. In: n, the width, the size. Out: boxes and ranges, in pixels from the top. No DOM.

export const GAP = 8;
export const WORDS = 20; // height of the caption under a picture
export const LINE = 44; // height of the threshold's line
const NARROWEST = 0.4; // limits of width over height in the layout
const WIDEST = 4;

/** @typedef {{ x: number, y: number, width: number, height: number }} Box */

/**
 * @typedef {object} Layout
 * @property {number} height of everything
 * @property {number | null} lineAt the upper edge of the threshold's line; null without one
 * @property {(line: number) => number} start the first image of a line of pictures
 * @property {(line: number) => number} end the image after the last of a line
 * @property {(y: number) => number} lineFor the line of pictures at a height
 * @property {(i: number) => Box} box of an image
 * @property {(i: number, way: number) => number} beyond the image one line above (-1) or below (1), or the same one if
 *   there is none
 */

/** @implements {Layout} */
export class GridLayout {
  /**
   * @param {number} n
   * @param {number} width
   * @param {number} size
   * @param {number | null} line
   */
  constructor(n, width, size, line) {
    this.n = n;
    this.line = line !== null && line > 0 && line < n ? line : n;
    this.columns = Math.max(width < 260 ? 1 : 2, Math.floor((width + GAP) / (size + GAP)));
    this.side = (width - GAP * (this.columns - 1)) / this.columns;
    this.step = this.side + WORDS + GAP;
    this.above = Math.ceil(this.line / this.columns); // lines of pictures above the threshold
    this.lines = this.above + Math.ceil((n - this.line) / this.columns);
    this.lineAt = this.line < n ? this.above * this.step : null;
    this.room = this.line < n ? LINE : 0;
    this.height = this.lines * this.step + this.room;
  }

  /** @param {number} i */
  lineOf(i) {
    return i < this.line ? Math.floor(i / this.columns) : this.above + Math.floor((i - this.line) / this.columns);
  }

  /** @param {number} line */
  start(line) {
    return line < this.above ? line * this.columns : this.line + (line - this.above) * this.columns;
  }

  /** @param {number} line */
  end(line) {
    return Math.min(line < this.above ? this.line : this.n, this.start(line) + this.columns);
  }

  /** @param {number} y */
  lineFor(y) {
    const line = Math.floor(y / this.step);
    const below = Math.max(this.above, Math.floor((y - this.room) / this.step));
    return Math.min(Math.max(0, this.lines - 1), Math.max(0, line < this.above ? line : below));
  }

  /** @param {number} i */
  box(i) {
    const line = this.lineOf(i);
    const y = line * this.step + (line < this.above ? 0 : this.room);
    return { x: (i - this.start(line)) * (this.side + GAP), y, width: this.side, height: this.side };
  }

  /**
   * @param {number} i
   * @param {number} way
   */
  beyond(i, way) {
    const line = this.lineOf(i);
    if (line + way < 0 || line + way >= this.lines) return i;
    return Math.min(this.start(line + way) + i - this.start(line), this.end(line + way) - 1);
  }
}

/** @implements {Layout} */
export class RowsLayout {
  /**
   * @param {Uint8Array} shapes of the images: a byte each, logarithmic, see bam_engine/gallery/window.py
   * @param {number} width
   * @param {number} size
   * @param {number | null} line
   */
  constructor(shapes, width, size, line) {
    this.n = shapes.length;
    this.shapes = shapes;
    this.width = width;
    this.line = line !== null && line > 0 && line < this.n ? line : this.n;
    /** @type {number[]} */
    this.starts = [];
    /** @type {number[]} */
    this.tops = [];
    /** @type {number[]} */
    this.heights = [];
    this.table = Float32Array.from({ length: 256 }, (_, code) =>
      Math.min(WIDEST, Math.max(NARROWEST, 2 ** ((code - 128) / 32))),
    );
    const below = this.fill(0, this.line, 0, size);
    this.lineAt = this.line < this.n ? below : null;
    this.height = this.line < this.n ? this.fill(this.line, this.n, below + LINE, size) : below;
  }

  /**
   * Break images a to b into lines that fill the width; the last line has the requested height.
   *
   * @param {number} a
   * @param {number} b
   * @param {number} top
   * @param {number} size
   */
  fill(a, b, top, size) {
    const { table, shapes, width } = this;
    let start = a;
    let wide = 0;
    for (let i = a; i < b; i += 1) {
      wide += table[shapes[i]];
      const room = width - GAP * (i - start);
      if (wide * size >= room || i === b - 1) {
        const height = Math.min(size, room / wide);
        this.starts.push(start);
        this.tops.push(top);
        this.heights.push(height);
        top += height + WORDS + GAP;
        start = i + 1;
        wide = 0;
      }
    }
    return top;
  }

  /** @param {number} i */
  lineOf(i) {
    return lastUpTo(this.starts, i);
  }

  /** @param {number} line */
  start(line) {
    return this.starts[line] ?? 0;
  }

  /** @param {number} line */
  end(line) {
    return line + 1 < this.starts.length ? this.starts[line + 1] : this.n;
  }

  /** @param {number} i */
  box(i) {
    const line = this.lineOf(i);
    const height = this.heights[line];
    let x = 0;
    for (let k = this.starts[line]; k < i; k += 1) x += this.table[this.shapes[k]] * height + GAP;
    return { x, y: this.tops[line], width: this.table[this.shapes[i]] * height, height };
  }

  /** @param {number} y */
  lineFor(y) {
    return lastUpTo(this.tops, y);
  }

  /**
   * @param {number} i
   * @param {number} way
   */
  beyond(i, way) {
    const line = this.lineOf(i) + way;
    if (line < 0 || line >= this.starts.length) return i;
    const here = this.box(i);
    let best = this.start(line);
    for (let k = best; k < this.end(line); k += 1) if (this.box(k).x <= here.x + here.width / 2) best = k;
    return best;
  }
}

/**
 * The index of the last of ascending values that is at most `limit`; 0 before the first.
 *
 * @param {number[]} values
 * @param {number} limit
 */
function lastUpTo(values, limit) {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (values[middle] <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}
