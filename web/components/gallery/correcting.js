// The buttons below each picture of a short gallery: one click answers about the picture, another one adds it to the
// guidelines. An answer is sent at once; a status line says what it does, and undoes it.

import { add, element } from "../dom.js";
import { Answering, WORDS } from "./answering.js";
import { makeText } from "./cells.js";

/** @import { GalleryCorrecting, GalleryPicture } from "../data.js" */

export class Correcting {
  /**
   * @param {ParentNode} parent
   * @param {(row: number) => void} guide add an image to the guidelines
   */
  constructor(parent, guide) {
    this.guide = guide;
    /** @type {Map<number, HTMLElement>} */
    this.boxes = new Map();
    /** @type {GalleryCorrecting | null} */
    this.about = null;
    this.line = add(parent, "div", "said");
    this.line.setAttribute("role", "status");
    const words = add(this.line, "span");
    const undo = add(this.line, "button", "", "Undo");
    undo.setAttribute("type", "button");
    undo.hidden = true;
    this.answering = new Answering({
      mark: (row, mark) => this.show(row, mark),
      tell: (text, undoable) => {
        words.textContent = text;
        undo.hidden = !undoable;
      },
    });
    undo.addEventListener("click", () => this.answering.undo());
  }

  /** @param {GalleryCorrecting | null} about */
  update(about) {
    this.about = this.answering.about = about;
    this.line.hidden = !about;
    this.boxes.clear();
  }

  /**
   * A picture with its buttons; the picture alone where nothing can be corrected.
   *
   * @param {HTMLElement} cell
   * @param {GalleryPicture} picture
   */
  around(cell, [row, , title, mark]) {
    const { about } = this;
    if (!about) return cell;
    const item = { row, title: title || `Image ${row}`, mark };
    const answers = element("div", {
      className: "answers",
      role: "group",
      ariaLabel: `${item.title}: ${about.question}`,
    });
    for (const [answer, word] of WORDS) {
      const button = element("button", { type: "button" }, word[0].toUpperCase() + word.slice(1));
      button.dataset.word = word;
      button.addEventListener("click", () => this.answering.answer(item, answer));
      answers.append(button);
    }
    const known = about.examples.includes(row);
    const guide = element("button", { type: "button", className: "guide", disabled: known });
    guide.textContent = known ? "In the guidelines" : "Add to guidelines";
    guide.addEventListener("click", () => this.guide(row));
    const box = element("div", { className: "item" }, cell, answers, guide);
    this.boxes.set(row, box);
    this.show(row, mark);
    return box;
  }

  /**
   * Show the label of an image.
   *
   * @param {number} row
   * @param {string} mark
   */
  show(row, mark) {
    const box = this.boxes.get(row);
    if (!box) return;
    box.querySelector(".mark")?.remove();
    if (mark) box.querySelector(".cell")?.append(makeText(`mark ${mark}`, mark));
    for (const button of box.querySelectorAll(".answers button"))
      if (button instanceof HTMLElement) button.setAttribute("aria-pressed", String(button.dataset.word === mark));
  }
}
