// The parts of the endless gallery: its toolbar, its frame, one cell.

const PADDING = 4;
let galleries = 0;

Endless.prototype.build = function build(parent) {
  this.name = `bam-gallery-${(galleries += 1)}`;
  const bar = makePart("div", "bar", "");
  this.counted = makePart("output", "counted", "");
  this.goTo = Object.assign(document.createElement("input"), { type: "number", min: 1, className: "go" });
  this.goTo.placeholder = "number";
  this.goTo.setAttribute("aria-label", "Go to the image of this number");
  this.goTo.addEventListener("change", () => this.goTo.value && this.focus(Number(this.goTo.value) - 1, true));
  this.toThreshold = this.button("To the threshold", () => this.focus(this.listing.line, true));
  const as = makePart("span", "modes", "");
  as.setAttribute("role", "group");
  as.setAttribute("aria-label", "Arrangement");
  this.modes = ["grid", "rows"].map((mode) => this.button(mode === "grid" ? "Grid" : "Rows", () => this.arrange(mode)));
  as.append(...this.modes);
  const slider = Object.assign(document.createElement("input"), { type: "range", step: 10, className: "size" });
  Object.assign(slider, { min: SIZES.least, max: SIZES.most, value: this.size });
  slider.setAttribute("aria-label", "Size of the pictures");
  slider.addEventListener("input", () => this.resize(Number(slider.value)));
  bar.append(this.counted, this.goTo, this.toThreshold, as, slider);
  this.frame = makePart("div", "frame endless", "");
  Object.assign(this.frame, { tabIndex: 0, id: this.name });
  this.frame.setAttribute("role", "listbox");
  this.frame.setAttribute("aria-label", "Images");
  this.frame.setAttribute("aria-multiselectable", "true");
  this.spacer = makePart("div", "spacer", "");
  this.spacer.setAttribute("role", "presentation");
  this.field = makePart("div", "field", "");
  this.field.setAttribute("role", "presentation");
  this.marker = makePart("div", "threshold", "");
  this.marker.setAttribute("role", "presentation");
  this.spacer.append(this.field, this.marker);
  this.frame.append(this.spacer);
  this.status = makePart("div", "said", "");
  this.status.setAttribute("role", "status");
  this.parts = [bar, this.frame, this.status];
  parent.append(...this.parts);
  this.showMode();
};

Endless.prototype.button = function button(words, onClick) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: words });
  button.addEventListener("click", onClick);
  return button;
};

Endless.prototype.arrange = function arrange(mode) {
  if (mode === this.mode) return;
  const at = this.firstVisible();
  this.mode = mode;
  remember("mode", mode);
  this.showMode();
  this.lay(at);
};

Endless.prototype.showMode = function showMode() {
  this.modes.forEach((button, k) => button.setAttribute("aria-pressed", String((k === 1) === (this.mode === "rows"))));
};

Endless.prototype.resize = function resize(size) {
  const at = this.firstVisible();
  this.size = size;
  remember("size", size);
  this.lay(at);
};

Endless.prototype.count = function count(first, last) {
  const { total } = this.listing;
  const number = (value) => value.toLocaleString("en");
  this.counted.textContent = total ? `${number(first + 1)}–${number(last)} of ${number(total)}` : "no images";
  this.frame.dataset.first = first;
};

Endless.prototype.announce = function announce(words) {
  this.status.textContent = words;
};

Endless.prototype.trouble = function trouble(words) {
  if (words || this.troubled) this.announce(words ? `${words} Trying again …` : "");
  this.troubled = Boolean(words);
};

Endless.prototype.idOf = function idOf(i) {
  return `${this.name}-${i}`;
};

function makePart(tag, className, text) {
  const part = document.createElement(tag);
  part.className = className;
  part.textContent = text;
  return part;
}

function makeCell(id, i, total) {
  const cell = makePart("div", "cell waiting", "");
  Object.assign(cell, { id, index: i, item: null });
  cell.setAttribute("role", "option");
  cell.setAttribute("aria-posinset", i + 1);
  cell.setAttribute("aria-setsize", total);
  cell.setAttribute("aria-label", `image ${i + 1}, loading`);
  return cell;
}

function fillCell(cell, item, version, coming) {
  cell.item = item;
  cell.classList.remove("waiting");
  cell.dataset.row = item.row;
  if (item.accepted !== null) cell.classList.add(item.accepted ? "accepted" : "rejected");
  const lines = describeItem(item);
  cell.title = lines.join("\n");
  cell.setAttribute("aria-label", lines.join(", "));
  cell.append(makePicture(item.row, version, () => cell.classList.add("missing"), coming));
  cell.append(makeText("choose", ""));
  if (item.count > 1) cell.append(makeText("twins", `× ${item.count}`));
  if (item.mark) cell.append(makeText(`mark ${item.mark}`, item.mark));
  const words = [item.score === null ? "" : decimal(item.score), item.chance ? percent(item.chance[0]) : ""];
  const line = words.filter(Boolean).join(" · ") || item.title;
  cell.append(makeText("words", line));
}

// The description of an image, for its tooltip and for screen readers.
function describeItem({ title, score, chance, accepted, mark, count }) {
  const lines = [title];
  if (score !== null) lines.push(`score ${decimal(score)}`);
  if (chance) lines.push(`probability ${percent(chance[0])} (${percent(chance[1])} to ${percent(chance[2])})`);
  if (accepted !== null) lines.push(accepted ? "accepted" : "rejected");
  if (mark) lines.push(`label: ${mark}`);
  if (count > 1) lines.push(`stands for ${count} near-duplicates`);
  return lines;
}
