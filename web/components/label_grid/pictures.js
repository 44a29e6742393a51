// One picture: its cell in the grid, and the large view.

import { element } from "../dom.js";
import { CHECK, CROSS, icon, LENS, PASS } from "../icons.js";
import { MARK_NAMES, NO, SKIP, UNSURE, YES } from "./labels.js";
import { wordsOf } from "./remarks.js";

/** @import { Mark, LabelImage, Remark } from "../data.js" */

/**
 * @typedef {object} CellEvents
 * @property {(row: number) => void} toggle
 * @property {(row: number) => void} unsure
 * @property {((row: number) => void) | null} skip null where pictures are not skipped
 * @property {(row: number) => void} enlarge
 * @property {(row: number) => void} remark
 * @property {() => void} settled called when the picture has loaded or failed
 */

/** @typedef {"loading" | "ready" | "failed"} State */

const RETRY_AFTER = 1500; // milliseconds
const HOLD = 500; // milliseconds
const BADGES = new Map([
  [YES, CHECK],
  [SKIP, PASS],
]);
const FLAG = "M4 14V2.5h8l-2 3 2 3H4";

/**
 * The addresses of an image. With the version of the pictures, the browser keeps what it has loaded.
 *
 * @param {number} row
 * @param {string} version
 */
export function addresses(row, version) {
  const query = `?v=${encodeURIComponent(version)}`;
  return { small: `/thumbs/${row}.webp${query}`, large: `/large/${row}.webp${query}` };
}

export class Cell {
  /**
   * @param {LabelImage} image
   * @param {string} version of the pictures
   * @param {number} place on the page, from 1
   * @param {CellEvents} on
   */
  constructor({ row, title }, version, place, on) {
    this.row = row;
    this.address = addresses(row, version).small;
    this.large = addresses(row, version).large;
    this.place = place;
    this.on = on;
    this.title = title ?? "";
    /** @type {State} */
    this.state = "loading";
    /** @type {Mark} */
    this.mark = NO;
    this.marked = false;
    this.newer = false;
    this.seen = false;
    this.sharp = false;
    this.tries = 0;
    this.badge = element("span", { className: "badge", ariaHidden: "true" });
    this.image = element("img", { alt: "", draggable: false, decoding: "async" });
    this.flag = this.remark();
    /** @type {Remark | undefined} */
    this.told = undefined;
    const about = { className: "cell", role: "gridcell", tabIndex: -1, title: this.title };
    this.box = element("div", about, this.image, this.badge, this.flag, this.corner());
    this.box.dataset.row = String(row);
    this.image.addEventListener("load", () => this.settle("ready"));
    this.image.addEventListener("error", () => this.fail());
    this.listen();
    this.load();
  }

  corner() {
    const unsure = element("button", { type: "button", tabIndex: -1, title: "Unsure", ariaLabel: "Unsure" }, "?");
    const enlarge = { type: "button", tabIndex: -1, title: "Enlarge (V)", ariaLabel: "Enlarge" };
    const lens = element("button", enlarge, icon(LENS));
    unsure.addEventListener("click", (event) => (event.stopPropagation(), this.on.unsure(this.row)));
    lens.addEventListener("click", (event) => (event.stopPropagation(), this.on.enlarge(this.row)));
    return element("span", { className: "corner" }, unsure, ...this.skip(), lens);
  }

  /** The button that leaves the picture to somebody else, where that may be. */
  skip() {
    const { skip } = this.on;
    if (!skip) return [];
    const about = { type: "button", tabIndex: -1, title: "Skip: somebody else is asked (P)", ariaLabel: "Skip" };
    const button = element("button", about, icon(PASS));
    button.addEventListener("click", (event) => (event.stopPropagation(), skip(this.row)));
    return [button];
  }

  /** The button that tells the reviewer about the picture; it stays in sight once something is told. */
  remark() {
    const button = element("button", { type: "button", tabIndex: -1, className: "tell" }, icon(FLAG));
    button.addEventListener("click", (event) => (event.stopPropagation(), this.on.remark(this.row)));
    return button;
  }

  /** @param {Remark | undefined} told */
  showRemark(told) {
    this.told = told;
    this.box.toggleAttribute("data-told", Boolean(told));
    this.flag.title = this.flag.ariaLabel = told ? `To the reviewer: ${wordsOf(told)}` : "Tell the reviewer (M)";
  }

