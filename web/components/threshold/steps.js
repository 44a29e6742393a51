// The thresholds that can be set: where a pointer and a key lead among them, and what each accepts. No DOM.

/** @import { ThresholdData } from "../data.js" */

const PAGE = 10; // thresholds that Page Up and Page Down pass

/**
 * The place of the threshold that is closest to a value; of two, the lower one. −1 where there is none.
 *
 * @param {number[]} thresholds ascending
 * @param {number} value
 * @returns {number}
 */
export function closest(thresholds, value) {
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (thresholds[middle] < value) low = middle + 1;
    else high = middle;
  }
  if (low === thresholds.length) return low - 1;
  return low > 0 && value - thresholds[low - 1] <= thresholds[low] - value ? low - 1 : low;
}

/**
 * The place that a pointer at a value means: a named threshold within reach before all others.
 *
 * @param {number[]} thresholds ascending
 * @param {number[]} named among them
 * @param {number} value
 * @param {number} reach
 * @returns {number}
 */
export function pointed(thresholds, named, value, reach) {
  const near = named.filter((each) => Math.abs(each - value) <= reach);
  near.sort((one, other) => Math.abs(one - value) - Math.abs(other - value));
  return closest(thresholds, near[0] ?? value);
}

/**
 * The place that a key leads to, from the first to the last; null for a key that moves nothing.
 *
 * @param {number} at
 * @param {string} key
 * @param {number} count
 * @returns {number | null}
 */
export function moved(at, key, count) {
  const steps = new Map([
    ["ArrowLeft", at - 1],
    ["ArrowDown", at - 1],
    ["ArrowRight", at + 1],
    ["ArrowUp", at + 1],
    ["PageDown", at - PAGE],
    ["PageUp", at + PAGE],
    ["Home", 0],
    ["End", count - 1],
  ]);
  const to = steps.get(key);
  return to === undefined ? null : Math.min(Math.max(to, 0), count - 1);
}

/**
 * What a threshold accepts, and which labels are on the other side of it.
 *
 * @param {ThresholdData} data
 * @param {number} at
 */
export function countsAt(data, at) {
  const byClassifier = data.byClassifier[at];
  return {
    value: data.thresholds[at],
    accepted: data.byPeople + byClassifier,
    byPeople: data.byPeople,
    byClassifier,
    noAbove: data.noAbove[at],
    yesBelow: data.yesBelow[at],
    certified: data.certified[at],
  };
}
