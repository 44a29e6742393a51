// Keys and clicks of the endless gallery. Arrows, Page keys, Home and End move, with Shift they select; Enter opens;
// Space selects; Ctrl+A selects all, Escape none.

const MOVES = {
  ArrowLeft: (gallery, i) => i - 1,
  ArrowRight: (gallery, i) => i + 1,
  ArrowUp: (gallery, i) => gallery.layout.beyond(i, -1),
  ArrowDown: (gallery, i) => gallery.layout.beyond(i, 1),
  PageUp: (gallery, i) => gallery.page(i, -1),
  PageDown: (gallery, i) => gallery.page(i, 1),
  Home: () => 0,
  End: (gallery) => gallery.listing.total - 1,
};

Endless.prototype.onKey = function onKey(event) {
  if (!this.layout || !this.listing.total || event.altKey) return;
  const all = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a";
  const move = MOVES[event.key];
  if (all) this.choose(0, this.listing.total, true);
  else if (move) this.step(move(this, this.active), event.shiftKey);
  else if (event.key === "Enter") this.openImage(this.active);
  else if (event.key === " ") this.choose(this.active, this.active + 1, !this.choice.has(this.active));
  else if (event.key === "Escape" && this.choice.count) this.choose(0, this.listing.total, false);
  else return;
  event.preventDefault();
  event.stopPropagation();
};

Endless.prototype.onClick = function onClick(event) {
  const cell = event.target.closest(".cell");
  if (!cell) return;
  const before = this.active;
  this.focus(cell.index, false);
  if (event.shiftKey) this.choose(Math.min(before, cell.index), Math.max(before, cell.index) + 1, true);
  else if (event.ctrlKey || event.metaKey || event.target.closest(".choose")) {
    this.choose(cell.index, cell.index + 1, !this.choice.has(cell.index));
  } else this.openImage(cell.index);
};

Endless.prototype.step = function step(to, choosing) {
  const before = this.active;
  const now = Math.min(this.listing.total - 1, Math.max(0, to));
  if (choosing) this.choose(Math.min(before, now), Math.max(before, now) + 1, true);
  this.focus(now, false);
};

Endless.prototype.page = function page(i, way) {
  let at = i;
  const lines = Math.floor(this.scroller.view / (this.layout.box(i).height + WORDS + GAP));
  for (let left = Math.max(1, lines); left; left -= 1) {
    at = this.layout.beyond(at, way);
  }
  return at;
};

// Make an image active and scroll it into view; `top` puts it at the upper edge.
Endless.prototype.focus = function focus(i, top) {
  if (!this.layout || !this.listing.total) return;
  this.active = Math.min(this.listing.total - 1, Math.max(0, Math.floor(i) || 0));
  const { y, height } = this.layout.box(this.active);
  const { at, view } = this.scroller;
  const low = y + height + WORDS + 2 * PADDING;
  if (top) this.scroller.go(y - (this.active === this.listing.line ? view / 2 : 0));
  else if (y < at) this.scroller.go(y);
  else if (low > at + view) this.scroller.go(low - view);
  this.refresh();
};

Endless.prototype.choose = function choose(from, to, on) {
  if (!this.choice.set(from, to, on)) this.announce("That is too many pieces for one selection: choose with Shift.");
  this.refresh();
  const { id } = this.listing;
  clearTimeout(this.notifyTimer);
  this.notify = () => {
    clearTimeout(this.notifyTimer);
    this.notify = null;
    this.out.choose({ id, ranges: id === this.listing.id ? this.choice.ranges : [] });
  };
  this.notifyTimer = setTimeout(() => this.notify?.(), NOTIFY_AFTER);
};

// Open an image, or wait until its data have loaded.
Endless.prototype.openImage = function openImage(i) {
  const item = this.source.get(i);
  this.pick = item ? null : () => i === this.active && this.source.get(i) && this.openImage(i);
  if (item) this.out.pick({ index: i, row: item.row, click: `${Date.now()}-${Math.random()}` });
};
