// The cells of the endless gallery: empty until their item has loaded, then a picture with its words.

import { element } from "../dom.js";
import { decimal, percent } from "../numbers.js";
import { makePicture, makeText } from "./cells.js";

/** @import { RemotePictures } from "./remote_pictures.js" */
/** @import { Item } from "./source.js" */

/**
 * @typedef {object} Cell
 * @property {HTMLElement} box
 * @property {number} index
 * @property {Item | null} item
 * @property {number} shift the scroller's shift when the cell was placed
 * @property {AbortController} [looking] ends when the cell is dropped, where its picture is fetched
 */

/**
 * @param {string} id
 * @param {number} index
 * @param {number} total
 * @returns {Cell}
 */
export function makeCell(id, index, total) {
  const box = element("div", { className: "cell waiting", id, role: "option" });
  box.setAttribute("aria-posinset", String(index + 1));
  box.setAttribute("aria-setsize", String(total));
  box.setAttribute("aria-label", `image ${index + 1}, loading`);
  box.dataset.index = String(index);
  return { box, index, item: null, shift: 0 };
}

/**
 * @param {Cell} cell
 * @param {Item} item
 * @param {string} version
 * @param {Promise<string | null>} coming the address of its picture
 * @param {RemotePictures | null} remote where a picture comes from that the collection does not have
 */
export function fillCell(cell, item, version, coming, remote) {
  const { box } = cell;
  cell.item = item;
  box.classList.remove("waiting");
  box.dataset.row = String(item.row);
  if (item.accepted !== null) box.classList.add(item.accepted ? "accepted" : "rejected");
  if (item.picture === null) showAbsent(cell, item, remote);
  else box.append(makePicture(item.picture, version, () => box.classList.add("missing"), coming));
  box.append(makeText("choose", ""));
  if (item.count > 1) box.append(makeText("twins", `× ${item.count}`));
  const words = [item.score === null ? "" : decimal(item.score), item.chance ? percent(item.chance[0]) : ""];
  box.append(makeText("words", item.words || words.filter(Boolean).join(" · ") || item.title));
  showMark(cell, item);
}

/**
 * Show the end of a URL, and in its place the picture once it has come, or why there is none.
 *
 * @param {Cell} cell
 * @param {Item} item
 * @param {RemotePictures | null} remote
 */
function showAbsent(cell, item, remote) {
  const place = makeText("picture absent", item.title);
  cell.box.append(place);
  if (!remote) return;
  cell.looking = new AbortController();
  place.classList.add("coming");
  void remote.load(item.row, cell.looking.signal).then((found) => {
    place.classList.remove("coming");
    if (found?.address) {
      const onMissing = () => cell.box.classList.add("missing");
      place.replaceWith(makePicture(item.row, "", onMissing, Promise.resolve(found.address)));
    } else if (found?.why) {
      place.append(makeText("why", found.why));
      place.title = found.why;
    }
  });
}

/**
 * Show an item's label on its cell, and what is known of the item.
 *
 * @param {Cell} cell
 * @param {Item} item
 */
export function showMark(cell, item) {
  const { box } = cell;
  cell.item = item;
  box.querySelector(".mark")?.remove();
  if (item.mark) box.append(makeText(`mark ${item.mark}`, item.mark));
  const lines = describeItem(item);
  box.title = lines.join("\n");
  box.setAttribute("aria-label", lines.join(", "));
}

/**
 * The description of an image, for its tooltip and for screen readers.
 *
 * @param {Item} item
 * @returns {string[]}
 */
export function describeItem({ title, score, chance, accepted, mark, count, words }) {
  const lines = words ? [title, words] : [title];
  if (score !== null) lines.push(`score ${decimal(score)}`);
  if (chance) lines.push(`probability ${percent(chance[0])} (${percent(chance[1])} to ${percent(chance[2])})`);
  if (accepted !== null) lines.push(accepted ? "accepted" : "rejected");
  if (mark) lines.push(`label: ${mark}`);
  if (count > 1) lines.push(`stands for ${count} near-duplicates`);
  return lines;
}

/**
 * Whether the picture of a cell has loaded, or there is none.
 *
 * @param {Cell} cell
 */
export function isLoaded({ box, item }) {
  if (item?.picture === null) return true;
  const picture = box.querySelector("img");
  return Boolean(picture?.hasAttribute("src") && picture.complete);
}