  listen() {
    let held = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const release = () => clearTimeout(timer);
    this.box.addEventListener("pointerdown", (event) => {
      held = false;
      if (event.button || (event.target instanceof Element && event.target.closest("button"))) return;
      timer = setTimeout(() => {
        held = true;
        this.on.enlarge(this.row);
      }, HOLD);
    });
    for (const name of ["pointerup", "pointerleave", "pointercancel"]) this.box.addEventListener(name, release);
    this.box.addEventListener("contextmenu", (event) => held && event.preventDefault());
    this.box.addEventListener("click", (event) => {
      if (held) held = false;
      else if (event.shiftKey) this.on.unsure(this.row);
      else this.on.toggle(this.row);
    });
  }

  load() {
    this.box.dataset.state = this.state = "loading";
    this.image.src = this.address + (this.tries ? `&try=${this.tries}` : "");
  }

  /** Replace the small picture by the large one, once that has loaded. */
  sharpen() {
    if (this.sharp) return;
    this.sharp = true;
    const large = new Image();
    large.onload = () => (this.image.src = large.src);
    large.src = this.large;
  }

  fail() {
    this.tries += 1;
    if (this.tries % 2) setTimeout(() => this.box.isConnected && this.load(), RETRY_AFTER);
    else this.settle("failed");
  }

  /** @param {State} state */
  settle(state) {
    this.box.dataset.state = this.state = state;
    this.show(this.mark, this);
    this.on.settled();
  }

  /**
   * @param {Mark} mark
   * @param {object} about
   * @param {boolean} about.marked whether somebody chose it, or it is a no for want of a mark
   * @param {boolean} about.newer whether the answer was given elsewhere
   */
  show(mark, { marked, newer }) {
    this.mark = mark;
    this.marked = marked;
    this.newer = newer;
    this.box.toggleAttribute("data-newer", newer);
    this.box.toggleAttribute("data-marked", marked);
    const name = MARK_NAMES.get(mark);
    this.box.dataset.mark = name;
    this.box.setAttribute("aria-selected", String(mark === YES));
    const word = mark === NO && !marked ? "not marked, counts as no" : name;
    const state = this.state === "failed" ? "could not be loaded, unanswered" : word;
    const told = this.told ? `, ${wordsOf(this.told)}` : "";
    this.box.setAttribute("aria-label", `Picture ${this.place}${this.title ? `, ${this.title}` : ""}: ${state}${told}`);
    this.badge.replaceChildren(mark === UNSURE ? "?" : icon(BADGES.get(mark) ?? CROSS));
  }
}

/** A <dialog>: it is on top of everything, traps the focus and returns it. */
export class LargeView {
  /** @param {() => void} onClose */
  constructor(onClose) {
    /** @type {number | null} */
    this.row = null;
    this.image = element("img", { alt: "" });
    this.caption = element("figcaption");
    const about = { type: "button", className: "close", ariaLabel: "Close", title: "Close (Esc)" };
    const close = element("button", about, "✕");
    const figure = element("figure", {}, element("div", { className: "frame" }, this.image), this.caption);
    this.box = element("dialog", { className: "large", tabIndex: -1, ariaLabel: "Large picture" }, close, figure);
    this.box.addEventListener("click", () => this.box.close());
    this.box.addEventListener("close", onClose);
  }

  get open() {
    return this.box.open;
  }

  /**
   * @param {Pick<LabelImage, "row" | "title">} image
   * @param {string} version of the pictures
   * @param {Mark} [mark]
   */
  show({ row, title }, version, mark) {
    this.caption.textContent = [title, mark === undefined ? "" : MARK_NAMES.get(mark)].filter(Boolean).join(" · ");
    if (this.row !== row) {
      this.row = row;
      const address = addresses(row, version);
      this.image.src = address.small; // already loaded; the large picture replaces it
      const large = new Image();
      large.onload = () => void (this.row === row && (this.image.src = large.src));
      large.src = address.large;
    }
    if (this.open) return;
    this.box.showModal();
    this.box.focus(); // not the button: Space and Enter apply to the picture
  }

  close() {
    this.box.close();
  }
}
