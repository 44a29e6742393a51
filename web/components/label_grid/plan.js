// What Enter does in the current state of a page, and what the grid says of what is saved. Pure: no DOM.

import { MARK_NAMES } from "./labels.js";

/** @import { Given, Labels } from "./labels.js" */
/** @import { Outbox } from "./outbox.js" */
/** @typedef {{ row: number, state: "loading" | "ready" | "failed", seen: boolean }} Shown */
/** @typedef {{ does: "wait" | "reload" | "scroll" | "save", text: string, answers: Given[] }} Plan */

/**
 * @param {number} count
 * @param {string} noun
 */
export const many = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/**
 * The effect of Enter, and the words on its button.
 *
 * @param {Shown[]} cells the pictures of the page
 * @param {Labels} labels
 * @returns {Plan}
 */
export function plan(cells, labels) {
  const ready = cells.filter((cell) => cell.state === "ready");
  const settled = cells.filter((cell) => cell.state !== "loading").length;
  const all = cells.length;
  if (settled < all) return { does: "wait", text: `Loading ${settled} of ${all} pictures`, answers: [] };
  if (!ready.length) return { does: "reload", text: "Try to load the pictures again", answers: [] };
  const unseen = ready.filter((cell) => !cell.seen).length;
  if (unseen) return { does: "scroll", text: `Scroll on: ${many(unseen, "picture")} not seen yet`, answers: [] };
  const answers = labels.toSave(ready.map((cell) => cell.row));
  const text = [...MARK_NAMES]
    .map(([mark, name]) => ({ name, count: answers.filter(({ answer }) => answer === mark).length }))
    .filter(({ count }) => count)
    .map(({ name, count }) => `${count} ${name}`)
    .join(", ");
  const last = labels.page + 1 >= labels.allPages;
  return { does: "save", text: text ? `Save ${text}` : last ? "Done" : "Next page", answers };
}

/**
 * What is said of answers on their way.
 *
 * @param {Labels} labels
 * @param {Outbox} outbox
 * @returns {{ text: string, level: "" | "late" }}
 */
export function savingState(labels, outbox) {
  const waiting = outbox.waiting(labels.assignments).length;
  const [first, ...others] = outbox.refused(labels.assignments);
  if (first) {
    const count = [first, ...others].flatMap((batch) => batch.answers).length;
    return { text: `${many(count, "answer")} refused and kept in this browser: ${first.refused}`, level: "late" };
  }
  if (waiting && outbox.failures) return { text: `Not saved yet: ${many(waiting, "answer")} waiting`, level: "late" };
  if (waiting) return { text: "Saving…", level: "" };
  if (labels.marks.size) return { text: `${labels.marks.size} marked, not saved yet`, level: "" };
  const extra = outbox.extraIn(labels.assignments);
  if (extra) return { text: `All answers saved; ${extra} not counted, since others were faster`, level: "" };
  return { text: labels.submitted ? "All answers saved" : "", level: "" };
}

/**
 * What is said of pictures that were answered elsewhere.
 *
 * @param {number} count
 */
export const newerText = (count) =>
  `${many(count, "picture")} ${count === 1 ? "was" : "were"} answered in another window in the meantime. ` +
  `${count === 1 ? "That answer stands" : "Those answers stand"}; what you marked here was not saved.`;

/**
 * What is said after the last page.
 *
 * @param {{ saved: number, late: number, left: number, skipped?: number, more?: number }} counts answers stored, answers
 *   on their way, pictures without, pictures that somebody else is asked about, pictures that come next
 * @returns {string[]}
 */
export function doneTexts({ saved, late, left, skipped = 0, more = 0 }) {
  if (more && !late) return ["Loading the next pictures."];
  const texts = [late ? "That was the last page." : `All done: ${many(saved, "answer")} saved.`];
  if (skipped) texts.push(`${many(skipped, "picture")} skipped: somebody else is asked.`);
  if (late) texts.push("Keep this page open until everything is saved.");
  if (left) texts.push(`${many(left, "picture")} could not be loaded and stayed unanswered.`);
  return texts;
}
