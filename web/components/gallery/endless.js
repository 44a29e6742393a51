// The gallery of a listing of any length: only what is in sight is in the page. In: data {listing {id, q, total, line,
// block}, version, line_text, height}. Out: trigger `picked` {index, row, click}; state `chosen` {id, ranges}.

const OVER = 0.6; // of the view, drawn beyond its edges
const LATER = 100; // milliseconds between looks whether all in sight has come, where nothing of it was there before
const MOST_LOOKS = 30; // until that is drawn all the same
const SIZES = { least: 64, most: 360, usual: 150 };
const TOLD_AFTER = 250; // milliseconds until a choice is told

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

  // Show another listing: from its start, or in the same place where it is the same query after a change.
  open(listing) {
    const same = this.listing?.q === listing.q;
    const at = same ? this.firstSeen() : Number(remembered(`at:${listing.q}`)) || 0;
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
    this.told?.();
    this.active = Math.min(at, Math.max(0, listing.total - 1));
    this.goTo.max = listing.total;
    this.empty();
    this.refresh();
    this.lay(at);
  }

  // The collection has changed: go on in the listing that the server has made of the same query.
  changed(now) {
    const before = this.listing.id;
    this.open(now);
    this.replaced = before;
    this.say("The list has changed; this is how it is now.");
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
      if (scroller.at !== before) at = this.firstSeen(); // somebody went elsewhere while the shapes were on their way
    }
    this.layout = this.mode === "rows"
      ? new RowsLayout(this.shapes, wide, size, line)
      : new GridLayout(total, wide, size, line);
    this.empty();
    this.marker.hidden = this.layout.lineAt === null;
    this.frame.dataset.laid = this.mode; // rows are laid once their shapes have come
    this.scroller.resize(this.layout.height + 2 * PADDING, this.topOf(at));
  }

  topOf(i) {
    return !i || !this.listing.total ? 0 : this.layout.box(Math.min(i, this.listing.total - 1)).y;
  }

  fit() {
    if (!this.listing) return;
    if (this.frame.clientWidth - 2 * PADDING === this.width) this.scroller.onMove(true);
    else this.lay(this.firstSeen());
  }

  firstSeen() {
    if (!this.layout || !this.listing.total) return 0;
    return this.layout.start(this.layout.lineFor(this.scroller.at + WORDS));
  }

  // The indices that touch a stretch of the content.
  between(top, bottom) {
    if (!this.listing.total) return [0, 0];
    return [this.layout.start(this.layout.lineFor(top)), this.layout.end(this.layout.lineFor(bottom))];
  }

  draw(near) {
    const { layout, scroller } = this;
    if (!layout) return;
    const { at, view, shift } = scroller;
    const over = this.knows(at, view) ? OVER : 0; // after a jump, what is in sight comes first
    const [from, to] = this.between(at - over * view, at + (1 + over) * view);
    clearTimeout(this.later);
    if (!over) this.afterSeen();
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
    else this.waiting = setTimeout(fetch, 40); // a drag along the bar passes what nobody wants to see
    remember(`at:${this.listing.q}`, first);
  }

  // Draw what is beyond the edges once all in sight has come.
  afterSeen(looks = 1) {
    this.later = setTimeout(() => {
      const seen = [...this.cells.values()].every((cell) => has(cell.querySelector("img")));
      if (seen || looks >= MOST_LOOKS) this.draw(true);
      else this.afterSeen(looks + 1);
    }, LATER);
  }

  // Whether any of what is in sight is drawn; of nothing, all is.
  knows(at, view) {
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
    cell.querySelector("img")?.removeAttribute("src"); // a picture on its way is not waited for
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

  // Go on in another place of the document, as it was but with nothing chosen: the page was left and come back to.
  takeUp(parent) {
    this.told = this.pick = null;
    this.say("");
    parent.append(...this.parts);
    this.scroller.put();
    if (this.choice.count) this.choose(0, this.listing.total, false);
    this.refresh();
  }

  rest() {
    this.source?.close();
    this.watcher.disconnect();
    clearTimeout(this.waiting);
    clearTimeout(this.later);
    clearTimeout(this.telling);
  }
}

function has(picture) {
  return picture?.hasAttribute("src") && picture.complete;
}

function remembered(name) {
  try {
    return sessionStorage.getItem(`bam-gallery-${name}`);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function remember(name, value) {
  try {
    sessionStorage.setItem(`bam-gallery-${name}`, String(value));
  } catch {
    // a browser that keeps nothing
  }
}
