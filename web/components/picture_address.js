// Turns the bytes of a picture into an address.

const PIECE = 8192; // bytes converted to text at once

/**
 * A data URL: hundreds of object URLs would take more than a third of a second, since each involves another process.
 *
 * @param {Uint8Array} bytes of a WebP or PNG image
 * @returns {string}
 */
export function addressOf(bytes) {
  const type = bytes[0] === 0x89 ? "png" : "webp"; // the first byte of each PNG file
  return `data:image/${type};base64,${bytes.toBase64?.() ?? inBase64(bytes)}`;
}

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function inBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(text);
}
