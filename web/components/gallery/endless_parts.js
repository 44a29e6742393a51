// The parts of the endless gallery: its toolbar, its frame, its status line.

import { element } from "../dom.js";
import { CHECK, CROSS, icon } from "../icons.js";
import { makeKeyHelp } from "../keys/help.js";
import { WORDS } from "./answering.js";
import { hintsOf } from "./endless_keys.js";

/** @import { Answer } from "../data.js" */

export const SIZES = { least: 64, most: 360, usual: 150 };

/** @typedef {"grid" | "rows"} Mode */
/** @typedef {ReturnType<typeof makeParts>} Parts */

/**
 * @param {string} id of the frame
 * @param {number} size of the pictures
 * @param {object} on
 * @param {(number: number) => void} on.go to the image of this number, from 1
 * @param {() => void} on.threshold go to the threshold
 * @param {(mode: Mode) => void} on.arrange
 * @param {(size: number) => void} on.resize
 * @param {() => void} on.undo the last answer
 */
export function makeParts(id, size, on) {
  const counted = element("output", { className: "counted" });
  const goTo = element("input", { type: "number", min: 1, className: "go", placeholder: "Go to #" });
  goTo.setAttribute("aria-label", "Go to the image of this number");
  goTo.addEventListener("change", () => goTo.value && on.go(Number(goTo.value)));
  const toThreshold = makeButton("To the threshold", on.threshold);
  const modes = {
    grid: makeButton("Grid", () => on.arrange("grid")),
    rows: makeButton("Rows", () => on.arrange("rows")),
  };
  const about = { className: "modes", role: "group", ariaLabel: "Arrangement" };
  const arrangement = element("span", about, modes.grid, modes.rows);
  const limits = { min: SIZES.least, max: SIZES.most, value: size };
  const slider = element("input", { type: "range", step: 10, className: "size", ...limits });
  slider.setAttribute("aria-label", "Size of the pictures");
  slider.addEventListener("input", () => on.resize(Number(slider.value)));
  const bar = element("div", { className: "bar" }, counted, goTo, toThreshold, arrangement, slider);
  const field = element("div", { className: "field", role: "presentation" });
  const marker = element("div", { className: "threshold", role: "presentation" });
  const spacer = element("div", { className: "spacer", role: "presentation" }, field, marker);
  const list = { role: "listbox", ariaLabel: "Images", "aria-multiselectable": "true" };
  const frame = element("div", { className: "frame endless", tabIndex: 0, id, ...list }, spacer);
  const said = element("span");
  const undo = makeButton("Undo (Z)", on.undo);
  undo.hidden = true;
  const status = element("div", { className: "said", role: "status" }, said, undo);
  const answers = makeAnswers();
  const keys = makeKeyHelp(hintsOf, () => frame.focus({ preventScroll: true }));
  keys.box.hidden = true;
  const all = [bar, frame, status, keys.box];
  return { all, counted, goTo, toThreshold, modes, frame, spacer, field, marker, said, undo, answers, keys };
}

/** The drawing or the letter of each answer. @type {Record<Answer, () => Node | string>} */
const SIGNS = { 1: () => icon(CHECK), 0: () => icon(CROSS), [-1]: () => "?" };

/** The buttons that answer about the image under the pointer. */
function makeAnswers() {
  const box = element("span", { className: "answers" });
  for (const [answer, word] of WORDS) {
    const button = element("button", { type: "button", tabIndex: -1, title: word, ariaLabel: word }, SIGNS[answer]());
    button.dataset.answer = String(answer);
    box.append(button);
  }
  return box;
}

/**
 * @param {string} words
 * @param {() => void} onClick
 */
function makeButton(words, onClick) {
  const button = element("button", { type: "button" }, words);
  button.addEventListener("click", onClick);
  return button;
}
