// Writes numbers as bam_engine.formatting does.

/**
 * @param {number} share between 0 and 1
 * @returns {string}
 */
export function percent(share) {
  if (share > 0 && share < 0.0005) return "<0.1%";
  if (share >= 0.9995 && share < 1) return ">99.9%";
  return `${(100 * share).toFixed(1).replace(/\.0$/, "")}%`;
}

/**
 * @param {number} value
 * @param {number} [places]
 * @returns {string}
 */
export function decimal(value, places = 2) {
  const text = value.toFixed(places);
  return text.replace("-", Number(text) ? "\u2212" : "");
}

/**
 * @param {number} count
 * @returns {string}
 */
export function whole(count) {
  return count.toLocaleString("en-GB");
}
