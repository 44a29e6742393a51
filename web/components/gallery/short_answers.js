// Answers in a short gallery: the keys of the preset answer about the picture that has the focus, Z undoes, arrows move.
// A line names the keys, another says what an answer does. The threshold's strips and those with buttons share this.

import { add } from "../dom.js";
import { makeKeyHelp } from "../keys/help.js";
import { ANSWERED, answerKeys, answerOf } from "../keys/presets.js";
import { Answering } from "./answering.js";
import { makeText } from "./cells.js";

/** @import { GalleryAnswering } from "../data.js" */
/** @import { Item } from "./answering.js" */

export class ShortAnswers {
  /**
   * @param {ParentNode} parent of the lines
   * @param {HTMLElement} field around the pictures
   * @param {(row: number, mark: string) => void} [marked] called once the label of a picture has changed
   */
  constructor(parent, field, marked = () => {}) {
    this.field = field;
    this.marked = marked;
    /** @type {Map<string, { item: Item, cell: HTMLElement }>} */
    this.pictures = new Map();
    this.keys = makeKeyHelp((preset) => [["← ↑ → ↓", "move"], ...answerKeys(preset), ["Z", "undo"], ["Enter", "open"]]);
    parent.append(this.keys.box);
    this.line = add(parent, "div", "said");
    this.line.setAttribute("role", "status");
    const words = add(this.line, "span");
    const undo = add(this.line, "button", "", "Undo");
    undo.setAttribute("type", "button");
    undo.hidden = true;
    undo.addEventListener("click", () => this.answering.undo());
    this.answering = new Answering({
      mark: (row, mark) => this.show(row, mark),
      tell: (text, undoable) => {
        words.textContent = text;
        undo.hidden = !undoable;
      },
    });
    field.addEventListener("keydown", (event) => this.press(event));
  }

  /**
   * @param {GalleryAnswering | null} about
   * @param {boolean} [namesKeys] whether the line with the keys is here: of several galleries, one has it
   */
  update(about, namesKeys = true) {
    this.answering.about = about;
    this.line.hidden = !about;
    this.field.toggleAttribute(ANSWERED, about !== null);
    this.keys.box.hidden = !about || !namesKeys;
    this.keys.refresh();
  }

  /** Forget the pictures, because others take their place. */
  clear() {
    this.pictures.clear();
  }

  /**
   * @param {HTMLElement} cell that shows the picture
   * @param {Item} item
   */
  add(cell, item) {
    this.pictures.set(`${item.row}`, { cell, item });
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (!this.answering.about || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const cell = event.target instanceof Element ? event.target.closest(".cell") : null;
    const picture = cell instanceof HTMLElement ? this.pictures.get(cell.dataset.row ?? "") : undefined;
    const answer = answerOf(this.keys.preset, event.key);
    if (picture && answer !== undefined) this.answering.answer(picture.item, answer);
    else if (picture && event.key.toLowerCase() === "z") this.answering.undo();
    else return;
    event.preventDefault();
    event.stopPropagation(); // the page handles these keys too
  }

  /**
   * Show the label of a picture.
   *
   * @param {number} row
   * @param {string} mark
   */
  show(row, mark) {
    const cell = this.pictures.get(`${row}`)?.cell;
    if (!cell) return;
    cell.querySelector(".mark")?.remove();
    if (mark) cell.append(makeText(`mark ${mark}`, mark));
    this.marked(row, mark);
  }
}
