// Shared by the galleries: the picture of a row and its labels.

import { element } from "../dom.js";

/**
 * @param {number} row
 * @param {string} version
 * @param {() => void} onMissing
 * @param {Promise<string | null>} [coming] the picture's address, or nothing: then it is loaded by its row
 */
export function makePicture(row, version, onMissing, coming) {
  const about = { className: "picture", decoding: "async", alt: "", draggable: false };
  const picture = element("img", about);
  picture.addEventListener("error", onMissing, { once: true });
  const own = `/thumbs/${row}.webp?v=${encodeURIComponent(version)}`;
  if (!coming) picture.src = own;
  else void coming.then((address) => picture.isConnected && (picture.src = address ?? own));
  return picture;
}

/**
 * @param {string} className
 * @param {string} text
 */
export function makeText(className, text) {
  return element("span", { className }, text);
}
