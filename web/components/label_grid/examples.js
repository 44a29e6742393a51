// The guidelines above the grid: their text, and example pictures, as a thin strip while they are folded.

import { element } from "../dom.js";
import { CHECK, CROSS, icon, WAVE } from "../icons.js";
import { local } from "../store.js";
import { addresses, LargeView } from "./pictures.js";

/** @import { GuidelineExample } from "../data.js" */

const OPEN_KEY = "bam.grid.instructions";

/** The kinds of examples, in order: what one is called, what several are, and its mark. */
const KINDS = /** @type {const} */ ([
  ["good", "good example", "good examples", CHECK],
  ["bad", "bad example", "bad examples", CROSS],
  ["corner", "corner case", "corner cases", WAVE],
]);

/**
 * The examples by kind, with what to call each group; kinds without any are left out.
 *
 * @param {GuidelineExample[]} examples
 */
export function groupsOf(examples) {
  return KINDS.map(([kind, one, several, mark]) => {
    const members = examples.filter((example) => example.kind === kind);
    return { kind, members, one, words: `${members.length} ${members.length === 1 ? one : several}`, mark };
  }).filter(({ members }) => members.length);
}

/**
 * What the large view says of an example.
 *
 * @param {string} kind in words
 * @param {string} note
 */
export function captionOf(kind, note) {
  const name = `${kind[0].toUpperCase()}${kind.slice(1)}`;
  return note ? `${name}: ${note}` : name;
}

export class Guidelines {
  /**
   * @param {boolean} begins whether nothing is answered yet, so that the guidelines are worth their room
   * @param {() => void} closed called when an example that was shown large is closed
   */
  constructor(begins, closed) {
    this.large = new LargeView(closed);
    this.text = element("div", { className: "text" });
    this.strip = element("span", { className: "strip", role: "img" });
    this.examples = element("div", { className: "examples" });
    const summary = element("summary", {}, element("span", { className: "name" }, "Guidelines"), this.strip);
    const open = local.read(OPEN_KEY) ?? (begins && innerWidth > 600);
    this.box = element("details", { className: "guidelines", open }, summary, this.examples, this.text);
    this.box.addEventListener("toggle", () => local.write(OPEN_KEY, this.box.open));
    this.shown = "";
  }

  /**
   * @param {string} text
   * @param {GuidelineExample[]} examples
   * @param {string} version of the pictures
   */
  show(text, examples, version) {
    this.text.textContent = text;
    this.text.hidden = !text;
    this.box.hidden = !text && !examples.length;
    const shown = JSON.stringify([examples, version]);
    if (shown === this.shown) return;
    this.shown = shown;
    const groups = groupsOf(examples);
    this.examples.hidden = this.strip.hidden = !groups.length;
    this.strip.ariaLabel = groups.map(({ words }) => words).join(", ");
    this.strip.replaceChildren(
      ...groups.map(({ kind, members, mark }) => {
        const pictures = members.map(({ row }) => element("img", { src: addresses(row, version).small, alt: "" }));
        return element("span", { className: "kind", "data-kind": kind }, icon(mark), ...pictures);
      }),
    );
    this.examples.replaceChildren(
      ...groups.map(({ kind, members, one, words, mark }) => {
        const title = element("p", {}, icon(mark), ` ${words}`);
        const pictures = members.map((example) => this.picture(example, one, version));
        return element("div", { className: "kind", "data-kind": kind }, title, element("div", {}, ...pictures));
      }),
    );
  }

  /**
   * The button of one example, which shows it large.
   *
   * @param {GuidelineExample} example
   * @param {string} kind in words
   * @param {string} version of the pictures
   */
  picture({ row, note }, kind, version) {
    const caption = captionOf(kind, note);
    const image = element("img", { src: addresses(row, version).small, alt: "" });
    const button = element("button", { type: "button", title: caption, ariaLabel: `Enlarge. ${caption}` }, image);
    if (note) button.append(element("span", {}, note));
    button.addEventListener("click", () => {
      this.box.after(this.large.box);
      this.large.show({ row, title: caption }, version);
    });
    return button;
  }
}
