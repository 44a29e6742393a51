// The gallery of a listing of any length: only visible cells are in the DOM. Out: trigger `picked` {index, row, click};
// state `chosen` {id, ranges}.

import { newId } from "../ids.js";
import { whole } from "../numbers.js";
import { session } from "../store.js";
import { Answering } from "./answering.js";
import { Choice } from "./choice.js";
import { Drawn, PADDING } from "./endless_drawn.js";
import { onClick, onKey } from "./endless_keys.js";
import { makeParts, SIZES } from "./endless_parts.js";
import { GAP, GridLayout, RowsLayout, WORDS } from "./layout.js";
import { Scroller } from "./scroll.js";
import { Source } from "./source.js";

/** @import { Answer, EndlessData, Listing } from "../data.js" */
/** @import { Range } from "./choice.js" */
/** @import { Mode } from "./endless_parts.js" */
/** @import { Layout } from "./layout.js" */
/** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */

/**
 * @typedef {object} Out
 * @property {(picked: { index: number, row: number, click: string }) => void} pick
 * @property {(chosen: { id: string, ranges: Range[] }) => void} choose
 */

const OVER = 0.6; // fraction of the view that is drawn beyond each edge
const NOTIFY_AFTER = 250; // milliseconds until a changed selection is sent
let galleries = 0;

/** @param {string} name */
const remembered = (name) => session.read(`bam-gallery-${name}`);
/**
 * @param {string} name
 * @param {unknown} value
 */
const remember = (name, value) => session.write(`bam-gallery-${name}`, value);

export class Endless {
  /** @param {ParentNode} parent */
  constructor(parent) {
    this.drawn = new Drawn(this);
    this.choice = new Choice();
    this.answering = new Answering({
      mark: (row, mark) => this.showMark(row, mark),
      tell: (words, undoable) => this.announce(words, undoable),
    });
    this.active = 0;
    this.size = Number(remembered("size")) || SIZES.usual;
    /** @type {Mode} */
    this.mode = remembered("mode") === "rows" ? "rows" : "grid";
    this.name = `bam-gallery-${(galleries += 1)}`;
    this.version = "";
    /** @type {Listing | null} */
    this.listing = null;
    /** The listing that this one has replaced since the last rerun. @type {string | null} */
    this.replaced = null;
    /** @type {Source | null} */
    this.source = null;
    /** @type {Uint8Array | null} */
    this.shapes = null;
    /** @type {Layout | null} */
    this.layout = null;
    this.width = 0;
    this.troubled = false;
    /** @type {Out | null} */
    this.out = null;
    /** Opens the image whose data are awaited. @type {(() => void) | null} */
    this.pick = null;
    /** Sends the changed selection. @type {(() => void) | null} */
    this.notify = null;
    /** @type {Timer} */
    this.notifyTimer = undefined;
    /** @type {Timer} */
    this.waiting = undefined;
    this.parts = makeParts(this.name, this.size, {
      go: (number) => this.focus(number - 1, true),
      threshold: () => this.focus(this.listing?.line ?? 0, true),
      arrange: (mode) => this.arrange(mode),
      resize: (size) => this.resize(size),
      undo: () => this.answering.undo(),
    });
    const { frame, field, spacer } = this.parts;
    this.frame = frame;
    parent.append(...this.parts.all);
    this.showMode();
    this.scroller = new Scroller(frame, spacer, (near) => this.draw(near));
    frame.addEventListener("keydown", (event) => onKey(this, event));
    field.addEventListener("click", (event) => onClick(this, event));
    field.addEventListener("pointerover", (event) => this.offerAnswers(event));
    this.watcher = new ResizeObserver(() => this.fit());
    this.watcher.observe(frame);
  }

  get total() {
    return this.listing?.total ?? 0;
  }

  /**
   * @param {EndlessData} data
   * @param {Out} out
   */
  update(data, out) {
    const { listing } = data;
    const { marker, toThreshold, keys } = this.parts;
    this.out = out;
    this.version = data.version;
    this.answering.about = data.answering;
    keys.box.hidden = !data.answering;
    keys.refresh();
    this.frame.style.height = data.height ? `${data.height}px` : "";
    marker.textContent = data.line_text;
    toThreshold.hidden = !(listing.line !== null && listing.line > 0 && listing.line < listing.total);
    if (listing.id !== this.listing?.id && listing.id !== this.replaced) this.open(listing);
  }

