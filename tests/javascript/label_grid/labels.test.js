import assert from "node:assert/strict";
import { test } from "node:test";

import { Labels, labelsOf as ofTab, NO, SKIP, UNSURE, YES } from "../../../web/components/label_grid/labels.js";
import { doneTexts, newerText, plan, savingState } from "../../../web/components/label_grid/plan.js";
import { Store } from "../../../web/components/store.js";
import { MemoryStorage } from "../storage.js";

/** @import { Mark } from "../../../web/components/data.js" */
/** @import { Given } from "../../../web/components/label_grid/labels.js" */
/** @import { Outbox } from "../../../web/components/label_grid/outbox.js" */
/** @import { Shown } from "../../../web/components/label_grid/plan.js" */

/**
 * Labels of ten pictures, rows 0 to 9, on pages of four.
 *
 * @param {object} [about]
 * @param {Record<number, Mark>} [about.known] answers that the server has
 * @param {Given[]} [about.waiting] answers on their way
 * @param {MemoryStorage} [about.storage]
 */
function labelsOf({ known = {}, waiting = [], storage = new MemoryStorage() } = {}) {
  const images = Array.from({ length: 10 }, (_, row) => ({
    row,
    answer: known[row] ?? null,
    title: "",
    assignment: "a",
    remark: null,
  }));
  const data = {
    assignment: "a",
    question: "Is it?",
    instructions: "",
    examples: [],
    images,
    version: "1",
    per_page: 4,
    review: false,
    skips: true,
    before: 0,
    left: 0,
  };
  return new Labels(data, waiting, new Store(() => storage));
}

/** @param {number[]} rows */
const no = (...rows) => /** @type {Record<number, Mark>} */ (Object.fromEntries(rows.map((row) => [row, NO])));

