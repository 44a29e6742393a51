// Pictures that came many in one answer, as addresses. Shared: it stands before the other files of a component.

const PIECE = 8192; // bytes turned into text at once

// The picture itself as its address: hundreds of object URLs cost more than a third of a second, each being told to
// another process.
function addressOf(bytes) {
  return `data:image/webp;base64,${bytes.toBase64?.() ?? inBase64(bytes)}`;
}

function inBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(text);
}
