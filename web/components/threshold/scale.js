// Places on the histogram, in per cent of its width and height, and its outlines. No DOM.

/** @import { Bars, Histogram } from "../data.js" */

/**
 * The place of a score from the left; scores beyond the axis are at its end.
 *
 * @param {Histogram} histogram
 * @param {number} score
 * @returns {number}
 */
export function across({ limits: [low, high] }, score) {
  return high > low ? Math.min(Math.max((100 * (score - low)) / (high - low), 0), 100) : 50;
}

/**
 * The score at a place from the left.
 *
 * @param {Histogram} histogram
 * @param {number} place
 * @returns {number}
 */
export function scoreAt({ limits: [low, high] }, place) {
  return low + (place / 100) * (high - low);
}

/**
 * The place of a number of images from the top, on a logarithmic axis.
 *
 * @param {Histogram} histogram
 * @param {number} count
 * @returns {number}
 */
export function down({ counts: [low, high] }, count) {
  return 100 - (100 * Math.log(Math.max(count, low) / low)) / Math.log(high / low);
}

/**
 * The outline of a series as the path of an SVG of 100 × 100 units.
 *
 * @param {Histogram} histogram
 * @param {Bars} bars
 * @returns {string}
 */
export function outline(histogram, { runs }) {
  const [floor] = histogram.counts;
  const parts = runs.map((run) => {
    let path = `M${round(across(histogram, run[0][0]))} ${round(down(histogram, floor))}`;
    for (const [score, count] of run) path += `H${round(across(histogram, score))}V${round(down(histogram, count))}`;
    return path;
  });
  return parts.join("");
}

/**
 * The numbers of images that the axis names: powers of ten.
 *
 * @param {Histogram} histogram
 * @returns {number[]}
 */
export function countTicks({ counts: [low, high] }) {
  const ticks = [];
  for (let tick = 1; tick <= high; tick *= 10) if (tick >= low) ticks.push(tick);
  return ticks;
}

/**
 * The scores that the axis names: about `most` round numbers.
 *
 * @param {Histogram} histogram
 * @param {number} most
 * @returns {number[]}
 */
export function scoreTicks({ limits: [low, high] }, most = 7) {
  if (!(high > low)) return [low];
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((each) => each * power >= rough) ?? 10);
  const ticks = [];
  for (let tick = Math.ceil(low / step); tick * step <= high; tick += 1)
    ticks.push(Number((tick * step).toPrecision(6)));
  return ticks;
}

/** @param {number} place */
const round = (place) => Math.round(100 * place) / 100;
