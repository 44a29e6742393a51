// The state of a task: the pictures in hand, of one assignment or several, the answers given, the marks on the current
// page, and the undo history. Knows nothing of the DOM. A picture without a mark counts as no. A mark is saved with its page; an answer that is changed, at once.

import { local } from "../store.js";

/** @import { Mark, LabelGridData, LabelImage, Remark } from "../data.js" */
/** @import { Store } from "../store.js" */
/** @typedef {{ row: number, answer: Mark }} Given */
/** A picture and the mark or answer it should have. @typedef {[row: number, mark: Mark | undefined]} Change */

/** @type {Mark} */
export const YES = 1;
/** @type {Mark} */
export const NO = 0;
/** @type {Mark} */
export const UNSURE = -1;

/** The picture is somebody else's to answer. @type {Mark} */
export const SKIP = -3;

export const MARK_NAMES = new Map([
  [YES, "yes"],
  [NO, "no"],
  [UNSURE, "unsure"],
  [SKIP, "skipped"],
]);

/** @typedef {Pick<Store, "read" | "write" | "remove">} Drafts */

export class Labels {
  /**
   * @param {LabelGridData} data
   * @param {Given[]} waiting earlier answers to these pictures that are not stored yet
   * @param {Drafts} [drafts] where marks that are not submitted are kept
   */
  constructor(data, waiting, drafts = local) {
    this.assignment = data.assignment;
    this.drafts = drafts;
    this.draftKey = `bam.marks.${this.assignment}`;
    /** Answers given in this browser, which override the known ones. */
    this.given = new Map(waiting.map(({ row, answer }) => [row, answer]));
    /** @type {LabelImage[]} */
    this.images = [];
    /** The assignment of each picture that was ever in hand. @type {Map<number, string>} */
    this.assignmentOf = new Map();
    /** Pictures of the task that were answered before these. */
    this.before = 0;
    /** Pictures of the task that come after these. */
    this.left = 0;
    this.perPage = 1;
    this.pages = 0;
    /** Whether pictures may be skipped. */
    this.skips = true;
    /** Answers stored by the server. @type {Map<number, Mark>} */
    this.known = new Map();
    /** What the annotator tells the reviewer. @type {Map<number, Remark>} */
    this.remarks = new Map();
    this.update(data);
    /** @type {Map<number, Mark>} */
    this.marks = new Map(drafts.read(this.draftKey) ?? []);
    /** Pictures whose answer was given elsewhere, until they are answered here. @type {Set<number>} */
    this.newer = new Set();
    /** What each change replaced, the last one last. @type {Change[][]} */
    this.undone = [];
    this.submitted = waiting.length > 0;
    /** Whether Python knows that the assignment is finished. */
    this.reported = false;
    this.page = this.nextOpen(-1);
  }

  /** @param {LabelGridData} data */
  update(data) {
    this.images = data.images;
    this.perPage = data.per_page;
    this.pages = Math.ceil(this.images.length / this.perPage);
    this.before = data.before;
    this.left = data.left;
    this.skips = data.skips;
    this.known = new Map();
    for (const { row, answer, assignment, remark } of this.images) {
      if (remark && !this.assignmentOf.has(row)) this.remarks.set(row, remark); // later ones are made here
      this.assignmentOf.set(row, assignment);
      if (answer !== null) this.known.set(row, answer);
    }
  }

  /** The assignments of the pictures in hand, and of those that were. */
  get assignments() {
    return new Set(this.assignmentOf.values());
  }

  /** The pictures of the task that are this annotator's. */
  get total() {
    return this.before + this.images.length + this.left;
  }

  /** The pages of the pictures in hand, and of those that come. */
  get allPages() {
    return Math.ceil((this.images.length + this.left) / this.perPage);
  }

  /** Whether the page after this one lacks pictures that are to come. */
  get behind() {
    return this.left > 0 && this.images.length < (this.page + 2) * this.perPage;
  }

  get finished() {
    return this.page >= this.pages;
  }

  /** @param {number} page */
  imagesOf(page) {
    return this.images.slice(page * this.perPage, (page + 1) * this.perPage);
  }

  /** @param {number} row */
  answer(row) {
    return this.given.get(row) ?? this.known.get(row);
  }

  /** @param {number} row */
  mark(row) {
    return this.chosen(row) ?? NO;
  }

  /** @param {number} row */
  chosen(row) {
    return this.marks.get(row) ?? this.answer(row);
  }

