// What the grid shows of its state: marks, progress, buttons, the words after the last page.

import { element } from "../dom.js";
import { doneButtons } from "./parts.js";
import { doneTexts, many, newerText, plan, savingState } from "./plan.js";

/** @import { LabelGrid } from "./label_grid.js" */

/** Milliseconds after a new page in which Enter is ignored, as a repeat of the one before. */
export const SETTLING = 400;

/**
 * Show the state of the answers, of the page and of what is on its way.
 *
 * @param {LabelGrid} grid
 */
export function drawState(grid) {
  const { labels, outbox, parts, cells } = grid;
  const late = outbox.of(labels.assignments).flatMap((batch) => batch.answers);
  const unsaved = new Set(late.map(({ row }) => row));
  const { total } = labels;
  const inHand = labels.images.filter(({ row }) => labels.answer(row) !== undefined && !unsaved.has(row)).length;
  const saved = labels.before + inHand;
  const page = labels.finished ? "all pages" : `page ${labels.page + 1} of ${labels.allPages}`;
  parts.progress.textContent = `${page} · ${saved} of ${total} saved`;
  parts.filled.style.transform = `scaleX(${total ? saved / total : 0})`;
  for (const cell of cells) {
    cell.showRemark(labels.remarks.get(cell.row));
    cell.show(labels.mark(cell.row), { marked: labels.isMarked(cell.row), newer: labels.newer.has(cell.row) });
  }
  showNewer(grid);
  for (const part of [parts.grid, parts.save, parts.keys.box]) part.hidden = labels.finished;
  parts.bar.hidden = labels.finished && !late.length;
  parts.back.hidden = labels.finished || labels.page === 0;
  parts.undo.hidden = labels.finished || !labels.undone.length;
  parts.done.hidden = !labels.finished;
  const { text, level } = savingState(labels, outbox);
  if (parts.state.textContent !== text) parts.state.textContent = text;
  parts.state.dataset.level = level;
  if (labels.finished) showDone(grid, saved, late.length);
  else showPlan(grid);
}

/** @param {LabelGrid} grid */
function showNewer({ labels, parts }) {
  parts.newer.hidden = !labels.newer.size;
  parts.newerText.textContent = newerText(labels.newer.size);
  parts.showNewer.hidden = labels.newerPage === labels.page;
}

/** @param {LabelGrid} grid */
function showPlan(grid) {
  const { save, notice } = grid.parts;
  const { does, text } = plan(grid.cells, grid.labels);
  save.textContent = text;
  const ready = does !== "wait" && performance.now() - grid.shownAt >= SETTLING;
  save.setAttribute("aria-disabled", String(!ready));
  const failed = grid.cells.filter((cell) => cell.state === "failed").length;
  notice.hidden = !failed;
  notice.textContent = `${many(failed, "picture")} could not be loaded and will stay unanswered.`;
  if (does !== "wait") grid.preload();
  if (grid.large.open) grid.enlarge(grid.cells[grid.at].row);
}

/**
 * @param {LabelGrid} grid
 * @param {number} saved
 * @param {number} late
 */
function showDone(grid, saved, late) {
  const { labels } = grid;
  const { done } = grid.parts;
  const left = labels.unanswered();
  const { skipped } = labels;
  const texts = doneTexts({ saved: saved - skipped, late, left, skipped, more: labels.left });
  if (done.dataset.texts !== texts.join()) {
    const on = { back: () => grid.undo(), retry: () => grid.turnTo(labels.nextOpen(-1)) };
    done.replaceChildren(...texts.map((text) => element("p", {}, text)), doneButtons(left, on));
    done.dataset.texts = texts.join();
  }
  if (late || labels.reported || !labels.submitted) return;
  labels.reported = true;
  grid.notifyPython("finished", { assignment: labels.assignment, answered: saved, unanswered: left });
}
