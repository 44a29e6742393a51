// Which areas a list names, in which order. No DOM.

/** @import { RegionName } from "../data.js" */

/**
 * The areas of a list: each name once, where it covers most images, largest first.
 *
 * @param {RegionName[]} names
 * @returns {RegionName[]}
 */
export function listed(names) {
  /** @type {Map<string, RegionName>} */
  const largest = new Map();
  for (const one of names) if (one.count > (largest.get(one.name)?.count ?? 0)) largest.set(one.name, one);
  return [...largest.values()].sort((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1));
}
