// The line that names the keys, with the choice of a preset. All lines of a page follow the choice made in one.

import { element } from "../dom.js";
import { annotatorHere } from "../identity.js";
import { KeyChoice, PRESETS, presetHere } from "./presets.js";

/** @import { Preset } from "./presets.js" */

const changes = new EventTarget();

/**
 * @param {(preset: Preset) => [key: string, does: string][]} hintsOf what each key does, in the order of the line
 * @param {() => void} [chosen] called once another preset was chosen in this line
 */
export function makeKeyHelp(hintsOf, chosen = () => {}) {
  const options = PRESETS.map(({ id, name }) => element("option", { value: id }, name));
  const select = element("select", { ariaLabel: "Keys that answer" }, ...options);
  const keys = element("span", { className: "names" });
  const box = element("p", { className: "hints" }, element("label", {}, "Keys", select), keys);
  const help = {
    box,
    preset: presetHere(),
    /** Follow the annotator of this tab, and show the keys. */
    refresh: () => {
      help.preset = presetHere();
      select.value = help.preset.id;
      keys.replaceChildren(
        ...hintsOf(help.preset).map(([key, does]) => element("span", {}, element("kbd", {}, key), ` ${does}`)),
      );
    },
  };
  select.addEventListener("change", () => {
    new KeyChoice().choose(annotatorHere(), select.value);
    changes.dispatchEvent(new Event("change"));
    chosen();
  });
  changes.addEventListener("change", help.refresh);
  help.refresh();
  return help;
}
