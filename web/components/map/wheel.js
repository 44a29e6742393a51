// How fast the wheel zooms. A touchpad sends many small events for one movement, so the map rests after each zoom; what
// the wheel turns meanwhile is not lost, or quick notches of a mouse would leave the map behind. An animated zoom may
// take longer than the rest, and Leaflet drops what comes before its end, so the map rests until then too. No DOM.

export const RESTS = 200; // milliseconds after the start of a zoom, at least
const NOTCH = 50; // pixels that the wheel turns at least in one notch; a movement that fades out turns less
const STEP = 100; // pixels that zoom by one level
const PIXELS = [1, 20, 60]; // of one unit, by deltaMode: pixels, lines, pages

export class WheelPace {
  constructor() {
    this.zoomed = -Infinity;
    this.zooming = false;
    this.held = 0;
  }

  /** A zoom begins. @param {number} now in milliseconds */
  zooms(now) {
    this.zoomed = now;
    this.zooming = true;
    this.held = 0;
  }

  /** The zoom has ended; return for how many milliseconds the map still rests. @param {number} now */
  ends(now) {
    this.zooming = false;
    return Math.max(0, this.zoomed + RESTS - now);
  }

  /** @param {number} now */
  rests(now) {
    return this.zooming || now - this.zoomed < RESTS;
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