test("pages divide the pictures in order, and the last one may be shorter", () => {
  const labels = labelsOf();
  assert.equal(labels.pages, 3);
  assert.deepEqual(
    [0, 1, 2].flatMap((page) => labels.imagesOf(page).map(({ row }) => row)),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.equal(labels.imagesOf(2).length, 2);
});

test("work goes on at the first page with an unanswered picture", () => {
  assert.equal(labelsOf().page, 0);
  assert.equal(labelsOf({ known: no(0, 1, 2, 3, 5) }).page, 1);
  assert.equal(labelsOf({ known: no(0, 1, 2, 3), waiting: [4, 5, 6, 7].map((row) => ({ row, answer: YES })) }).page, 2);
  assert.equal(labelsOf({ known: no(0, 1, 2, 3, 4, 5, 6, 7, 8, 9) }).finished, true);
});

test("a picture shows its mark, else its answer, else no; an answer of this browser is newer than the server's", () => {
  const labels = labelsOf({ known: { 1: YES, 2: YES }, waiting: [{ row: 2, answer: UNSURE }] });
  assert.deepEqual(
    [0, 1, 2].map((row) => labels.mark(row)),
    [NO, YES, UNSURE],
  );
  labels.setMark(0, UNSURE);
  assert.equal(labels.mark(0), UNSURE);
  assert.equal(labels.answer(0), undefined, "a mark is no answer yet");
});

test("a changed answer is to be given at once, a mark is not, and one undo takes both back", () => {
  const storage = new MemoryStorage();
  const labels = labelsOf({ known: { 1: YES }, storage });
  const answers = labels.setMarks([0, 1], NO);
  assert.deepEqual(answers, [{ row: 1, answer: NO }]);
  labels.give(answers);
  assert.deepEqual([labels.mark(0), labels.mark(1), labels.answer(0)], [NO, NO, undefined]);
  assert.deepEqual(labels.toSave([1]), []);
  assert.deepEqual(labels.undo(), { row: 0, answers: [{ row: 1, answer: YES }] });
  assert.equal(labels.isMarked(0), false);
  assert.equal(storage.length, 0, "no mark is left");
});

test("an answer after an undo is given like any other, with its page left or not", () => {
  const labels = labelsOf({ known: { 1: YES } });
  labels.give(labels.setMark(1, UNSURE));
  labels.give(labels.undo().answers);
  labels.give(labels.setMark(1, NO));
  labels.goTo(1);
  assert.equal(labels.answer(1), NO);
});

test("undo takes marks back, the last first, and knows which", () => {
  const labels = labelsOf();
  labels.setMark(1, YES);
  labels.setMark(2, UNSURE);
  labels.setMark(1, UNSURE);
  labels.setMark(1, UNSURE); // no change: nothing to undo
  assert.equal(labels.undo().row, 1);
  assert.equal(labels.mark(1), YES);
  assert.equal(labels.undo().row, 2);
  assert.equal(labels.undo().row, 1);
  assert.deepEqual([labels.mark(1), labels.mark(2)], [NO, NO]);
  assert.deepEqual(labels.undo(), { row: undefined, answers: [] });
});

test("another page has nothing to undo", () => {
  const labels = labelsOf();
  labels.setMark(1, YES);
  labels.goTo(1);
  assert.deepEqual(labels.undo(), { row: undefined, answers: [] });
  assert.equal(labels.mark(1), YES);
});

test("what would be saved with a page is what is new, and once given it is not saved again", () => {
  const labels = labelsOf({ known: { 1: YES } });
  labels.setMark(0, YES);
  labels.setMark(2, UNSURE);
  const answers = labels.toSave([0, 1, 2, 3]);
  assert.deepEqual(answers, [
    { row: 0, answer: YES },
    { row: 2, answer: UNSURE },
    { row: 3, answer: NO },
  ]);
  labels.give(answers);
  assert.deepEqual(labels.toSave([0, 1, 2, 3]), []);
  assert.equal(labels.unanswered(), 6);
  assert.equal(labels.submitted, true);
});

test("marks survive a reload until they are given", () => {
  const storage = new MemoryStorage();
  const before = labelsOf({ storage });
  before.setMark(1, YES);
  before.setMark(4, UNSURE);
  const after = labelsOf({ storage });
  assert.deepEqual([after.mark(1), after.mark(4)], [YES, UNSURE]);
  after.give(after.toSave([0, 1, 2, 3]));
  assert.equal(labelsOf({ storage }).mark(4), UNSURE);
  after.give(after.toSave([4]));
  assert.equal(storage.length, 0);
});

test("a rerun with old data takes no answer back", () => {
  const labels = labelsOf();
  labels.give([{ row: 0, answer: YES }]);
  labels.update({
    ...labelsOf(),
    assignment: "a",
    question: "",
    instructions: "",
    examples: [],
    version: "1",
    per_page: 4,
    review: false,
    skips: true,
    before: 0,
    left: 0,
  });
  assert.equal(labels.answer(0), YES);
});

// The plan: what Enter does

/**
 * @param {Partial<Shown>[]} cells
 * @returns {Shown[]}
 */
const shown = (cells) => cells.map((cell, row) => ({ row, state: "ready", seen: true, ...cell }));

test("Enter waits until every picture has loaded or failed", () => {
  const { does, text } = plan(shown([{}, { state: "loading" }, { state: "failed" }]), labelsOf());
  assert.deepEqual([does, text], ["wait", "Loading 2 of 3 pictures"]);
});

test("Enter saves nothing that nobody has seen", () => {
  const { does, text } = plan(shown([{}, { seen: false }, { state: "failed", seen: false }]), labelsOf());
  assert.deepEqual([does, text], ["scroll", "Scroll on: 1 picture not seen yet"]);
});

test("Enter saves the pictures that are there, and says how many of each answer", () => {
  const labels = labelsOf();
  labels.setMark(1, YES);
  labels.setMark(3, YES);
  const found = plan(shown([{}, {}, {}, { state: "failed" }]), labels);
  assert.deepEqual([found.does, found.text], ["save", "Save 1 yes, 2 no"]);
  assert.deepEqual(
    found.answers.map(({ row }) => row),
    [0, 1, 2],
  );
});

test("without any picture Enter loads them again", () => {
  assert.equal(plan(shown([{ state: "failed" }]), labelsOf()).does, "reload");
});

test("of a page that was answered nothing is left to save, and the last page says that it is the last", () => {
  const labels = labelsOf({ known: no(0, 1) });
  assert.equal(plan(shown([{}, {}]), labels).text, "Next page");
  labels.give(labels.setMark(1, UNSURE));
  assert.equal(plan(shown([{}, {}]), labels).text, "Next page", "the correction is given");
  labels.goTo(2);
  assert.equal(plan(shown([{}, {}]), labels).text, "Done");
});

// What is said of answers on their way

/**
 * @param {{ waiting?: number, refused?: number, failures?: number, extra?: number }} counts
 */
function said({ waiting = 0, refused = 0, failures = 0, extra = 0 }) {
  const labels = labelsOf();
  labels.submitted = true;
  const outbox = {
    failures,
    extraIn: () => extra,
    waiting: () => Array.from({ length: waiting }),
    refused: () => (refused ? [{ refused: "No.", answers: Array.from({ length: refused }) }] : []),
  };
  return savingState(labels, /** @type {Outbox} */ (/** @type {unknown} */ (outbox)));
}

test("answers are said to be saved, on their way, late or refused", () => {
  assert.deepEqual(said({}), { text: "All answers saved", level: "" });
  assert.deepEqual(said({ waiting: 2 }), { text: "Saving…", level: "" });
  assert.deepEqual(said({ waiting: 2, failures: 1 }), { text: "Not saved yet: 2 answers waiting", level: "late" });
  assert.equal(said({ extra: 2 }).text, "All answers saved; 2 not counted, since others were faster");
  assert.equal(said({ refused: 1, waiting: 3 }).text, "1 answer refused and kept in this browser: No.");
  const marked = labelsOf();
  marked.setMark(0, YES);
  const idle = /** @type {Outbox} */ (
    /** @type {unknown} */ ({ waiting: () => [], refused: () => [], extraIn: () => 0 })
  );
  assert.equal(savingState(marked, idle).text, "1 marked, not saved yet");
  assert.equal(
    savingState(labelsOf(), /** @type {any} */ ({ waiting: () => [], refused: () => [], extraIn: () => 0 })).text,
    "",
  );
});

test("after the last page it is said what was saved and what is missing", () => {
  assert.deepEqual(doneTexts({ saved: 10, late: 0, left: 0 }), ["All done: 10 answers saved."]);
  const texts = doneTexts({ saved: 8, late: 2, left: 1 });
  assert.equal(texts[1], "Keep this page open until everything is saved.");
  assert.equal(texts[2], "1 picture could not be loaded and stayed unanswered.");
});

test("a skipped picture is saved with its page and done, and can be answered after all", () => {
  const labels = labelsOf();
  labels.setMark(1, SKIP);
  const ready = [0, 1, 2, 3].map((row) => ({ row, state: /** @type {const} */ ("ready"), seen: true }));
  assert.equal(plan(ready, labels).text, "Save 3 no, 1 skipped");
  labels.give(labels.toSave([0, 1, 2, 3]));
  assert.deepEqual([labels.unanswered(labels.imagesOf(0)), labels.skipped, labels.nextOpen(-1)], [0, 1, 1]);
  assert.deepEqual(labels.setMark(1, YES), [{ row: 1, answer: YES }], "a correction, to be given at once");
  assert.equal(labelsOf({ known: { 2: SKIP } }).mark(2), SKIP, "as it was left");
});

test("skipped pictures are no answers among those that were saved", () => {
  assert.deepEqual(doneTexts({ saved: 9, late: 0, left: 0, skipped: 1 }), [
    "All done: 9 answers saved.",
    "1 picture skipped: somebody else is asked.",
  ]);
});

test("answers that were given elsewhere take the place of those given here, until they are answered again", () => {
  const labels = labelsOf({ known: { 5: YES } });
  labels.give([{ row: 4, answer: NO }, ...labels.setMark(5, NO)]);
  labels.learn([
    { row: 4, answer: YES },
    { row: 5, answer: null },
  ]);
  assert.deepEqual([labels.answer(4), labels.answer(5), labels.mark(5)], [YES, undefined, NO]);
  assert.equal(labels.newerPage, 1);
  labels.give([
    { row: 4, answer: NO },
    { row: 5, answer: NO },
  ]);
  assert.deepEqual([labels.answer(4), labels.newerPage], [NO, -1]);
});

test("what is said of answers given elsewhere agrees with their number", () => {
  assert.match(newerText(1), /^1 picture was answered .* That answer stands;/);
  assert.match(newerText(2), /^2 pictures were answered .* Those answers stand;/);
});

test("pictures marked at once are unmarked at once, and only a no that was chosen counts as marked", () => {
  const labels = labelsOf({ known: { 2: YES } });
  labels.setMark(0, NO);
  labels.give(labels.setMarks([0, 1, 2, 3], NO));
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((row) => labels.isMarked(row)),
    [true, true, true, true, false],
  );
  assert.deepEqual(labels.undo(), { row: 1, answers: [{ row: 2, answer: YES }] }, "0 was no before");
  labels.give([{ row: 2, answer: YES }]);
  assert.deepEqual(
    [0, 1, 2, 3].map((row) => [labels.mark(row), labels.isMarked(row)]),
    [
      [NO, true],
      [NO, false],
      [YES, true],
      [NO, false],
    ],
  );
  assert.equal(labels.undo().row, 0);
  assert.equal(labels.isMarked(0), false);
});

