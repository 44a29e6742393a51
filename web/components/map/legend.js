// What the colours of the map mean. A click on a swatch selects its images, another one clears that.

import { add } from "../dom.js";

/** @import { View } from "./view.js" */

/** @param {View} view */
export function showLegend(view) {
  const { legend: box, theme, data } = view;
  const legend = theme === "dark" ? data.legendDark : data.legend;
  box.hidden = !legend || data.count === 0;
  box.replaceChildren();
  if (!legend) return;
  add(box, "div", "title", legend.title);
  if (legend.ramp) {
    add(box, "div", "ramp").style.background = `linear-gradient(to right, ${legend.ramp.join(", ")})`;
    const ends = add(box, "div", "ends");
    add(ends, "span", "", legend.low);
    add(ends, "span", "", legend.high);
  }
  const swatches = add(box, "div", "swatches");
  for (const { colour, label } of legend.swatches ?? []) {
    const line = add(swatches, "button", "line swatch");
    line.setAttribute("type", "button");
    line.setAttribute("aria-pressed", String(label === data.swatch));
    line.addEventListener("click", () => view.filter(label));
    add(line, "i").style.background = colour;
    add(line, "span", "", label);
  }
}
