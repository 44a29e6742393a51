// The pictures that score just below and just above the threshold; they follow it when it rests. Keys answer about them.

import { add } from "../dom.js";
import { makeCell } from "../gallery/cells.js";
import { cellAt, cellsOf, moveFocus } from "../gallery/focus.js";
import { ShortAnswers } from "../gallery/short_answers.js";

/** @import { Borderline, GalleryAnswering, GalleryPicture } from "../data.js" */

const FAILED = "The pictures beside the threshold could not be loaded. Move it to try again.";
const SIDES = /** @type {const} */ (["below", "above"]);

export class Beside {
  /**
   * @param {ParentNode} parent
   * @param {(row: number, among: number[]) => void} open a picture, of a list
   */
  constructor(parent, open) {
    this.box = add(parent, "div", "beside");
    this.problem = add(parent, "p", "problem");
    this.problem.setAttribute("role", "alert");
    this.grids = SIDES.map((side) => {
      const part = add(this.box, "section", side);
      add(part, "h4", "", `Just ${side} the threshold`);
      const grid = add(part, "div", "grid");
      grid.addEventListener("keydown", (event) => moveFocus(event, grid));
      grid.addEventListener("click", (event) => {
        const cell = cellAt(event);
        if (!cell) return;
        open(
          Number(cell.dataset.row),
          cellsOf(grid).map((each) => Number(each.dataset.row)),
        );
      });
      return grid;
    });
    this.answers = new ShortAnswers(parent, this.box);
    this.asked = new AbortController();
    this.drawn = "";
  }

  /** @param {GalleryAnswering | null} about what the pictures are answered about */
  update(about) {
    this.answers.update(about);
  }

  /**
   * Load the pictures beside a threshold; what was asked for before is given up.
   *
   * @param {number} attribute its id
   * @param {number} threshold
   * @param {string} version of the pictures
   */
  async load(attribute, threshold, version) {
    this.asked.abort();
    const asked = (this.asked = new AbortController());
    this.box.setAttribute("aria-busy", "true");
    try {
      const address = `/api/attributes/${attribute}/borderline.json?threshold=${threshold}`;
      const response = await fetch(address, { signal: asked.signal });
      if (!response.ok) throw new Error(`the server answers ${response.status}`);
      this.show(await response.json(), version);
      this.problem.textContent = "";
    } catch {
      if (asked.signal.aborted) return;
      this.problem.textContent = FAILED;
    }
    this.box.removeAttribute("aria-busy");
  }

  /**
   * @param {Borderline} pictures
   * @param {string} version
   */
  show(pictures, version) {
    const content = JSON.stringify([pictures, version]);
    if (content === this.drawn) return;
    this.drawn = content;
    this.answers.clear();
    SIDES.forEach((side, number) => {
      const cells = pictures[side].map((/** @type {GalleryPicture} */ picture) => {
        const [row, , title, mark] = picture;
        const cell = makeCell(picture, version);
        this.answers.add(cell, { row, title: title || `Image ${row}`, mark });
        return cell;
      });
      this.grids[number].replaceChildren(...cells);
      if (!cells.length) add(this.grids[number], "p", "none", "No image.");
    });
  }
}
