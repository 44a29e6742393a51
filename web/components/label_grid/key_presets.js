// Which keys answer: a preset, which each annotator chooses in this browser; and the help that names the keys.

import { element } from "../dom.js";
import { annotatorHere } from "../identity.js";
import { local } from "../store.js";

/** @import { Store } from "../store.js" */

/**
 * @typedef {object} Preset
 * @property {string} id
 * @property {string} name
 * @property {string[]} yes the keys, the one that the help names first
 * @property {string[]} no
 * @property {string[]} unsure
 */

/** The first one is in use until another is chosen. @type {Preset[]} */
export const PRESETS = [
  { id: "letters", name: "Y N U", yes: ["y", "1"], no: ["n", "0"], unsure: ["u"] },
  { id: "digits", name: "1 2 3", yes: ["1"], no: ["2"], unsure: ["3"] },
  { id: "right", name: "J K L, right hand", yes: ["j"], no: ["k"], unsure: ["l"] },
  { id: "left", name: "F D S, left hand", yes: ["f"], no: ["d"], unsure: ["s"] },
];

const KEY = "bam.grid.keys";

/** The preset of each annotator who has answered in this browser. */
export class KeyChoice {
  /** @param {Pick<Store, "read" | "write">} [store] */
  constructor(store = local) {
    this.store = store;
  }

  /**
   * @param {string} annotator
   * @returns {Preset}
   */
  of(annotator) {
    const id = this.ids()[annotator];
    return PRESETS.find((preset) => preset.id === id) ?? PRESETS[0];
  }

  /**
   * @param {string} annotator
   * @param {string} id
   */
  choose(annotator, id) {
    this.store.write(KEY, { ...this.ids(), [annotator]: id });
  }

  /** @returns {Record<string, unknown>} */
  ids() {
    const kept = this.store.read(KEY);
    return kept !== null && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
  }
}

/**
 * What each key does under a preset, in the order of the help.
 *
 * @param {Preset} preset
 * @returns {[string, string][]}
 */
export function hintsOf({ yes, no, unsure }) {
  const named = (/** @type {string[]} */ [key]) => key.toUpperCase();
  return [
    ["← ↑ → ↓", "move"],
    [named(yes), "yes"],
    [named(no), "no"],
    ["space", "toggle"],
    [named(unsure), "unsure"],
    ["A", "all yes"],
    ["X", "all no"],
    ["R", "rest yes"],
    ["O", "one at a time"],
    ["V", "enlarge"],
    ["Z", "undo"],
    ["Enter", "save"],
  ];
}

/**
 * The line that names the keys, with the choice of a preset.
 *
 * @param {() => void} chosen called once another preset is in use
 */
export function makeKeyHelp(chosen) {
  const choice = new KeyChoice();
  const options = PRESETS.map(({ id, name }) => element("option", { value: id }, name));
  const select = element("select", { ariaLabel: "Keys that answer" }, ...options);
  const keys = element("span", { className: "names" });
  const box = element("p", { className: "hints" }, element("label", {}, "Keys", select), keys);
  const help = {
    box,
    preset: PRESETS[0],
    /** Follow the annotator of this tab, and show the keys. */
    refresh: () => {
      help.preset = choice.of(annotatorHere());
      select.value = help.preset.id;
      keys.replaceChildren(
        ...hintsOf(help.preset).map(([key, does]) => element("span", {}, element("kbd", {}, key), ` ${does}`)),
      );
    },
  };
  select.addEventListener("change", () => {
    choice.choose(annotatorHere(), select.value);
    help.refresh();
    chosen();
  });
  help.refresh();
  return help;
}
