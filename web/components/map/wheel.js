// How fast the wheel zooms. A touchpad sends many small events for one movement, so the map rests after each zoom; what
// the wheel turns meanwhile is not lost, or quick notches of a mouse would leave the map behind. No DOM.

export const RESTS = 200; // milliseconds after the start of a zoom
const NOTCH = 50; // pixels that the wheel turns at least in one notch; a movement that fades out turns less
const STEP = 100; // pixels that zoom by one level
const PIXELS = [1, 20, 60]; // of one unit, by deltaMode: pixels, lines, pages

export class WheelPace {
  constructor() {
    this.zoomed = -Infinity;
    this.held = 0;
  }

  /** @param {number} now in milliseconds */
  zooms(now) {
    this.zoomed = now;
    this.held = 0;
  }

  /** @param {number} now */
  rests(now) {
    return now - this.zoomed < RESTS;
  }

  /**
   * Hold a turn of the wheel until the map has rested.
   *
   * @param {Pick<WheelEvent, "deltaY" | "deltaMode">} turn
   */
  hold({ deltaY, deltaMode }) {
    this.held += deltaY * (PIXELS[deltaMode] ?? 1);
  }

  /** The held turn in pixels, one level at most; 0 where it makes up no notch. It is held no longer. */
  take() {
    const { held } = this;
    this.held = 0;
    return Math.abs(held) < NOTCH ? 0 : Math.sign(held) * STEP;
  }
}
