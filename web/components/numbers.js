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
 * @returns {string} with two decimals
 */
export function decimal(value) {
  const text = value.toFixed(2);
  return text.replace("-", Number(text) ? "\u2212" : "");
}
