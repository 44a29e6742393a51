// The selected images of a listing, as ranges of indices: two million images can be one range.

const MAX_RANGES = 500;

/** From an index up to, but without, another. @typedef {[from: number, to: number]} Range */

export class Choice {
  constructor() {
    /** Ascending and disjoint. @type {Range[]} */
    this.ranges = [];
  }

  get count() {
    return this.ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  /** @param {number} i */
  has(i) {
    return this.ranges.some(([from, to]) => from <= i && i < to);
  }

  clear() {
    this.ranges = [];
  }

  /**
   * Select or deselect a range; return false if that would make too many ranges.
   *
   * @param {number} from
   * @param {number} to
   * @param {boolean} on
   */
  set(from, to, on) {
    /** @type {Range[]} */
    const pieces = [];
    for (const [a, b] of this.ranges) {
      if (a < from) pieces.push([a, Math.min(b, from)]);
      if (b > to) pieces.push([Math.max(a, to), b]);
    }
    if (on) pieces.push([from, to]);
    pieces.sort((one, other) => one[0] - other[0]);
    /** @type {Range[]} */
    const joined = [];
    for (const [a, b] of pieces) {
      const last = joined[joined.length - 1];
      if (last && a <= last[1]) last[1] = Math.max(last[1], b);
      else joined.push([a, b]);
    }
    if (joined.length > MAX_RANGES) return false;
    this.ranges = joined;
    return true;
  }
}
