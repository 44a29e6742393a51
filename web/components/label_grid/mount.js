// The component of the labelling grid. The grid stays as it is while its assignment is the same.

import { isField } from "../keys/presets.js";
import { LabelGrid } from "./label_grid.js";

/** @import { Component, LabelGridData } from "../data.js" */

/** @type {WeakMap<Node, LabelGrid>} */
const grids = new WeakMap();
/** The assignment that was shown last in this tab. */
let last = "";

/** @param {Component<LabelGridData>} component */
export default function mount({ parentElement, data, setTriggerValue }) {
  let grid = grids.get(parentElement);
  let fresh = false;
  if (grid?.labels.assignment !== data.assignment) {
    grid?.remove();
    grid = new LabelGrid(parentElement, data);
    grid.follows = last !== "" && last !== data.assignment;
    last = data.assignment;
    grids.set(parentElement, grid);
    fresh = !document.activeElement || !isField(document.activeElement);
  }
  const shown = grid;
  shown.update(data, setTriggerValue);
  shown.listen();
  if (fresh) shown.focus(shown.at);
  return () => shown.rest();
}
