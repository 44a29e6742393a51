// The component of the histogram with a threshold to drag. Out: states `cut` {value, event}, set when the threshold is
// let go, and `picked` {row, among, event}. Counts follow at once from what came with the page; precision and recall come
// with the run of the page that a threshold causes, and are shown as pending until then.

import { add, element } from "../dom.js";
import { newId } from "../ids.js";
import { Beside } from "./beside.js";
import { Plot } from "./plot.js";
import { scoreAt } from "./scale.js";
import { closest, countsAt, moved, pointed } from "./steps.js";
import { figures, spoken } from "./words.js";

/** @import { Component, ThresholdData } from "../data.js" */
/** @import { Measuring } from "./words.js" */

const RESTS = 200; // milliseconds without a move after which the pictures follow
const SETTLES = 600; // and after the last key, the threshold is set
const REACH = 6; // pixels within which a pointer means a named threshold

/** @type {WeakMap<Node, ThresholdChart>} */
const charts = new WeakMap();

/** @param {Component<ThresholdData>} component */
export default function mount({ parentElement, data, setStateValue }) {
  let chart = charts.get(parentElement);
  if (!chart) charts.set(parentElement, (chart = new ThresholdChart(parentElement)));
  chart.update(data, (name, value) => setStateValue(name, { ...value, event: newId() }));
}

class ThresholdChart {
  /** @param {ParentNode} parent */
  constructor(parent) {
    const root = add(parent, "div", "threshold");
    this.plot = new Plot(root, (value) => this.choose(value));
    this.figures = add(root, "dl", "figures");
    this.beside = new Beside(root, (row, among) => this.send("picked", { row, among }));
    /** @type {ThresholdData} */
    this.data = /** @type {any} */ (null); // until the first update, before which nothing happens
    this.send = (/** @type {string} */ _name, /** @type {object} */ _value) => {};
    this.at = 0;
    /** Where a drag began; null where nothing is dragged. @type {number | null} */
    this.from = null;
    /** The threshold that was set and that the page has not answered yet. @type {number | null} */
    this.sent = null;
    this.rests = 0;
    this.settles = 0;
    this.listen();
  }

  /**
   * @param {ThresholdData} data
   * @param {(name: string, value: object) => void} send
   */
  update(data, send) {
    this.data = data;
    this.send = send;
    if (data.value === this.sent) this.sent = null;
    this.plot.draw(data);
    this.beside.update(data.answering);
    if (this.from === null && !this.settles) this.at = closest(data.thresholds, this.sent ?? data.value);
    this.show(0);
  }

  /** Whether what is measured is about the threshold in sight. @returns {Measuring} */
  get measuring() {
    if (this.from !== null || this.settles) return "moving";
    return this.sent === null ? "measured" : "pending";
  }

  /** @param {number} [rests] milliseconds until the pictures follow */
  show(rests = RESTS) {
    const { data } = this;
    const counts = countsAt(data, this.at);
    this.plot.place(data.histogram, counts.value, spoken(counts));
    const lines = figures(data, counts, this.measuring).map(([name, value, note]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, value), element("dd", { className: "note" }, note)),
    );
    this.figures.replaceChildren(...lines);
    clearTimeout(this.rests);
    this.rests = window.setTimeout(() => {
      void this.beside.load(data.attribute, counts.value, data.version);
    }, rests);
  }

  /** Set the threshold in sight, unless it is set. */
  set() {
    clearTimeout(this.settles);
    this.settles = 0;
    const value = this.data.thresholds[this.at];
    if (value !== (this.sent ?? this.data.value)) {
      this.sent = value;
      this.send("cut", { value });
    }
    this.show();
  }

  /** @param {number} value a named threshold */
  choose(value) {
    this.at = closest(this.data.thresholds, value);
    this.set();
  }

  listen() {
    const { field, handle } = this.plot;
    field.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      field.setPointerCapture(event.pointerId);
      this.from = this.at;
      handle.focus({ preventScroll: true });
      this.follow(event);
    });
    field.addEventListener("pointermove", (event) => this.from !== null && this.follow(event));
    field.addEventListener("pointerup", () => {
      if (this.from === null) return;
      this.from = null;
      this.set();
    });
    field.addEventListener("pointercancel", () => this.giveUp());
    handle.addEventListener("keydown", (event) => this.press(event));
    handle.addEventListener("blur", () => this.settles && this.set());
  }

  /** @param {PointerEvent} event */
  follow(event) {
    const { histogram, thresholds, certified, marks } = this.data;
    const box = this.plot.field.getBoundingClientRect();
    const valueAt = (/** @type {number} */ x) => scoreAt(histogram, (100 * x) / Math.max(box.width, 1));
    const named = [...marks.map(({ value }) => value), ...thresholds.filter((_, at) => certified[at])];
    const reach = valueAt(REACH) - valueAt(0);
    this.at = pointed(thresholds, named, valueAt(event.clientX - box.left), reach);
    this.show();
  }

  /** Go back to where the drag began. */
  giveUp() {
    if (this.from === null) return;
    this.at = this.from;
    this.from = null;
    this.show();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.key === "Escape") this.giveUp();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = moved(this.at, event.key, this.data.thresholds.length);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation(); // the page handles these keys too
    this.at = to;
    clearTimeout(this.settles);
    this.settles = window.setTimeout(() => this.set(), SETTLES);
    this.show();
  }
}
