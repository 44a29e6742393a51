// The gallery of a listing of any length: only visible cells are in the DOM. In: data {listing {id, q, total, line,
// block}, version, line_text, height}. Out: trigger `picked` {index, row, click}; state `chosen` {id, ranges}.

const OVER = 0.6; // fraction of the view that is drawn beyond each edge
const LATER = 100; // milliseconds between checks whether all visible pictures have loaded after a jump
const MAX_CHECKS = 30; // after which the cells beyond the edges are drawn anyway
const SIZES = { least: 64, most: 360, usual: 150 };
const NOTIFY_AFTER = 250; // milliseconds until a changed selection is sent

class Endless {
  constructor(parent) {
    this.cells = new Map();
    this.choice = new Choice();
    this.active = 0;
    this.size = Number(remembered("size")) || SIZES.usual;
    this.mode = remembered("mode") === "rows" ? "rows" : "grid";
    this.build(parent);
    this.scroller = new Scroller(this.frame, this.spacer, (near) => this.draw(near));
    this.frame.addEventListener("keydown", (event) => this.onKey(event));
    this.field.addEventListener("click", (event) => this.onClick(event));
    this.watcher = new ResizeObserver(() => this.fit());
    this.watcher.observe(this.frame);
  }

  update(data, out) {
    this.out = out;
    this.version = data.version;
    this.frame.style.height = data.height ? `${data.height}px` : "";
    this.marker.textContent = data.line_text;
    this.toThreshold.hidden = !(data.listing.line > 0 && data.listing.line < data.listing.total);
    if (data.listing.id !== this.listing?.id && data.listing.id !== this.replaced) this.open(data.listing);
  }

  // Show another listing: from its start, or at the same position if it is the same query after a change.
  open(listing) {
    const same = this.listing?.q === listing.q;
    const at = same ? this.firstVisible() : Number(remembered(`at:${listing.q}`)) || 0;
    this.replaced = null;
    this.source?.close();
    this.listing = listing;
    this.shapes = null;
    this.source = new Source(listing, {
      block: (from, to) => this.arrived(from, to),
      moved: (now) => this.changed(now),
      again: () => this.draw(true),
      trouble: (words) => this.trouble(words),
    });
    this.choice.clear();
    this.notify?.();
    this.active = Math.min(at, Math.max(0, listing.total - 1));
    this.goTo.max = listing.total;
    this.empty();
    this.refresh();
    this.lay(at);
  }

  // The collection has changed: continue with the server's new listing of the same query.
  changed(now) {
    const before = this.listing.id;
    this.open(now);
    this.replaced = before;
    this.announce("The list has changed; this is how it is now.");
  }

  async lay(at) {
    const wide = this.frame.clientWidth - 2 * PADDING;
    if (wide <= 0) return;
    this.width = wide;
    const size = Math.min(this.size, Math.max(SIZES.least, wide / 2 - GAP));
    const { total, line } = this.listing;
    if (this.mode === "rows" && !this.shapes) {
      const { source, scroller } = this;
      const before = scroller.at;
      this.shapes = await source.shapes().catch((error) => void this.trouble(error.message));
      if (source !== this.source || !this.shapes) return;
      if (scroller.at !== before) at = this.firstVisible(); // the user has scrolled while the shapes were loading
    }
    this.layout = this.mode === "rows"
      ? new RowsLayout(this.shapes, wide, size, line)
      : new GridLayout(total, wide, size, line);
    this.empty();
    this.marker.hidden = this.layout.lineAt === null;
    this.frame.dataset.laid = this.mode; // rows are laid out once their shapes have loaded
    this.scroller.resize(this.layout.height + 2 * PADDING, this.topOf(at));
  }

  topOf(i) {
    return !i || !this.listing.total ? 0 : this.layout.box(Math.min(i, this.listing.total - 1)).y;
  }

  fit() {
    if (!this.listing) return;
    if (this.frame.clientWidth - 2 * PADDING === this.width) this.scroller.onMove(true);
    else this.lay(this.firstVisible());
  }

  firstVisible() {
    if (!this.layout || !this.listing.total) return 0;
    return this.layout.start(this.layout.lineFor(this.scroller.at + WORDS));
  }

  // The range of indices between two heights of the content.
  between(top, bottom) {
    if (!this.listing.total) return [0, 0];
    return [this.layout.start(this.layout.lineFor(top)), this.layout.end(this.layout.lineFor(bottom))];
  }

