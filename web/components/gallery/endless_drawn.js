// The cells of the endless gallery that are in the DOM: those near the view, and after a jump those in it first.

import { fillCell, isLoaded, makeCell, showMark } from "./endless_cells.js";

/** @import { Range } from "./choice.js" */
/** @import { Endless } from "./endless.js" */
/** @import { Cell } from "./endless_cells.js" */
/** @import { Layout } from "./layout.js" */

export const PADDING = 4;
const LATER = 100; // milliseconds between checks whether all visible pictures have loaded after a jump
const MAX_CHECKS = 30; // after which the cells beyond the edges are drawn anyway

export class Drawn {
  /** @param {Endless} gallery */
  constructor(gallery) {
    this.gallery = gallery;
    /** @type {Map<number, Cell>} */
    this.cells = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.later = undefined;
  }

  /**
   * Draw the cells of a range, and no others.
   *
   * @param {Layout} layout
   * @param {Range} range
   */
  show(layout, [from, to]) {
    for (const [i, cell] of this.cells) {
      if (i < from || i >= to) this.drop(i, cell);
      else if (cell.shift !== this.gallery.scroller.shift) this.place(layout, cell);
    }
    for (let i = from; i < to; i += 1) if (!this.cells.has(i)) this.add(layout, i);
  }

  /** Draw the cells beyond the edges once all visible pictures have loaded. */
  drawOnceLoaded(checks = 1) {
    this.later = setTimeout(() => {
      if (checks >= MAX_CHECKS || [...this.cells.values()].every(isLoaded)) this.gallery.draw(true);
      else this.drawOnceLoaded(checks + 1);
    }, LATER);
  }

  /**
   * Whether any cell of a range is drawn, or the range is empty.
   *
   * @param {Range} range
   */
  any([from, to]) {
    for (let i = from; i < to; i += 1) if (this.cells.has(i)) return true;
    return to === from;
  }

  /**
   * @param {Layout} layout
   * @param {number} i
   */
  add(layout, i) {
    const cell = makeCell(this.gallery.idOf(i), i, this.gallery.total);
    this.cells.set(i, cell);
    this.place(layout, cell);
    this.fill(cell);
    this.mark(cell);
    this.gallery.parts.field.append(cell.box);
  }

  /** @param {Cell} cell */
  fill(cell) {
    const { source, version } = this.gallery;
    const item = source?.item(cell.index);
    if (source && item) fillCell(cell, item, version, source.picture(cell.index), source.remote);
  }

  /**
   * Fill the cells whose items have arrived.
   *
   * @param {number} from
   * @param {number} to
   */
  arrived(from, to) {
    for (const [i, cell] of this.cells) if (i >= from && i < to && !cell.item) this.fill(cell);
  }

  /**
   * Show the label of an image that has changed.
   *
   * @param {number} row
   * @param {string} mark
   */
  label(row, mark) {
    for (const cell of this.cells.values()) if (cell.item?.row === row) showMark(cell, { ...cell.item, mark });
  }

  /**
   * @param {Layout} layout
   * @param {Cell} cell
   */
  place(layout, cell) {
    const { x, y, width, height } = layout.box(cell.index);
    const { style } = cell.box;
    cell.shift = this.gallery.scroller.shift;
    style.transform = `translate(${x + PADDING}px, ${y + PADDING - cell.shift}px)`;
    style.width = `${width}px`;
    style.setProperty("--high", `${height}px`);
  }

  /** @param {Cell} cell */
  mark({ box, index }) {
    const chosen = this.gallery.choice.has(index);
    box.classList.toggle("selected", chosen);
    box.classList.toggle("active", index === this.gallery.active);
    box.setAttribute("aria-selected", String(chosen));
  }

  markAll() {
    for (const cell of this.cells.values()) this.mark(cell);
  }

  /**
   * @param {number} i
   * @param {Cell} cell
   */
  drop(i, cell) {
    cell.box.querySelector("img")?.removeAttribute("src"); // cancels the loading
    cell.looking?.abort();
    cell.box.remove();
    this.cells.delete(i);
  }

  empty() {
    for (const [i, cell] of this.cells) this.drop(i, cell);
  }
}
