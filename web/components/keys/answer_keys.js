// The keys of the buttons that answer about one image: pressing a key of the preset presses the button. In: the key of
// the buttons, which Streamlit turns into their classes.

import { makeKeyHelp } from "./help.js";
import { ANSWERED, answerKeys, answerOf, isField } from "./presets.js";

/** @import { AnswerKeysData, Answer, Component } from "../data.js" */
/** @import { Preset } from "./presets.js" */

/** @type {Record<Answer, string>} */
const WORDS = { 1: "yes", 0: "no", [-1]: "unsure" };

/**
 * The word of the button that a key presses; undefined if it presses none.
 *
 * @param {string} key
 * @param {Preset} preset
 */
export function buttonOf(key, preset) {
  const answer = answerOf(preset, key);
  if (answer !== undefined) return WORDS[answer];
  return key.toLowerCase() === "z" ? "undo" : undefined;
}

/**
 * Whether a dialog of the page is open over an element.
 *
 * @param {Element} box
 */
function isBehindDialog(box) {
  const root = box.getRootNode();
  const dialog = document.querySelector("[aria-modal=true]");
  return dialog !== null && !dialog.contains(root instanceof ShadowRoot ? root.host : box);
}

/** @type {WeakMap<Node, ReturnType<typeof makeKeyHelp>>} */
const helps = new WeakMap();

/** @param {Component<AnswerKeysData>} component */
export default function mount({ parentElement, data }) {
  let help = helps.get(parentElement);
  if (!help) {
    help = makeKeyHelp((preset) => [...answerKeys(preset), ["Z", "undo"], ["← →", "previous, next"]]);
    helps.set(parentElement, help);
    parentElement.append(help.box);
  }
  const shown = help;
  shown.refresh();
  const listening = new AbortController();
  document.addEventListener("keydown", (event) => press(event), { capture: true, signal: listening.signal });

  /** @param {KeyboardEvent} event */
  function press(event) {
    const target = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (!(target instanceof Element) || isField(target) || isBehindDialog(shown.box)) return;
    if (target.closest(`[${ANSWERED}]`)) return; // that picture is answered about
    const word = buttonOf(event.key, shown.preset);
    const button = word && document.querySelector(`.st-key-${data.key}-answer-${word} button`);
    if (!(button instanceof HTMLButtonElement) || button.disabled) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    button.click();
  }
  return () => listening.abort();
}