test("answers that are looked through again start at the last page", () => {
  const images = Array.from({ length: 10 }, (_, row) => ({
    row,
    answer: NO,
    title: "",
    assignment: "done",
    remark: null,
  }));
  const data = {
    assignment: "done",
    question: "",
    instructions: "",
    examples: [],
    images,
    version: "1",
    per_page: 4,
    review: false,
    skips: true,
    before: 0,
    left: 0,
  };
  assert.equal(ofTab(data, []).finished, true);
  assert.equal(ofTab({ ...data, review: true }, []).page, 2);
});

test("a task goes on in the next assignment: progress counts the task, and pictures are asked for a page ahead", () => {
  const labels = labelsOf();
  const image = (/** @type {number} */ row, assignment = "a") => ({
    row,
    answer: null,
    title: "",
    assignment,
    remark: null,
  });
  const data = {
    assignment: "a",
    question: "",
    instructions: "",
    examples: [],
    images: [0, 1, 2, 3, 4, 5].map((row) => image(row)),
    version: "1",
    per_page: 4,
    review: false,
    skips: true,
    before: 20,
    left: 6,
  };
  labels.update(data);
  assert.deepEqual([labels.pages, labels.allPages, labels.total, labels.behind], [2, 3, 32, true]);
  labels.update({ ...data, images: [...data.images, ...[6, 7, 8].map((row) => image(row, "b"))], left: 3 });
  assert.deepEqual([labels.pages, labels.allPages, labels.total, labels.behind], [3, 3, 32, false]);
  assert.deepEqual([labels.assignmentOf.get(5), labels.assignmentOf.get(6)], ["a", "b"]);
  assert.deepEqual(labels.assignments, new Set(["a", "b"]));
  labels.goTo(1);
  assert.equal(labels.behind, true, "the last page is not full yet");
});
