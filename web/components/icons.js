// Small drawings, in the colour of the text around them.

export const CHECK = "M3 8.5 6.5 12 13 4.5";
export const CROSS = "M4 4 12 12M12 4 4 12";
export const PASS = "M3.5 3.5 9 8 3.5 12.5M12.5 3.5v9";
export const WAVE = "M2 9.5c2-4 4-4 6-1s4 3 6-1";
export const LENS = "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.5 10.5 14 14";

/** @param {string} path */
export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const round = { "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round" };
  const about = { d: path, fill: "none", stroke: "currentColor", ...round };
  for (const [name, value] of Object.entries(about)) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}
