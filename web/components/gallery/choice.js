// Which images of a listing are chosen, as ranges of indices: all of two million are one range.

const MOST_RANGES = 500;

class Choice {
  constructor() {
    this.ranges = []; // [from, to), rising, apart
  }

  get count() {
    return this.ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  has(i) {
    return this.ranges.some(([from, to]) => from <= i && i < to);
  }

  clear() {
    this.ranges = [];
  }

  // Choose or leave out all from one index up to another; no, where that would make too many pieces.
  set(from, to, on) {
    const kept = [];
    for (const [a, b] of this.ranges) {
      if (a < from) kept.push([a, Math.min(b, from)]);
      if (b > to) kept.push([Math.max(a, to), b]);
    }
    if (on) kept.push([from, to]);
    kept.sort((one, other) => one[0] - other[0]);
    const joined = [];
    for (const [a, b] of kept) {
      const last = joined[joined.length - 1];
      if (last && a <= last[1]) last[1] = Math.max(last[1], b);
      else joined.push([a, b]);
    }
    if (joined.length > MOST_RANGES) return false;
    this.ranges = joined;
    return true;
  }

  toggle(i) {
    return this.set(i, i + 1, !this.has(i));
  }
}
