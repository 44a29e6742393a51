// What an annotator tells the reviewer about a picture: a flag, a comment, or why it cannot be judged.

import { element } from "../dom.js";

/** @import { Remark, RemarkKind } from "../data.js" */

export const MAX_LENGTH = 300;

/** The kinds of remarks: on the list, on a picture, and what to type. @type {Record<RemarkKind, [string, string, string]>} */
export const KINDS = {
  flag: ["Flag for a decision", "flagged", "Why somebody else should decide (optional)"],
  comment: ["Comment", "commented", "What the reviewer should know"],
  unjudgeable: ["Cannot be judged", "cannot be judged", "Why it cannot be judged"],
};

const REASONS = ["Too small or blurred", "Damaged or empty", "The question does not fit", "Offensive"];

/**
 * What is read out and shown of a remark.
 *
 * @param {Remark} remark
 */
export function wordsOf({ kind, text }) {
  return text ? `${KINDS[kind][1]}: ${text}` : KINDS[kind][1];
}

/**
 * What is wrong with a remark that is to be saved; an empty text if nothing is.
 *
 * @param {Remark} remark
 */
export function problemOf({ kind, text }) {
  if (kind !== "flag" && !text.trim()) return "Say it in a few words.";
  return text.length > MAX_LENGTH ? `Use ${MAX_LENGTH} characters at most.` : "";
}

/** A <dialog> in which a remark is written, changed and taken back. */
export class RemarkDialog {
  /**
   * @param {object} on
   * @param {(row: number, remark: Remark | null) => void} on.tell null takes the remark back
   * @param {() => void} on.closed
   */
  constructor({ tell, closed }) {
    this.tell = tell;
    this.row = -1;
    const kinds = Object.entries(KINDS).map(([value, [name]]) => element("option", { value }, name));
    this.kind = element("select", { ariaLabel: "What it is" }, ...kinds);
    this.text = element("input", { type: "text", maxLength: MAX_LENGTH, ariaLabel: "What to tell the reviewer" });
    this.reasons = element("div", { className: "reasons" }, ...REASONS.map((reason) => this.reason(reason)));
    this.problem = element("p", { className: "problem", role: "alert" });
    const save = element("button", { type: "submit", className: "primary" }, "Save");
    this.back = element("button", { type: "button" }, "Take it back");
    const cancel = element("button", { type: "button" }, "Cancel");
    const title = element("p", { className: "title" }, "Tell the reviewer");
    const buttons = element("div", { className: "buttons" }, save, this.back, cancel);
    this.form = element("form", {}, title, this.kind, this.text, this.reasons, this.problem, buttons);
    this.box = element("dialog", { className: "remark", ariaLabel: "Tell the reviewer" }, this.form);
    this.form.addEventListener("submit", (event) => (event.preventDefault(), this.save()));
    this.kind.addEventListener("change", () => this.draw());
    this.back.addEventListener("click", () => (this.tell(this.row, null), this.close()));
    cancel.addEventListener("click", () => this.close());
    this.box.addEventListener("close", closed);
  }

  get open() {
    return this.box.open;
  }

  /** @param {string} words */
  reason(words) {
    const button = element("button", { type: "button" }, words);
    button.addEventListener("click", () => {
      this.text.value = words;
      this.save();
    });
    return button;
  }

  /**
   * @param {number} row
   * @param {RemarkKind} kind
   * @param {Remark | undefined} known the remark that the picture has
   */
  show(row, kind, known) {
    this.row = row;
    this.kind.value = known?.kind ?? kind;
    this.text.value = known?.text ?? "";
    this.back.hidden = !known;
    this.draw();
    if (!this.open) this.box.showModal();
    this.text.focus();
  }

  draw() {
    const kind = /** @type {RemarkKind} */ (this.kind.value);
    this.text.placeholder = KINDS[kind][2];
    this.reasons.hidden = kind !== "unjudgeable";
    this.problem.textContent = "";
  }

  save() {
    const remark = { kind: /** @type {RemarkKind} */ (this.kind.value), text: this.text.value.trim() };
    const problem = problemOf(remark);
    this.problem.textContent = problem;
    if (problem) return this.text.focus();
    this.tell(this.row, remark);
    return this.close();
  }

  close() {
    this.box.close();
  }
}
