// The component of a grid of given thumbnails. Out: triggers `picked` and `guided` {row, click}, where `click` is unique:
// a picture was clicked, or is to be added to the guidelines. The list is rebuilt only when it changes.

import { element } from "../dom.js";
import { newId } from "../ids.js";
import { makeCell } from "./cells.js";
import { Correcting } from "./correcting.js";
import { cellAt, cellsOf, moveFocus } from "./focus.js";

/** @import { Component, GalleryData } from "../data.js" */

/** @typedef {ReturnType<typeof build>} Built */
/** @type {WeakMap<Node, Built>} */
const built = new WeakMap();

/** @param {Component<GalleryData>} component */
export default function mount({ parentElement, data, setTriggerValue }) {
  let state = built.get(parentElement);
  if (!state) built.set(parentElement, (state = build(parentElement)));
  const { frame, grid, correcting } = state;
  state.send = (name, row) => setTriggerValue(name, { row, click: newId() });
  frame.style.maxHeight = data.height ? `${data.height}px` : "";
  grid.style.setProperty("--cell", `${data.size}px`);
  const content = JSON.stringify([data.pictures, data.version, data.answering]);
  if (content !== state.content) {
    state.content = content;
    correcting.update(data.answering);
    const cells = data.pictures.map((picture) => correcting.around(makeCell(picture, data.version), picture));
    const rows = data.pictures.map(([row]) => row).join(" ");
    if (rows === state.rows) redraw(frame, grid, cells);
    else {
      grid.replaceChildren(...cells);
      frame.scrollTop = 0;
    }
    state.rows = rows;
  }
  const selected = new Set(data.selected.map(String));
  for (const cell of cellsOf(grid)) cell.classList.toggle("selected", selected.has(cell.dataset.row ?? ""));
}

/**
 * Draw the same pictures again where they were scrolled to; the one that has the focus keeps it.
 *
 * @param {HTMLElement} frame
 * @param {HTMLElement} grid
 * @param {HTMLElement[]} cells
 */
function redraw(frame, grid, cells) {
  const root = grid.getRootNode();
  const focused = root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
  const place = cellsOf(grid).findIndex((cell) => cell === focused);
  const { scrollTop } = frame;
  grid.replaceChildren(...cells);
  frame.scrollTop = scrollTop;
  if (place >= 0) cellsOf(grid)[place].focus({ preventScroll: true });
}

/** @param {ParentNode} parent */
function build(parent) {
  const grid = element("div", { className: "grid" });
  const frame = element("div", { className: "frame" }, grid);
  parent.append(frame);
  const correcting = new Correcting(parent, grid, (row) => state.send("guided", row));
  const state = {
    frame,
    grid,
    correcting,
    content: "",
    rows: "",
    send: (/** @type {string} */ _name, /** @type {number} */ _row) => {},
  };
  grid.addEventListener("click", (event) => {
    const cell = cellAt(event);
    if (cell) state.send("picked", Number(cell.dataset.row));
  });
  grid.addEventListener("keydown", (event) => moveFocus(event, grid));
  return state;
}
