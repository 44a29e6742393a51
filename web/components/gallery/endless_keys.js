// Keys and clicks of the endless gallery. Arrows, Page keys, Home and End move, with Shift they select; Enter opens;
// Space selects; Ctrl+A selects all, Escape none; the keys of the preset answer about the active image, Z undoes that.

import { answerKeys, answerOf } from "../keys/presets.js";

/** @import { Answer } from "../data.js" */
/** @import { Preset } from "../keys/presets.js" */
/** @import { Endless } from "./endless.js" */

/** The image that a key leads to. @type {Record<string, (gallery: Endless, i: number) => number>} */
const MOVES = {
  ArrowLeft: (gallery, i) => i - 1,
  ArrowRight: (gallery, i) => i + 1,
  ArrowUp: (gallery, i) => gallery.beyond(i, -1),
  ArrowDown: (gallery, i) => gallery.beyond(i, 1),
  PageUp: (gallery, i) => gallery.page(i, -1),
  PageDown: (gallery, i) => gallery.page(i, 1),
  Home: () => 0,
  End: (gallery) => gallery.total - 1,
};

/**
 * What each key does under a preset, in the order of the help.
 *
 * @param {Preset} preset
 * @returns {[string, string][]}
 */
export function hintsOf(preset) {
  return [["← ↑ → ↓", "move"], ...answerKeys(preset), ["Z", "undo"], ["space", "select"], ["Enter", "open"]];
}

/**
 * @param {Endless} gallery
 * @param {KeyboardEvent} event
 */
export function onKey(gallery, event) {
  const { total, active, choice } = gallery;
  if (!gallery.layout || !total || event.altKey) return;
  const all = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a";
  const move = MOVES[event.key];
  const plain = !event.ctrlKey && !event.metaKey && gallery.answering.about;
  const answer = plain ? answerOf(gallery.parts.keys.preset, event.key) : undefined;
  if (all) gallery.choose(0, total, true);
  else if (move) gallery.step(move(gallery, active), event.shiftKey);
  else if (event.key === "Enter") gallery.openImage(active);
  else if (event.key === " ") gallery.choose(active, active + 1, !choice.has(active));
  else if (answer !== undefined) gallery.answer(active, answer);
  else if (plain && event.key.toLowerCase() === "z") gallery.answering.undo();
  else if (event.key === "Escape" && choice.count) gallery.choose(0, total, false);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/**
 * @param {Endless} gallery
 * @param {MouseEvent} event
 */
export function onClick(gallery, event) {
  const target = /** @type {Element} */ (event.target);
  const cell = target.closest(".cell");
  if (!(cell instanceof HTMLElement)) return;
  const index = Number(cell.dataset.index);
  const before = gallery.active;
  gallery.focus(index, false);
  const answer = target.closest("[data-answer]");
  if (answer instanceof HTMLElement) gallery.answer(index, /** @type {Answer} */ (Number(answer.dataset.answer)));
  else if (event.shiftKey) gallery.choose(Math.min(before, index), Math.max(before, index) + 1, true);
  else if (event.ctrlKey || event.metaKey || target.closest(".choose")) {
    gallery.choose(index, index + 1, !gallery.choice.has(index));
  } else gallery.openImage(index);
}
