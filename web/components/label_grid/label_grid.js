// The labelling grid: pages of pictures, marked by key, click or touch, and submitted by Enter.

import { element } from "../dom.js";
import { newId } from "../ids.js";
import { onKey } from "./keys.js";
import { labelsOf, NO, SKIP, UNSURE, YES } from "./labels.js";
import { NONE, sharedOutbox } from "./outbox.js";
import { makeParts } from "./parts.js";
import { addresses, Cell, LargeView } from "./pictures.js";
import { plan } from "./plan.js";
import { RemarkDialog } from "./remarks.js";
import { drawState, SETTLING } from "./drawn_state.js";

/** @import { Mark, Component, LabelGridData, Remark, RemarkKind } from "../data.js" */
/** @import { Given } from "./labels.js" */

const SIZES = [104, 156, 248]; // minimum width of a cell in pixels: small, medium, large
const PAGES_AHEAD = 3;

export class LabelGrid {
  /**
   * @param {ParentNode} root
   * @param {LabelGridData} data
   */
  constructor(root, data) {
    this.outbox = sharedOutbox();
    const assignments = new Set(data.images.map(({ assignment }) => assignment));
    this.labels = labelsOf(
      data,
      this.outbox.of(assignments).flatMap((batch) => batch.answers),
    );
    this.version = data.version;
    this.large = new LargeView(() => this.focus(this.at));
    this.remarks = new RemarkDialog({
      tell: (row, remark) => this.tell(row, remark),
      closed: () => this.focus(this.at),
    });
    const on = {
      submit: () => this.submit(),
      undo: () => this.undo(),
      back: () => this.turnTo(this.labels.page - 1),
      resized: () => this.layOut(),
      turnSingle: () => this.turnSingle(),
      refocus: () => this.focus(this.at),
      showNewer: () => this.turnTo(this.labels.newerPage),
    };
    this.parts = makeParts(on, this.large.box, { begins: this.labels.page === 0, skips: data.skips });
    this.box = this.parts.box;
    this.box.append(this.remarks.box);
    root.append(this.box);
    /** @type {Component<LabelGridData>["setTriggerValue"]} */
    this.notifyPython = () => {};
    /** Ends listening; null while the grid is not on the page. @type {AbortController | null} */
    this.resting = null;
    /** @type {IntersectionObserver | undefined} */
    this.views = undefined;
    /** The pictures of the next page. @type {{ page: number, images: HTMLImageElement[] } | undefined} */
    this.ahead = undefined;
    /** @type {Cell[]} */
    this.cells = [];
    this.columns = 0;
    this.at = 0;
    this.again = false;
    this.spent = 0;
    /** When the page became visible. @type {number | null} */
    this.since = null;
    this.shownAt = 0;
    /** The frame in which what has loaded is drawn, or 0. */
    this.frame = 0;
    /** Whether its pictures have taken the place of another task's, for which a key may have been meant. */
    this.follows = false;
    /** How many pictures were in hand when more were asked for. */
    this.awaited = 0;
    this.showPage();
  }

  // Lifecycle: a rerun of the script calls update, leaving the page calls rest

  /**
   * @param {LabelGridData} data
   * @param {Component<LabelGridData>["setTriggerValue"]} notifyPython
   */
  update(data, notifyPython) {
    const { question, guidelines, keys, grid } = this.parts;
    const { labels } = this;
    const { finished } = labels;
    const inHand = labels.images.length;
    this.notifyPython = notifyPython;
    labels.update(data);
    this.version = data.version;
    question.textContent = data.question;
    guidelines.show(data.instructions, data.examples, data.version);
    keys.refresh();
    grid.setAttribute("aria-label", data.question);
    if (finished && labels.images.length > inHand) this.turnTo(labels.nextOpen(-1));
    else if (labels.imagesOf(labels.page).length !== this.cells.length) this.showPage();
    this.refresh();
  }

