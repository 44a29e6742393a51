// What is said of a threshold. No DOM.

import { decimal, whole } from "../numbers.js";

/** @import { ThresholdData } from "../data.js" */

/** @typedef {ReturnType<typeof import("./steps.js").countsAt>} Counts */

/** What is measured at a threshold: it comes from the engine, and only once the threshold is set. */
/** @typedef {"moving" | "pending" | "measured"} Measuring */

/**
 * The figures below the histogram: name, value, and what it is made of.
 *
 * @param {ThresholdData} data
 * @param {Counts} counts
 * @param {Measuring} measuring
 * @returns {[name: string, value: string, note: string][]}
 */
export function figures(data, counts, measuring) {
  const guarantee = counts.certified ? `certified for ${data.target}` : `not certified for ${data.target}`;
  return [
    ["Threshold", decimal(counts.value, 3), guarantee],
    ["Accepted", whole(counts.accepted), `of ${whole(data.total)}: ${makers(counts)}`],
    ["Precision", ...measured(data.measured?.precision, measuring)],
    ["Recall", ...measured(data.measured?.recall, measuring)],
    ["Labelled no, at or above", whole(counts.noAbove), "never accepted"],
    ["Labelled yes, below", whole(counts.yesBelow), "accepted all the same"],
  ];
}

/**
 * What a screen reader says of the threshold.
 *
 * @param {Counts} counts
 * @returns {string}
 */
export function spoken(counts) {
  const others = `${whole(counts.noAbove)} labelled no at or above, ${whole(counts.yesBelow)} labelled yes below`;
  const certified = counts.certified ? "; certified" : "";
  return `${decimal(counts.value, 3)}: ${whole(counts.accepted)} accepted, ${makers(counts)}; ${others}${certified}`;
}

/** @param {Counts} counts */
function makers({ byPeople, byClassifier }) {
  return `${whole(byPeople)} by people, ${whole(byClassifier)} by the classifier`;
}

/**
 * @param {[value: string, note: string] | undefined} words the proportion and its limits
 * @param {Measuring} measuring
 * @returns {[value: string, note: string]}
 */
function measured(words, measuring) {
  if (measuring === "moving") return ["–", "let go to measure"];
  if (measuring === "pending") return ["–", "being measured"];
  return words ?? ["–", "not measured"];
}
