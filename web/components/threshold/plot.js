// The drawn histogram: named thresholds in lanes on top, outlines, axes, the legend and the handle.

import { add, element } from "../dom.js";
import { decimal, whole } from "../numbers.js";
import { across, countTicks, down, outline, scoreTicks } from "./scale.js";

/** @import { Histogram, ThresholdData } from "../data.js" */

const SVG = "http://www.w3.org/2000/svg";

export class Plot {
  /**
   * @param {ParentNode} parent
   * @param {(value: number) => void} choose a named threshold
   */
  constructor(parent, choose) {
    this.choose = choose;
    this.lanes = add(parent, "div", "lanes");
    this.field = add(parent, "div", "field");
    this.back = add(this.field, "div", "back");
    this.lines = add(this.field, "div", "lines");
    this.accepted = add(this.field, "div", "accepted");
    add(this.accepted, "span", "", "accepted →");
    this.handle = add(this.field, "div", "handle");
    const about = { role: "slider", tabindex: "0", "aria-label": "Threshold", "aria-orientation": "horizontal" };
    for (const [name, value] of Object.entries(about)) this.handle.setAttribute(name, value);
    this.value = add(this.handle, "span", "value");
    this.axis = add(parent, "div", "axis");
    this.legend = add(parent, "div", "legend");
    this.drawn = "";
  }

  /** @param {ThresholdData} data */
  draw(data) {
    const content = JSON.stringify([data.histogram, data.marks, data.certified, data.target]);
    if (content === this.drawn) return;
    this.drawn = content;
    this.drawBars(data.histogram);
    this.drawMarks(data);
    const { thresholds } = data;
    this.handle.setAttribute("aria-valuemin", String(thresholds[0]));
    this.handle.setAttribute("aria-valuemax", String(thresholds[thresholds.length - 1]));
  }

  /** @param {Histogram} histogram */
  drawBars(histogram) {
    const svg = document.createElementNS(SVG, "svg");
    for (const [name, value] of [
      ["viewBox", "0 0 100 100"],
      ["preserveAspectRatio", "none"],
      ["aria-hidden", "true"],
    ])
      svg.setAttribute(name, value);
    this.back.replaceChildren();
    for (const tick of countTicks(histogram)) {
      const line = add(this.back, "span", "tick", whole(tick));
      line.style.top = `${down(histogram, tick)}%`;
    }
    this.legend.replaceChildren();
    for (const bars of histogram.bars) {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", outline(histogram, bars));
      path.style.setProperty("--colour", bars.colour);
      svg.append(path);
      const key = add(this.legend, "span", "key", bars.name);
      key.style.setProperty("--colour", bars.colour);
    }
    this.back.append(svg);
    const title = element("span", { className: "title" }, histogram.title);
    const ticks = scoreTicks(histogram).map((tick) => {
      const places = Number.isInteger(tick) ? 0 : 2;
      const label = element("span", { className: "score" }, decimal(tick, places));
      label.style.left = `${across(histogram, tick)}%`;
      return label;
    });
    this.axis.replaceChildren(...ticks, title);
  }

  /**
   * A lane for each named threshold, and one for those that are certified.
   *
   * @param {ThresholdData} data
   */
  drawMarks({ histogram, marks, thresholds, certified, target }) {
    this.lanes.replaceChildren();
    this.lines.replaceChildren();
    marks.forEach(({ name, value }, number) => {
      const place = across(histogram, value);
      const lane = add(this.lanes, "div", "lane");
      const flag = add(lane, "button", `flag kind-${number % 2}${place > 50 ? " left" : ""}`, name);
      flag.title = `${name}: ${decimal(value, 3)}. Set the threshold there.`;
      flag.setAttribute("type", "button");
      flag.style.left = `${place}%`;
      flag.addEventListener("click", () => this.choose(value));
      const line = add(this.lines, "i", `kind-${number % 2}`);
      line.style.left = `${place}%`;
      line.style.setProperty("--lanes", String(marks.length - number));
    });
    const passed = thresholds.filter((_, at) => certified[at]).map((value) => across(histogram, value));
    if (!passed.length) return;
    const lane = add(this.lanes, "div", "lane");
    for (const place of passed) add(lane, "i", "pass").style.left = `${place}%`;
    const left = passed[0] > 100 - passed[passed.length - 1]; // on the side with more room
    const label = add(lane, "span", `flag${left ? " left" : ""}`, `✓ Certified for ${target}`);
    label.style.left = `${left ? passed[0] : passed[passed.length - 1]}%`;
  }

  /**
   * @param {Histogram} histogram
   * @param {number} value
   * @param {string} words
   */
  place(histogram, value, words) {
    const left = across(histogram, value);
    this.handle.style.left = `${left}%`;
    this.handle.classList.toggle("late", left > 85);
    this.handle.classList.toggle("early", left < 15);
    this.accepted.style.left = `${left}%`;
    this.value.textContent = decimal(value, 3);
    this.handle.setAttribute("aria-valuenow", String(value));
    this.handle.setAttribute("aria-valuetext", words);
  }
}
