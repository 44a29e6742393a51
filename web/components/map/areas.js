// The list of the named areas, largest first; a click goes to one.

import { add } from "../dom.js";
import { whole } from "../numbers.js";
import { listed } from "./area_list.js";
import { showPressed } from "./tools.js";

/** @import { View } from "./view.js" */

/**
 * Open or close the list.
 *
 * @param {View} view
 */
export function toggleAreas(view) {
  view.areas.hidden = !view.areas.hidden;
  showPressed(view, "areas", !view.areas.hidden);
  drawAreas(view);
}

/** @param {View} view */
export function drawAreas(view) {
  if (view.areas.hidden) return;
  view.areas.replaceChildren();
  add(view.areas, "div", "title", "Areas");
  const areas = listed(view.names);
  if (!areas.length) add(view.areas, "div", "none", "No area has a name yet.");
  for (const area of areas) {
    const line = add(view.areas, "button", "line area");
    line.setAttribute("type", "button");
    line.title = area.why;
    add(line, "span", "", area.name);
    add(line, "span", "count", whole(area.count));
    line.addEventListener("click", () => view.map.setView([area.y, area.x], Math.min(area.from + 1, area.to)));
  }
}
