// The parts of the grid around its pictures: the question, the guidelines, the size, the buttons, the words.

import { element } from "../dom.js";
import { makeKeyHelp } from "../keys/help.js";
import { local } from "../store.js";
import { Guidelines } from "./examples.js";
import { hintsOf } from "./keys.js";

const SIZE_KEY = "bam.grid.size";
const SINGLE_KEY = "bam.grid.single";
const SIZE_NAMES = ["small", "medium", "large"];

/** @typedef {ReturnType<typeof makeParts>} Parts */

/**
 * @param {{ submit: () => void, undo: () => void, back: () => void, resized: () => void,
 *   turnSingle: () => void, refocus: () => void, showNewer: () => void }} on
 * @param {HTMLElement} large the dialog of the large view
 * @param {object} about
 * @param {boolean} about.begins whether nothing is answered yet, so that the guidelines are worth their room
 * @param {boolean} about.skips whether pictures may be skipped
 */
export function makeParts(on, large, { begins, skips }) {
  const question = element("div", { className: "question", role: "heading", ariaLevel: "2" });
  const guidelines = new Guidelines(begins, on.refocus);
  const size = makeSlider(on.resized);
  const single = makeSingle(on.turnSingle);
  const progress = element("div", { className: "progress" });
  const filled = element("div");
  const grid = element("div", { className: "grid", role: "grid" });
  const done = element("div", { className: "done", hidden: true, tabIndex: -1 });
  const save = element("button", { className: "save", type: "button" });
  const undo = element("button", { className: "undo", type: "button", title: "Undo (Z)" }, "Undo");
  const back = element("button", { className: "back", type: "button" }, "Previous page");
  const state = element("span", { className: "state", role: "status" });
  const notice = element("p", { className: "notice", hidden: true });
  const unheard = element("div", { className: "unheard", ariaLive: "polite" });
  save.addEventListener("click", on.submit);
  undo.addEventListener("click", on.undo);
  back.addEventListener("click", on.back);
  const newerText = element("span");
  const showNewer = element("button", { type: "button" }, "Show them");
  showNewer.addEventListener("click", on.showNewer);
  const newer = element("div", { className: "newer", role: "alert", hidden: true }, newerText, showNewer);
  const keys = makeKeyHelp((preset) => hintsOf(preset, skips), on.refocus);
  const bar = element("div", { className: "bar" }, save, undo, back, state, keys.box, notice);
  const track = element("div", { className: "track", ariaHidden: "true" }, filled);
  const top = element("div", { className: "top" }, question, progress, single.box, size.box, track);
  const around = { className: "bam" };
  const box = element("div", around, top, guidelines.box, newer, grid, done, bar, unheard, large);
  return {
    box,
    question,
    guidelines,
    size,
    single,
    progress,
    filled,
    grid,
    done,
    save,
    undo,
    back,
    state,
    notice,
    newer,
    newerText,
    showNewer,
    unheard,
    keys,
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
 * The button that shows the pictures one at a time, or the whole page.
 *
 * @param {() => void} turned
 */
function makeSingle(turned) {
  const about = { type: "button", className: "one", title: "Show one picture at a time (O)" };
  const box = element("button", about, "One at a time");
  const single = {
    box,
    on: local.read(SINGLE_KEY) === true,
    turn: () => {
      single.on = !single.on;
      local.write(SINGLE_KEY, single.on);
      box.ariaPressed = String(single.on);
    },
  };
  box.ariaPressed = String(single.on);
  box.addEventListener("click", turned);
  return single;
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
