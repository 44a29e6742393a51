// Printing the view: a small form on the map; the server draws the sheet, the browser saves it.

import { add } from "../dom.js";

/** @import { View } from "./view.js" */

const PAPERS = {
  "a4-landscape": "A4 landscape",
  "a4-portrait": "A4 portrait",
  "a3-landscape": "A3 landscape",
  "a3-portrait": "A3 portrait",
};
const FORMATS = { png: "PNG, 300 dpi", "png-150": "PNG, 150 dpi", svg: "SVG, words as text" };

/** @param {View} view */
export function openSheet(view) {
  const sheet = (view.sheet ??= makeSheet(view));
  sheet.hidden = !sheet.hidden;
  view.tools.print.setAttribute("aria-expanded", String(!sheet.hidden));
  if (!sheet.hidden) sheet.querySelector("select")?.focus({ preventScroll: true });
}

/** @param {View} view */
function makeSheet(view) {
  const form = add(view.root, "form", "bam-sheet");
  form.hidden = true;
  form.setAttribute("aria-label", "Save this view for print");
  add(form, "div", "title", "Save this view for print");
  const paper = addChoice(form, "Paper", PAPERS);
  const format = addChoice(form, "File", FORMATS);
  const save = add(form, "button", "", "Save");
  save.type = "submit";
  const status = add(form, "div", "said");
  status.setAttribute("role", "status");
  const saveOnce = async () => {
    if (save.ariaDisabled === "true") return; // a disabled button would lose the focus
    save.ariaDisabled = "true";
    status.textContent = "Drawing …";
    status.textContent = await saveSheet(view, paper.value, format.value);
    save.ariaDisabled = "false";
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void saveOnce();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    openSheet(view);
    view.tools.print.focus({ preventScroll: true });
  });
  return form;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} label
 * @param {Record<string, string>} values
 */
function addChoice(form, label, values) {
  const line = add(form, "label");
  add(line, "span", "", label);
  const select = add(line, "select");
  for (const [value, words] of Object.entries(values)) select.add(new Option(words, value));
  return select;
}

/**
 * @param {View} view
 * @param {string} paper
 * @param {string} format
 * @returns {Promise<string>} the message to show
 */
async function saveSheet(view, paper, format) {
  const { lat, lng } = view.map.getCenter();
  const { x, y } = view.map.getSize();
  const { mapId, colour, selection, pictures } = view.data;
  const [ending, dpi = "300"] = format.split("-");
  const seen = { x: `${lng}`, y: `${lat}`, z: `${view.map.getZoom()}`, w: `${x}`, h: `${y}` };
  const query = new URLSearchParams({ ...seen, colour, pictures, paper, dpi });
  if (selection) query.set("only", selection);
  query.set("names", view.named ? "1" : "0");
  const address = `${location.origin}/api/maps/${encodeURIComponent(mapId)}/sheet.${ending}?${query}`;
  view.saving = new AbortController(); // leaving the map stops the drawing
  const reply = await fetch(address, { signal: view.saving.signal }).catch(() => null);
  if (!reply) return "The server cannot be reached. Try again.";
  if (!reply.ok) return (await reply.json().catch(() => null))?.error ?? "The sheet could not be drawn. Try again.";
  const file = await reply.blob();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "")?.[1] ?? `map.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return `Saved: ${(file.size / 1e6).toFixed(1)} MB`;
}
