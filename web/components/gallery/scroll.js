// Scrolls content that is taller than browsers allow. In: the frame, the true height. Out: `at`, the true position of
// the upper edge, and `shift`, to be subtracted from a true position to draw it.
//
// Near both ends, a pixel of the scroll bar is a pixel of the content. In between, the bar covers the rest: dragging it
// jumps, the wheel moves by pixels, and once it rests, the bar is moved to its proper position, without anything moving
// on the screen.

const TALLEST = 8_000_000; // Firefox fails beyond 17.8 million pixels, on high-density screens earlier
const EDGE = 100_000;
const REST = 160; // milliseconds

export class Scroller {
  /**
   * @param {HTMLElement} frame
   * @param {HTMLElement} spacer
   * @param {(near: boolean) => void} onMove
   */
  constructor(frame, spacer, onMove) {
    this.frame = frame;
    this.spacer = spacer;
    this.onMove = onMove;
    this.at = 0;
    this.shift = 0;
    this.height = 0;
    this.bar = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined;
    frame.addEventListener("scroll", () => this.moved(), { passive: true });
  }

  get view() {
    return this.frame.clientHeight;
  }

  get furthest() {
    return Math.max(0, this.height - this.view);
  }

  /** The last position of the bar. */
  get end() {
    return Math.max(0, Math.min(this.height, TALLEST) - this.view);
  }

  /**
   * @param {number} height
   * @param {number} at
   */
  resize(height, at) {
    this.height = height;
    this.spacer.style.height = `${Math.min(height, TALLEST)}px`;
    this.go(at);
  }

  /**
   * The true position for a position of the bar; barOf converts back.
   *
   * @param {number} bar
   */
  trueOf(bar) {
    const { end, furthest } = this;
    if (furthest === end || bar <= EDGE) return bar;
    if (bar >= end - EDGE) return furthest - (end - bar);
    return EDGE + ((bar - EDGE) / (end - 2 * EDGE)) * (furthest - 2 * EDGE);
  }

  /** @param {number} at */
  barOf(at) {
    const { end, furthest } = this;
    if (furthest === end || at <= EDGE) return at;
    if (at >= furthest - EDGE) return end - (furthest - at);
    return EDGE + ((at - EDGE) / (furthest - 2 * EDGE)) * (end - 2 * EDGE);
  }

  /** @param {number} at */
  go(at) {
    this.at = Math.min(this.furthest, Math.max(0, at));
    this.put();
    this.onMove(true);
  }

  put() {
    this.frame.scrollTop = this.barOf(this.at);
    this.bar = this.frame.scrollTop;
    this.shift = this.height > TALLEST ? this.at - this.bar : 0;
    if (this.shift === 0) this.at = this.bar;
  }

  moved() {
    const bar = this.frame.scrollTop;
    const by = bar - this.bar;
    if (by === 0) return;
    this.bar = bar;
    const far = Math.abs(by) > 2 * this.view;
    if (far || bar <= 0 || bar >= this.end) this.at = this.trueOf(bar);
    else this.at = Math.min(this.furthest, Math.max(0, this.at + by));
    this.shift = this.height > TALLEST ? this.at - bar : 0;
    this.onMove(!far);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(), REST);
  }

  rest() {
    if (this.height > TALLEST && Math.abs(this.barOf(this.at) - this.bar) >= 1) this.put();
    this.onMove(true);
  }
}
