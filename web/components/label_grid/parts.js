// The parts of the grid around its pictures: the question, the instructions, the size, the buttons, the words.

import { element } from "../dom.js";
import { local } from "../store.js";

const SIZE_KEY = "bam.grid.size";
const INSTRUCTIONS_KEY = "bam.grid.instructions";
const SIZE_NAMES = ["small", "medium", "large"];
const HINTS = [
  ["← ↑ → ↓", "move"],
  ["1", "yes"],
  ["0", "no"],
  ["space", "turn"],
  ["U", "unsure"],
  ["V", "enlarge"],
  ["Z", "undo"],
  ["Enter", "save"],
];

/** @typedef {ReturnType<typeof makeParts>} Parts */

/**
 * @param {{ submit: () => void, undo: () => void, resized: () => void, showNewer: () => void }} on
 * @param {HTMLElement} large the dialog of the large view
 */
export function makeParts(on, large) {
  const question = element("div", { className: "question", role: "heading", ariaLevel: "2" });
  const text = element("div", { className: "text" });
  const open = local.read(INSTRUCTIONS_KEY) ?? innerWidth > 600;
  const summary = element("summary", {}, "What counts");
  const instructions = element("details", { className: "instructions", open }, summary, text);
  instructions.addEventListener("toggle", () => local.write(INSTRUCTIONS_KEY, instructions.open));
  const size = makeSlider(on.resized);
  const progress = element("div", { className: "progress" });
  const filled = element("div");
  const grid = element("div", { className: "grid", role: "grid" });
  const done = element("div", { className: "done", hidden: true, tabIndex: -1 });
  const save = element("button", { className: "save", type: "button" });
  const about = { className: "back", type: "button", title: "Undo, or back to the page before (Z)" };
  const back = element("button", about, "Back");
  const state = element("span", { className: "state", role: "status" });
  const notice = element("p", { className: "notice", hidden: true });
  const unheard = element("div", { className: "unheard", ariaLive: "polite" });
  save.addEventListener("click", on.submit);
  back.addEventListener("click", on.undo);
  const newerText = element("span");
  const showNewer = element("button", { type: "button" }, "Show them");
  showNewer.addEventListener("click", on.showNewer);
  const newer = element("div", { className: "newer", role: "alert", hidden: true }, newerText, showNewer);
  const hints = element("p", { className: "hints" });
  for (const [key, does] of HINTS) hints.append(element("span", {}, element("kbd", {}, key), ` ${does}`));
  const bar = element("div", { className: "bar" }, save, back, state, hints, notice);
  const top = element("div", { className: "top" }, question, size.box);
  const track = element("div", { className: "track", ariaHidden: "true" }, filled);
  const around = { className: "bam" };
  const box = element("div", around, top, instructions, progress, track, newer, grid, done, bar, unheard, large);
  return {
    box,
    question,
    text,
    instructions,
    size,
    progress,
    filled,
    grid,
    done,
    save,
    back,
    state,
    notice,
    newer,
    newerText,
    showNewer,
    unheard,
    hints,
    bar,
  };
}

/**
 * The slider for the size of the pictures: `at` is 0, 1 or 2.
 *
 * @param {() => void} resized
 */
function makeSlider(resized) {
  const stored = local.read(SIZE_KEY);
  const size = { at: SIZE_NAMES[stored] ? stored : 1, box: document.createElement("label") };
  const slider = element("input", { type: "range", min: 0, max: SIZE_NAMES.length - 1, step: 1, value: size.at });
  const name = () => slider.setAttribute("aria-valuetext", SIZE_NAMES[size.at]);
  name();
  slider.addEventListener("input", () => {
    size.at = Number(slider.value);
    local.write(SIZE_KEY, size.at);
    name();
    resized();
  });
  size.box = element("label", { className: "size" }, "Size", slider);
  return size;
}

/**
 * The buttons after the last page.
 *
 * @param {number} left pictures without an answer
 * @param {{ back: () => void, retry: () => void }} on
 */
export function doneButtons(left, on) {
  const back = element("button", { type: "button" }, "Back to the last page");
  back.addEventListener("click", on.back);
  if (!left) return element("div", {}, back);
  const retry = element("button", { type: "button" }, "Try the missing pictures again");
  retry.addEventListener("click", on.retry);
  return element("div", {}, back, retry);
}
