// Which keys answer, wherever a picture is shown: a preset, which each annotator chooses in this browser.

import { annotatorHere } from "../identity.js";
import { local } from "../store.js";

/** @import { Answer } from "../data.js" */
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

/** @type {[Answer, "yes" | "no" | "unsure"][]} */
const ANSWERS = [
  [1, "yes"],
  [0, "no"],
  [-1, "unsure"],
];
const KEY = "bam.grid.keys";

/** The attribute of an element whose pictures are answered about by the keys while one of them has the focus. */
export const ANSWERED = "data-answered";

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

/** The preset of the annotator of this tab. */
export const presetHere = () => new KeyChoice().of(annotatorHere());

/**
 * The answer that a key gives under a preset; undefined if it gives none.
 *
 * @param {Preset} preset
 * @param {string} key
 * @returns {Answer | undefined}
 */
export function answerOf(preset, key) {
  const name = key.toLowerCase();
  return ANSWERS.find(([, word]) => preset[word].includes(name))?.[0];
}

/**
 * The keys that answer under a preset, each with its word: the one that stands for it.
 *
 * @param {Preset} preset
 * @returns {[key: string, word: string][]}
 */
export const answerKeys = (preset) => ANSWERS.map(([, word]) => [preset[word][0].toUpperCase(), word]);

/** @param {Element} target */
export function isField(target) {
  const editable = target instanceof HTMLElement && target.isContentEditable;
  return editable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}