  listen() {
    if (this.resting) return;
    this.resting = new AbortController();
    const { signal } = this.resting;
    document.addEventListener("keydown", (event) => onKey(this, event), { capture: true, signal });
    document.addEventListener("visibilitychange", () => this.tick(), { signal });
    const refresh = () => {
      this.showNewer();
      this.refresh();
    };
    this.outbox.listeners.add(refresh);
    const sizes = new ResizeObserver(() => this.layOut());
    sizes.observe(this.parts.grid);
    signal.addEventListener("abort", () => {
      this.outbox.listeners.delete(refresh);
      sizes.disconnect();
    });
    this.tick();
    this.layOut();
  }

  rest() {
    this.tick();
    this.resting?.abort();
    this.resting = null;
    for (const one of [this.large, this.parts.guidelines.large, this.remarks]) if (one.open) one.close();
  }

  remove() {
    this.rest();
    cancelAnimationFrame(this.frame);
    this.views?.disconnect();
    this.box.remove();
  }

  /** Whether the first page of a task is only just replacing another task's: a key pressed now was meant for that. */
  get isArriving() {
    const unseen = this.cells.every(({ state }) => state === "loading");
    return this.follows && (unseen || performance.now() - this.shownAt < SETTLING);
  }

  // The current page

  showPage() {
    const { labels } = this;
    const images = labels.imagesOf(labels.page);
    const on = {
      toggle: (/** @type {number} */ row) => this.toggle(row),
      unsure: (/** @type {number} */ row) => this.turnUnsure(row),
      skip: labels.skips ? (/** @type {number} */ row) => this.turnSkip(row) : null,
      enlarge: (/** @type {number} */ row) => this.enlarge(row),
      remark: (/** @type {number} */ row) => this.write(row, "flag"),
      settled: () => this.refreshSoon(),
    };
    this.again = images.length > 0 && labels.unanswered(images) === 0;
    this.cells = [];
    for (const image of images) this.cells.push(new Cell(image, this.version, this.cells.length + 1, on));
    this.at = 0;
    this.columns = 0;
    this.spent = 0;
    this.since = null;
    this.shownAt = performance.now();
    this.tick();
    this.watch();
    this.layOut();
    setTimeout(() => this.refresh(), SETTLING + 20);
  }

  /**
   * Show another page, scroll to it and focus its first picture.
   *
   * @param {number} page
   */
  turnTo(page) {
    this.follows = false;
    const { unheard, grid, done } = this.parts;
    this.labels.goTo(page);
    this.showPage();
    this.refresh();
    unheard.textContent = this.labels.finished ? "" : `Page ${page + 1} of ${this.labels.pages}`;
    if (grid.getBoundingClientRect().top < 0) (this.labels.finished ? done : grid).scrollIntoView();
    this.focus(0);
  }

