// Shared by the galleries: the picture of a row and its labels. Text is set as text, never as markup.

// `coming`, if given, is a promise of the picture's address, or of nothing: then it is loaded by its row.
function makePicture(row, version, onMissing, coming) {
  const picture = document.createElement("img");
  picture.className = "picture";
  picture.decoding = "async";
  picture.alt = "";
  picture.draggable = false;
  picture.addEventListener("error", onMissing, { once: true });
  const own = `/thumbs/${row}.webp?v=${encodeURIComponent(version)}`;
  if (!coming) picture.src = own;
  else coming.then((address) => picture.isConnected && (picture.src = address ?? own));
  return picture;
}

function makeText(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}
