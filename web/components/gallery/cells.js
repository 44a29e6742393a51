// Shared by the galleries: the picture of a row and its labels.

import { element } from "../dom.js";

/** @import { GalleryPicture } from "../data.js" */

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

/**
 * A button with a thumbnail, its label and its caption.
 *
 * @param {GalleryPicture} picture
 * @param {string} version
 */
export function makeCell([row, caption, title, mark], version) {
  const ariaLabel = `${title || `image ${row}`}${caption ? `, ${caption}` : ""}`;
  const cell = element("button", { type: "button", className: "cell", title, ariaLabel });
  cell.dataset.row = String(row);
  const picture = makePicture(row, version, () => cell.classList.add("missing"));
  picture.loading = "lazy";
  cell.append(picture);
  if (mark) cell.append(makeText(`mark ${mark}`, mark));
  if (caption) cell.append(makeText("words", caption));
  return cell;
}