  draw(near) {
    const { layout, scroller } = this;
    if (!layout) return;
    const { at, view, shift } = scroller;
    const over = this.anyDrawn(at, view) ? OVER : 0; // after a jump, visible pictures come first
    const [from, to] = this.between(at - over * view, at + (1 + over) * view);
    clearTimeout(this.later);
    if (!over) this.drawOnceLoaded();
    for (const [i, cell] of this.cells) {
      if (i < from || i >= to) this.drop(i, cell);
      else if (cell.shift !== shift) this.place(cell, i);
    }
    for (let i = from; i < to; i += 1) if (!this.cells.has(i)) this.add(i);
    if (layout.lineAt !== null) this.marker.style.transform = `translateY(${layout.lineAt + PADDING - shift}px)`;
    const [first, last] = this.between(at + WORDS, at + view - GAP);
    this.count(first, last);
    clearTimeout(this.waiting);
    const fetch = () => this.source.want(from, to);
    if (near) fetch();
    else this.waiting = setTimeout(fetch, 40); // a drag of the scroll bar passes many images
    remember(`at:${this.listing.q}`, first);
  }

  // Draw the cells beyond the edges once all visible pictures have loaded.
  drawOnceLoaded(checks = 1) {
    this.later = setTimeout(() => {
      const seen = [...this.cells.values()].every((cell) => has(cell.querySelector("img")));
      if (seen || checks >= MAX_CHECKS) this.draw(true);
      else this.drawOnceLoaded(checks + 1);
    }, LATER);
  }

  // Whether any visible cell is drawn, or there is none.
  anyDrawn(at, view) {
    const [from, to] = this.between(at, at + view);
    for (let i = from; i < to; i += 1) if (this.cells.has(i)) return true;
    return to === from;
  }

  add(i) {
    const cell = makeCell(this.idOf(i), i, this.listing.total);
    this.cells.set(i, cell);
    this.place(cell, i);
    const item = this.source.get(i);
    if (item) fillCell(cell, item, this.version, this.source.picture(i));
    this.mark(i, cell);
    this.field.append(cell);
  }

  place(cell, i) {
    const { x, y, width, height } = this.layout.box(i);
    cell.shift = this.scroller.shift;
    cell.style.transform = `translate(${x + PADDING}px, ${y + PADDING - cell.shift}px)`;
    cell.style.width = `${width}px`;
    cell.style.setProperty("--high", `${height}px`);
  }

  mark(i, cell) {
    const chosen = this.choice.has(i);
    cell.classList.toggle("selected", chosen);
    cell.classList.toggle("active", i === this.active);
    cell.setAttribute("aria-selected", String(chosen));
  }

  drop(i, cell) {
    cell.querySelector("img")?.removeAttribute("src"); // cancels the loading
    cell.remove();
    this.cells.delete(i);
  }

  empty() {
    for (const [i, cell] of this.cells) this.drop(i, cell);
  }

  arrived(from, to) {
    for (const [i, cell] of this.cells) {
      if (i >= from && i < to && !cell.item) fillCell(cell, this.source.get(i), this.version, this.source.picture(i));
    }
    this.pick?.();
  }

  refresh() {
    for (const [i, cell] of this.cells) this.mark(i, cell);
    this.frame.setAttribute("aria-activedescendant", this.idOf(this.active));
    this.field.classList.toggle("choosing", this.choice.count > 0);
  }

  // Move to another parent, as it was but with an empty selection: the user has left the page and returned.
  reattach(parent) {
    this.notify = this.pick = null;
    this.announce("");
    parent.append(...this.parts);
    this.scroller.put();
    if (this.choice.count) this.choose(0, this.listing.total, false);
    this.refresh();
  }

  dispose() {
    this.source?.close();
    this.watcher.disconnect();
    clearTimeout(this.waiting);
    clearTimeout(this.later);
    clearTimeout(this.notifyTimer);
  }
}

function has(picture) {
  return picture?.hasAttribute("src") && picture.complete;
}

function remembered(name) {
  try {
    return sessionStorage.getItem(`bam-gallery-${name}`);
  } catch {
    return null; // storage is disabled
  }
}

function remember(name, value) {
  try {
    sessionStorage.setItem(`bam-gallery-${name}`, String(value));
  } catch {
    // storage is disabled
  }
}