  /**
   * Whether a picture was marked or answered: a no that somebody chose, and not one for want of a mark.
   *
   * @param {number} row
   */
  isMarked(row) {
    return this.chosen(row) !== undefined;
  }

  /** How many of the pictures in hand are skipped. */
  get skipped() {
    return this.images.filter(({ row }) => this.answer(row) === SKIP).length;
  }

  unanswered(images = this.images) {
    return images.filter(({ row }) => this.answer(row) === undefined).length;
  }

  /**
   * The first page after `page` with an unanswered picture; the number of pages if there is none.
   *
   * @param {number} page
   */
  nextOpen(page) {
    let next = page + 1;
    while (next < this.pages && !this.unanswered(this.imagesOf(next))) next += 1;
    return Math.min(next, this.pages);
  }

  /**
   * @param {number} row
   * @param {Mark} mark
   */
  setMark(row, mark) {
    return this.setMarks([row], mark);
  }

  /**
   * Mark pictures, which one undo takes back; return the answers that this changes, to be given.
   *
   * @param {number[]} rows
   * @param {Mark} mark
   */
  setMarks(rows, mark) {
    const changed = rows.filter((row) => this.chosen(row) !== mark);
    if (!changed.length) return [];
    this.undone.push(changed.map((row) => [row, this.chosen(row)]));
    return this.change(changed.map((row) => [row, mark]));
  }

  /** Undo the last marks; return their first row, undefined without one, and the answers that this changes. */
  undo() {
    const last = this.undone.pop() ?? [];
    return { row: last[0]?.[0], answers: this.change(last) };
  }

  /**
   * Mark the pictures without an answer; return the new answers of the others.
   *
   * @param {Change[]} changes
   * @returns {Given[]}
   */
  change(changes) {
    const answers = [];
    for (const [row, mark] of changes) {
      this.marks.delete(row);
      if (mark === undefined) continue;
      if (this.answer(row) === undefined) this.marks.set(row, mark);
      else answers.push({ row, answer: mark });
    }
    this.keepMarks();
    return answers;
  }

  keepMarks() {
    if (this.marks.size) this.drafts.write(this.draftKey, [...this.marks]);
    else this.drafts.remove(this.draftKey);
  }

  /**
   * The answers that submitting these rows would store: new ones and corrections.
   *
   * @param {number[]} rows
   * @returns {Given[]}
   */
  toSave(rows) {
    return rows.filter((row) => this.answer(row) !== this.mark(row)).map((row) => ({ row, answer: this.mark(row) }));
  }

  /** @param {Given[]} answers */
  give(answers) {
    for (const { row, answer } of answers) {
      this.given.set(row, answer);
      this.marks.delete(row);
      this.newer.delete(row);
    }
    this.keepMarks();
    this.submitted ||= answers.length > 0;
  }

  /**
   * Show answers that were given elsewhere in place of those of this page.
   *
   * @param {{ row: number, answer: Mark | null }[]} newer
   */
  learn(newer) {
    for (const { row, answer } of newer) {
      this.marks.delete(row);
      this.given.delete(row);
      if (answer === null) this.known.delete(row);
      else this.given.set(row, answer);
      this.newer.add(row);
    }
  }

  /**
   * @param {number} row
   * @param {Remark | null} remark
   */
  tell(row, remark) {
    if (remark) this.remarks.set(row, remark);
    else this.remarks.delete(row);
  }

  /** The first page with an answer that was given elsewhere; -1 if there is none. */
  get newerPage() {
    const place = this.images.findIndex(({ row }) => this.newer.has(row));
    return place < 0 ? -1 : Math.floor(place / this.perPage);
  }

  /** @param {number} page */
  goTo(page) {
    this.page = page;
    this.undone = [];
  }
}

/** @type {Map<string, Labels>} */
const instances = new Map();

/**
 * The labels of an assignment, one for the lifetime of the tab: Streamlit may mount the grid again with old data.
 *
 * @param {LabelGridData} data
 * @param {Given[]} waiting
 */
export function labelsOf(data, waiting) {
  let labels = instances.get(data.assignment);
  if (!labels) instances.set(data.assignment, (labels = new Labels(data, waiting)));
  labels.update(data);
  const last = data.review ? labels.pages - 1 : labels.pages;
  labels.goTo(Math.max(0, Math.min(labels.page, last)));
  return labels;
}
