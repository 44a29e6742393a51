// A button that folds a panel of the page away. The panel is Streamlit's: its CSS reads an attribute of the document.

import { element } from "../dom.js";
import { local, session } from "../store.js";

/** @import { Component, FoldData } from "../data.js" */
/** @import { Store } from "../store.js" */

const WIDE = "(min-width: 1200px)"; // as in web/gallery_filters.py

/**
 * Whether the panel is open: by what was chosen at such a width, and else where there is room for it.
 *
 * @param {string} name of the panel
 * @param {boolean} wide
 * @param {{ browser: Pick<Store, "read">, tab: Pick<Store, "read"> }} kept
 */
export function isOpen(name, wide, { browser, tab }) {
  const chosen = (wide ? browser : tab).read(keyOf(name, wide));
  return typeof chosen === "boolean" ? chosen : wide;
}

/**
 * @param {string} name
 * @param {boolean} wide
 */
export const keyOf = (name, wide) => `bam.fold.${name}.${wide ? "wide" : "narrow"}`;

/** @type {WeakMap<Node, ReturnType<typeof makeButton>>} */
const buttons = new WeakMap();

/** @param {FoldData} data */
function makeButton({ name, label: words }) {
  const width = matchMedia(WIDE);
  const count = element("span", { className: "count" });
  const icon = element("span", { className: "icon" });
  const box = element("button", { type: "button", className: "fold" }, icon, words, count);
  const show = () => {
    const open = isOpen(name, width.matches, { browser: local, tab: session });
    document.documentElement.setAttribute(`data-bam-${name}`, open ? "open" : "closed");
    box.setAttribute("aria-expanded", String(open));
    box.title = `${open ? "Fold away the" : "Show the"} ${words.toLowerCase()}`;
  };
  box.addEventListener("click", () => {
    (width.matches ? local : session).write(keyOf(name, width.matches), box.getAttribute("aria-expanded") !== "true");
    show();
  });
  width.addEventListener("change", show);
  show();
  return { box, count };
}

/** @param {Component<FoldData>} component */
export default function mount({ parentElement, data }) {
  let button = buttons.get(parentElement);
  if (!button) {
    buttons.set(parentElement, (button = makeButton(data)));
    parentElement.append(button.box);
  }
  button.count.textContent = data.count ? String(data.count) : "";
  button.box.setAttribute("aria-label", data.count ? `${data.label}, ${data.count} set` : data.label);
}
