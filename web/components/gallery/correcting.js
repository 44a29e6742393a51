// How the pictures of a short gallery are answered about: by keys, and where wanted by buttons below each picture, of
// which another one adds it to the guidelines.

import { element } from "../dom.js";
import { WORDS } from "./answering.js";
import { ShortAnswers } from "./short_answers.js";

/** @import { GalleryPicture, ShortAnswering } from "../data.js" */

export class Correcting {
  /**
   * @param {ParentNode} parent
   * @param {HTMLElement} field around the pictures
   * @param {(row: number) => void} guide add an image to the guidelines
   */
  constructor(parent, field, guide) {
    this.guide = guide;
    /** @type {Map<number, HTMLElement>} */
    this.boxes = new Map();
    /** @type {ShortAnswering | null} */
    this.about = null;
    this.answers = new ShortAnswers(parent, field, (row, mark) => this.press(row, mark));
  }

  /** @param {ShortAnswering | null} about */
  update(about) {
    this.about = about;
    this.answers.update(about, about?.namesKeys);
    this.answers.clear();
    this.boxes.clear();
  }

  /**
   * A picture with its buttons; the picture alone where it has none.
   *
   * @param {HTMLElement} cell
   * @param {GalleryPicture} picture
   */
  around(cell, [row, , title, mark]) {
    const { about } = this;
    if (!about) return cell;
    const item = { row, title: title || `Image ${row}`, mark };
    this.answers.add(cell, item);
    if (!about.examples) return cell;
    const answers = element("div", {
      className: "answers",
      role: "group",
      ariaLabel: `${item.title}: ${about.question}`,
    });
    for (const [answer, word] of WORDS) {
      const button = element("button", { type: "button" }, word[0].toUpperCase() + word.slice(1));
      button.dataset.word = word;
      button.addEventListener("click", () => this.answers.answering.answer(item, answer));
      answers.append(button);
    }
    const known = about.examples.includes(row);
    const guide = element("button", { type: "button", className: "guide", disabled: known });
    guide.textContent = known ? "In the guidelines" : "Add to guidelines";
    guide.addEventListener("click", () => this.guide(row));
    const box = element("div", { className: "item" }, cell, answers, guide);
    this.boxes.set(row, box);
    this.press(row, mark);
    return box;
  }

  /**
   * Show the button of a label as pressed.
   *
   * @param {number} row
   * @param {string} mark
   */
  press(row, mark) {
    for (const button of this.boxes.get(row)?.querySelectorAll(".answers button") ?? [])
      if (button instanceof HTMLElement) button.setAttribute("aria-pressed", String(button.dataset.word === mark));
  }
}
