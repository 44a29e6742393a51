// Keys, handled before anything else on the page, since Streamlit binds plain letters (c, r). Input fields keep theirs.

import { answerKeys, answerOf, isField } from "../keys/presets.js";
import { NO, UNSURE, YES } from "./labels.js";

/** @import { Answer } from "../data.js" */
/** @import { Preset } from "../keys/presets.js" */
/** @import { LabelGrid } from "./label_grid.js" */

const CONTROLS = "button, a[href], summary, [role=button], [role=tab], [role=radio], [role=option], [role=menuitem]";

/** @type {Record<string, (grid: LabelGrid) => void>} */
const KEYS = {
  ArrowLeft: (grid) => grid.focus(grid.at - 1),
  ArrowRight: (grid) => grid.focus(grid.at + 1),
  ArrowUp: (grid) => void (grid.at >= grid.columns && grid.focus(grid.at - grid.columns)),
  ArrowDown: (grid) => void (grid.at + grid.columns < grid.cells.length && grid.focus(grid.at + grid.columns)),
  Home: (grid) => grid.focus(0),
  End: (grid) => grid.focus(grid.cells.length - 1),
  " ": (grid) => grid.toggle(grid.cells[grid.at].row),
  a: (grid) => grid.markAll(YES),
  x: (grid) => grid.markAll(NO),
  r: (grid) => grid.markRest(YES),
  o: (grid) => grid.turnSingle(),
  g: (grid) => grid.turnFlag(grid.cells[grid.at].row),
  m: (grid) => grid.write(grid.cells[grid.at].row, "comment"),
  b: (grid) => grid.write(grid.cells[grid.at].row, "unjudgeable"),
  p: (grid) => grid.turnSkip(grid.cells[grid.at].row),
  v: (grid) => (grid.large.open ? grid.large.close() : grid.enlarge(grid.cells[grid.at].row)),
  z: (grid) => grid.undo(),
  Enter: (grid) => (grid.large.open ? grid.large.close() : grid.submit()),
};
const ONCE = new Set(["Enter", "z", "v", "a", "x", "r", "o", "g", "m", "b", "p", " "]); // not repeated while the key is held down

/** @type {(answer: Answer) => (grid: LabelGrid) => void} */
const answering = (answer) =>
  answer === UNSURE ? (grid) => grid.turnUnsure(grid.cells[grid.at].row) : (grid) => grid.step(answer);

/**
 * What each key does under a preset, in the order of the help.
 *
 * @param {Preset} preset
 * @param {boolean} skips whether pictures may be skipped
 * @returns {[string, string][]}
 */
export function hintsOf(preset, skips) {
  /** @type {[string, string][]} */
  const skip = skips ? [["P", "skip"]] : [];
  return [
    ["← ↑ → ↓", "move"],
    ...answerKeys(preset),
    ["space", "toggle"],
    ["A", "all yes"],
    ["X", "all no"],
    ["R", "rest yes"],
    ["O", "one at a time"],
    ["G", "flag"],
    ["M", "note to the reviewer"],
    ["B", "cannot be judged"],
    ...skip,
    ["V", "enlarge"],
    ["Z", "undo"],
    ["Enter", "save"],
  ];
}

/**
 * What a key does. Undefined leaves it to the page; null keeps it from the page and does nothing.
 *
 * @param {string} key
 * @param {object} about
 * @param {"own" | "foreign" | null} about.control whether a button or the like has the focus: ours, or one of the page
 * @param {boolean} about.finished whether the last page is submitted
 * @param {boolean} about.repeat whether the key is held down
 * @param {Preset} about.preset the keys that answer
 * @returns {((grid: LabelGrid) => void) | null | undefined}
 */
export function effectOf(key, { control, finished, repeat, preset }) {
  const name = key.length === 1 ? key.toLowerCase() : key;
  if (control === "own" && (name === "Enter" || name === " ")) return undefined;
  if (control === "foreign" && (name.length > 1 || name === " ")) return undefined;
  const answer = answerOf(preset, name);
  const own = answer === undefined ? KEYS[name] : answering(answer);
  const does = finished && name !== "z" ? undefined : own;
  if (!does) return keptFromPage(name);
  return repeat && (ONCE.has(name) || answer === UNSURE) ? () => {} : does;
}

/**
 * What a key does that the grid does not use: letters are the page's shortcuts, and kept from it.
 *
 * @param {string} key
 */
const keptFromPage = (key) => (/^[a-z]$/i.test(key) ? null : undefined);

/**
 * @param {LabelGrid} grid
 * @param {KeyboardEvent} event
 */
export function onKey(grid, event) {
  const target = event.composedPath()[0];
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!(target instanceof Element) || isField(target) || !grid.box.checkVisibility()) return;
  if (document.querySelector("[aria-modal=true]")) return; // a dialog of the page is open
  const focused = target.closest(CONTROLS);
  const control = focused && (grid.box.contains(focused) ? "own" : "foreign");
  const { preset } = grid.parts.keys;
  const does =
    grid.parts.guidelines.large.open || grid.remarks.open
      ? keptFromPage(event.key)
      : effectOf(event.key, { control, finished: grid.labels.finished, repeat: event.repeat, preset });
  if (does === undefined) return;
  event.stopImmediatePropagation();
  if (!does || grid.isArriving) return;
  event.preventDefault();
  does(grid);
}