  /** A picture counts as seen once it has been visible. */
  watch() {
    this.views?.disconnect();
    /** @type {Map<Element, Cell>} */
    const cells = new Map(this.cells.map((cell) => [cell.box, cell]));
    this.views = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          const cell = cells.get(target);
          if (isIntersecting && cell) cell.seen = true;
        }
        this.refresh();
      },
      { threshold: 0.3, rootMargin: "0px 0px -40px 0px" },
    );
    for (const box of cells.keys()) this.views.observe(box);
  }

  layOut() {
    const { grid, size } = this.parts;
    const gap = parseFloat(getComputedStyle(grid).columnGap) || 0;
    const { on } = this.parts.single;
    const columns = on ? 1 : Math.max(1, Math.floor((grid.clientWidth + gap) / (SIZES[size.at] + gap)));
    grid.classList.toggle("single", on);
    if (columns === this.columns || !grid.clientWidth) return;
    this.columns = columns;
    grid.style.setProperty("--columns", String(columns));
    const root = /** @type {Document | ShadowRoot} */ (this.box.getRootNode());
    const focused = grid.contains(root.activeElement);
    const lines = [];
    for (let first = 0; first < this.cells.length; first += columns) {
      const boxes = this.cells.slice(first, first + columns).map((cell) => cell.box);
      lines.push(element("div", { className: "line", role: "row" }, ...boxes));
    }
    grid.replaceChildren(...lines);
    this.moveTo(this.at);
    if (focused) this.focus(this.at);
  }

  preload() {
    const { labels } = this;
    if (this.ahead?.page === labels.page) return;
    const after = (/** @type {number} */ pages) => (labels.page + pages) * labels.perPage;
    const next = labels.images.slice(after(1), after(1 + PAGES_AHEAD));
    const images = next.map(({ row }) => element("img", { src: addresses(row, this.version).small }));
    this.ahead = { page: labels.page, images }; // referenced, or the browser may drop them
  }

  /** Measure how long the page has been visible. */
  tick() {
    const now = performance.now();
    if (this.since !== null) this.spent += now - this.since;
    this.since = document.hidden || !this.resting ? null : now;
  }

  // Marking

  /**
   * @param {number} row
   * @param {Mark} mark
   */
  mark(row, mark) {
    const place = this.placeOf(row);
    this.moveTo(place);
    if (this.cells[place].state === "failed") return;
    this.send(this.labels.setMark(row, mark));
    this.refresh();
  }

  /** @param {number} row */
  toggle(row) {
    this.mark(row, this.labels.mark(row) === YES ? NO : YES);
  }

  /** @param {number} row */
  turnUnsure(row) {
    this.turn(row, UNSURE);
  }

  /** @param {number} row */
  turnSkip(row) {
    if (this.labels.skips) this.turn(row, SKIP);
  }

  /**
   * Mark a picture, or take the mark back.
   *
   * @param {number} row
   * @param {Mark} mark
   */
  turn(row, mark) {
    this.mark(row, this.labels.mark(row) === mark ? NO : mark);
    if (this.parts.single.on) this.focus(this.at + 1);
  }

  /** @param {Mark} mark */
  step(mark) {
    this.mark(this.cells[this.at].row, mark);
    this.focus(this.at + 1);
  }

  /** @param {Mark} mark */
  markAll(mark) {
    this.send(this.labels.setMarks(this.loadedRows(), mark));
    this.refresh();
  }

  /** @param {Mark} mark of the pictures without one */
  markRest(mark) {
    const rest = this.loadedRows().filter((row) => !this.labels.isMarked(row));
    this.send(this.labels.setMarks(rest, mark));
    this.refresh();
  }

  loadedRows() {
    return this.cells.filter((cell) => cell.state !== "failed").map((cell) => cell.row);
  }

  /** Show the pictures of the page one at a time, or all of them. */
  turnSingle() {
    this.parts.single.turn();
    this.columns = 0;
    this.layOut();
    this.focus(this.at);
  }

  undo() {
    const { row, answers } = this.labels.undo();
    if (row !== undefined) {
      this.send(answers);
      this.focus(this.placeOf(row));
      this.refresh();
    } else if (this.labels.page > 0) {
      this.turnTo(this.labels.page - 1);
    } else {
      this.parts.unheard.textContent = "This is the first page; there is nothing to undo.";
    }
  }

  /** @param {number} row */
  enlarge(row) {
    this.moveTo(this.placeOf(row));
    const image = this.labels.images.find((one) => one.row === row);
    if (image) this.large.show(image, this.version, this.labels.mark(row));
  }

  // Telling the reviewer

  /**
   * Open the dialog for a remark about a picture.
   *
   * @param {number} row
   * @param {RemarkKind} kind
   */
  write(row, kind) {
    this.moveTo(this.placeOf(row));
    this.remarks.show(row, kind, this.labels.remarks.get(row));
  }

  /**
   * Flag a picture for a decision, or take the flag back.
   *
   * @param {number} row
   */
  turnFlag(row) {
    this.tell(row, this.labels.remarks.get(row)?.kind === "flag" ? null : { kind: "flag", text: "" });
  }

  /**
   * Send a remark; what cannot be judged is marked unsure.
   *
   * @param {number} row
   * @param {Remark | null} remark null takes it back
   */
  tell(row, remark) {
    const { labels, outbox } = this;
    labels.tell(row, remark);
    const sent = { uid: newId(), row, ...(remark ?? { kind: /** @type {"none"} */ ("none"), text: "" }) };
    outbox.put(labels.assignmentOf.get(row) ?? labels.assignment, [], [sent]);
    if (remark?.kind === "unjudgeable") this.mark(row, UNSURE);
    this.refresh();
  }

  /** @param {number} row */
  placeOf(row) {
    return this.cells.findIndex((cell) => cell.row === row);
  }

  /** @param {number} place */
  moveTo(place) {
    this.at = Math.max(0, Math.min(place, this.cells.length - 1));
    for (const [index, cell] of this.cells.entries()) {
      cell.box.tabIndex = index === this.at ? 0 : -1;
      cell.box.classList.toggle("at", index === this.at);
    }
    if (this.parts.single.on) this.cells[this.at]?.sharpen();
  }

  /** @param {number} place */
  focus(place) {
    this.moveTo(place);
    if (this.large.open) return this.enlarge(this.cells[this.at].row);
    if (this.labels.finished) return this.parts.done.focus({ preventScroll: true });
    const box = this.cells[this.at]?.box;
    box?.focus({ preventScroll: true });
    return box?.scrollIntoView({ block: "nearest" });
  }

  // Submitting

  submit() {
    if (this.labels.finished) return this.refresh();
    const { does, answers } = plan(this.cells, this.labels);
    if (does === "reload") for (const cell of this.cells) cell.load();
    if (does === "scroll") this.showUnseen();
    if (does !== "save" || performance.now() - this.shownAt < SETTLING) return this.refresh();
    this.tick();
    const seconds = Math.round(this.spent / Math.max(1, answers.length)) / 1000;
    const { labels } = this;
    for (const { row } of this.cells) labels.newer.delete(row); // they were looked at
    this.send(answers, seconds);
    return this.turnTo(this.again ? labels.page + 1 : labels.nextOpen(labels.page));
  }

  /**
   * @param {Given[]} answers
   * @param {number | null} seconds that each took, null where nobody knows
   */
  send(answers, seconds = null) {
    if (!answers.length) return;
    const { labels, outbox } = this;
    const sent = answers.map((one) => ({ uid: newId(), ...one, seconds, seen: labels.answer(one.row) ?? NONE }));
    labels.give(answers);
    labels.reported = false;
    for (const assignment of labels.assignments) {
      const own = sent.filter(({ row }) => labels.assignmentOf.get(row) === assignment);
      if (own.length) outbox.put(assignment, own);
    }
  }

  showUnseen() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const place = this.cells.findIndex((cell) => cell.state === "ready" && !cell.seen);
    this.moveTo(place);
    this.cells[place].box.focus({ preventScroll: true });
    this.cells[place].box.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
  }

  /** Show answers that were given elsewhere; where nothing is marked yet, turn to their page. */
  showNewer() {
    const { labels, outbox } = this;
    const newer = outbox.takeNewer(labels.assignments);
    if (!newer.length) return;
    labels.learn(newer);
    labels.reported = false;
    if (!labels.undone.length) this.turnTo(labels.newerPage);
  }

  /** Refresh in the next frame, once for all pictures that have loaded before it. */
  refreshSoon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.refresh();
    });
  }

  refresh() {
    drawState(this);
    this.askAhead();
  }

  /** Have Python hand out further pictures before they are needed, once all answers are stored. */
  askAhead() {
    const { labels, outbox, awaited } = this;
    const inHand = labels.images.length;
    if (!labels.behind || awaited === inHand || outbox.waiting(labels.assignments).length) return;
    this.awaited = inHand;
    this.notifyPython("ahead", inHand);
  }
}