  /**
   * Show another listing: from its start, or at the same position if it is the same query after a change.
   *
   * @param {Listing} listing
   */
  open(listing) {
    const same = this.listing?.q === listing.q;
    const at = same ? this.firstVisible() : Number(remembered(`at:${listing.q}`)) || 0;
    this.replaced = null;
    this.source?.close();
    this.listing = listing;
    this.shapes = null;
    this.source = new Source(listing, {
      block: (from, to) => this.arrived(from, to),
      moved: (now) => this.changed(listing, now),
      again: () => this.draw(true),
      trouble: (words) => this.trouble(words),
    });
    this.choice.clear();
    this.notify?.();
    this.active = Math.min(at, Math.max(0, listing.total - 1));
    this.parts.goTo.max = String(listing.total);
    this.drawn.empty();
    this.refresh();
    void this.lay(at);
  }

  /**
   * The collection has changed: continue with the server's new listing of the same query.
   *
   * @param {Listing} before
   * @param {Listing} now
   */
  changed(before, now) {
    this.open(now);
    this.replaced = before.id;
    this.announce("The list has changed; this is how it is now.");
  }

  // The layout

  /** @param {number} at the image at the upper edge */
  async lay(at) {
    const wide = this.frame.clientWidth - 2 * PADDING;
    const { listing, source, scroller } = this;
    if (wide <= 0 || !listing || !source) return;
    this.width = wide;
    const size = Math.min(this.size, Math.max(SIZES.least, wide / 2 - GAP));
    if (this.mode === "rows" && !this.shapes) {
      const before = scroller.at;
      this.shapes = await source.shapes().catch((error) => (this.trouble(error.message), null));
      if (source !== this.source || !this.shapes) return;
      if (scroller.at !== before) at = this.firstVisible(); // the user has scrolled while the shapes were loading
    }
    const { total, line } = listing;
    this.layout =
      this.mode === "rows" && this.shapes
        ? new RowsLayout(this.shapes, wide, size, line)
        : new GridLayout(total, wide, size, line);
    this.drawn.empty();
    this.parts.marker.hidden = this.layout.lineAt === null;
    this.frame.dataset.laid = this.mode; // rows are laid out once their shapes have loaded
    const top = at && total ? this.layout.box(Math.min(at, total - 1)).y : 0;
    scroller.resize(this.layout.height + 2 * PADDING, top);
  }

  fit() {
    if (!this.listing) return;
    if (this.frame.clientWidth - 2 * PADDING === this.width) this.scroller.onMove(true);
    else void this.lay(this.firstVisible());
  }

  /** @param {Mode} mode */
  arrange(mode) {
    if (mode === this.mode) return;
    const at = this.firstVisible();
    this.mode = mode;
    remember("mode", mode);
    this.showMode();
    void this.lay(at);
  }

  showMode() {
    const { grid, rows } = this.parts.modes;
    grid.setAttribute("aria-pressed", String(this.mode === "grid"));
    rows.setAttribute("aria-pressed", String(this.mode === "rows"));
  }

  /** @param {number} size */
  resize(size) {
    const at = this.firstVisible();
    this.size = size;
    remember("size", size);
    void this.lay(at);
  }

  firstVisible() {
    if (!this.layout || !this.total) return 0;
    return this.layout.start(this.layout.lineFor(this.scroller.at + WORDS));
  }

  /**
   * The range of indices between two heights of the content.
   *
   * @param {number} top
   * @param {number} bottom
   * @returns {Range}
   */
  between(top, bottom) {
    const { layout } = this;
    if (!layout || !this.total) return [0, 0];
    return [layout.start(layout.lineFor(top)), layout.end(layout.lineFor(bottom))];
  }

  // Drawing

