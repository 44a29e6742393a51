// What the galleries share: the picture of a row, words on it. Text is set as text only.

function makePicture(row, version, onMissing) {
  const picture = document.createElement("img");
  picture.className = "picture";
  picture.decoding = "async";
  picture.alt = "";
  picture.draggable = false;
  picture.addEventListener("error", onMissing, { once: true });
  picture.src = `/thumbs/${row}.webp?v=${encodeURIComponent(version)}`;
  return picture;
}

function makeText(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}