  /** @param {boolean} near whether the view has moved by little */
  draw(near) {
    const { layout, scroller, source, listing, drawn } = this;
    if (!layout || !source || !listing) return;
    const { at, view, shift } = scroller;
    const over = drawn.any(this.between(at, at + view)) ? OVER : 0; // after a jump, visible pictures come first
    const [from, to] = this.between(at - over * view, at + (1 + over) * view);
    clearTimeout(drawn.later);
    if (!over) drawn.drawOnceLoaded();
    drawn.show(layout, [from, to]);
    const { marker } = this.parts;
    if (layout.lineAt !== null) marker.style.transform = `translateY(${layout.lineAt + PADDING - shift}px)`;
    const [first, last] = this.between(at + WORDS, at + view - GAP);
    this.count(first, last);
    clearTimeout(this.waiting);
    const fetch = () => source.want(from, to);
    if (near) fetch();
    else this.waiting = setTimeout(fetch, 40); // a drag of the scroll bar passes many images
    remember(`at:${listing.q}`, first);
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  arrived(from, to) {
    this.drawn.arrived(from, to);
    this.pick?.();
  }

  refresh() {
    this.drawn.markAll();
    this.frame.setAttribute("aria-activedescendant", this.idOf(this.active));
    this.parts.field.classList.toggle("choosing", this.choice.count > 0);
  }

  /**
   * @param {number} first
   * @param {number} last
   */
  count(first, last) {
    const words = `${whole(first + 1)}–${whole(last)} of ${whole(this.total)}`;
    this.parts.counted.textContent = this.total ? words : "no images";
    this.frame.dataset.first = String(first);
  }

  /**
   * @param {string} words
   * @param {boolean} [undoable]
   */
  announce(words, undoable = false) {
    const { said, undo } = this.parts;
    said.textContent = words;
    undo.hidden = !undoable;
  }

  /** @param {string} words */
  trouble(words) {
    if (words || this.troubled) this.announce(words ? `${words} Trying again …` : "");
    this.troubled = Boolean(words);
  }

  /** @param {number} i */
  idOf(i) {
    return `${this.name}-${i}`;
  }

  // Answering

  /**
   * Show the label of an image that has changed.
   *
   * @param {number} row
   * @param {string} mark
   */
  showMark(row, mark) {
    this.source?.mark(row, mark);
    this.drawn.label(row, mark);
  }

  /**
   * Put the buttons that answer into the cell under the pointer.
   *
   * @param {PointerEvent} event
   */
  offerAnswers(event) {
    if (!this.answering.about || event.pointerType === "touch" || !(event.target instanceof Element)) return;
    const cell = event.target.closest(".cell");
    if (cell && !cell.contains(this.parts.answers)) cell.append(this.parts.answers);
  }

  /**
   * @param {number} i
   * @param {Answer} answer
   */
  answer(i, answer) {
    const item = this.source?.item(i);
    if (item) this.answering.answer(item, answer);
  }

  // Moving, selecting, opening

  /**
   * @param {number} i
   * @param {number} way
   */
  beyond(i, way) {
    return this.layout ? this.layout.beyond(i, way) : i;
  }

  /**
   * The image a view above (-1) or below (1).
   *
   * @param {number} i
   * @param {number} way
   */
  page(i, way) {
    let at = i;
    const height = this.layout?.box(i).height ?? this.size;
    const lines = Math.floor(this.scroller.view / (height + WORDS + GAP));
    for (let left = Math.max(1, lines); left; left -= 1) at = this.beyond(at, way);
    return at;
  }

  /**
   * @param {number} to
   * @param {boolean} choosing whether everything on the way is selected
   */
  step(to, choosing) {
    const before = this.active;
    const now = Math.min(this.total - 1, Math.max(0, to));
    if (choosing) this.choose(Math.min(before, now), Math.max(before, now) + 1, true);
    this.focus(now, false);
  }

  /**
   * Make an image active and scroll it into view.
   *
   * @param {number} i
   * @param {boolean} top whether it is put at the upper edge
   */
  focus(i, top) {
    if (!this.layout || !this.total) return;
    this.active = Math.min(this.total - 1, Math.max(0, Math.floor(i) || 0));
    const { y, height } = this.layout.box(this.active);
    const { at, view } = this.scroller;
    const low = y + height + WORDS + 2 * PADDING;
    if (top) this.scroller.go(y - (this.active === this.listing?.line ? view / 2 : 0));
    else if (y < at) this.scroller.go(y);
    else if (low > at + view) this.scroller.go(low - view);
    this.refresh();
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {boolean} on
   */
  choose(from, to, on) {
    if (!this.choice.set(from, to, on)) this.announce("That is too many pieces for one selection: choose with Shift.");
    this.refresh();
    const id = this.listing?.id ?? "";
    clearTimeout(this.notifyTimer);
    this.notify = () => {
      clearTimeout(this.notifyTimer);
      this.notify = null;
      this.out?.choose({ id, ranges: id === this.listing?.id ? this.choice.ranges : [] });
    };
    this.notifyTimer = setTimeout(() => this.notify?.(), NOTIFY_AFTER);
  }

  /**
   * Open an image, or wait until its data have loaded.
   *
   * @param {number} i
   */
  openImage(i) {
    const item = this.source?.item(i);
    this.pick = item ? null : () => i === this.active && this.source?.item(i) && this.openImage(i);
    if (item) this.out?.pick({ index: i, row: item.row, click: newId() });
  }

  // Leaving and returning

  /**
   * Move to another parent, as it was but with an empty selection: the user has left the page and returned.
   *
   * @param {ParentNode} parent
   */
  reattach(parent) {
    this.notify = this.pick = null;
    this.announce("");
    parent.append(...this.parts.all);
    this.scroller.put();
    if (this.choice.count) this.choose(0, this.total, false);
    this.refresh();
  }

  dispose() {
    this.source?.close();
    this.watcher.disconnect();
    clearTimeout(this.waiting);
    clearTimeout(this.drawn.later);
    clearTimeout(this.notifyTimer);
  }
}
