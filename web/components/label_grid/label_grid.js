// The labelling grid: pages of pictures, marked by key, click or touch, and submitted by Enter. The files outbox.js,
// labels.js and pictures.js precede this one in the same module.

const SIZES = [104, 156, 248]; // minimum width of a cell in pixels: small, medium, large
const SIZE_KEY = "bam.grid.size";
const INSTRUCTIONS_KEY = "bam.grid.instructions";
const PAGES_AHEAD = 3;
const SETTLING = 400; // milliseconds after a new page in which Enter is ignored, as a repeat of the one before
const HINTS = [
  ["← ↑ → ↓", "move"],
  ["1", "yes"],
  ["0", "no"],
  ["space", "turn"],
  ["U", "unsure"],
  ["V", "enlarge"],
  ["Z", "undo"],
  ["Enter", "save"],
];

const many = (count, one, more = `${one}s`) => `${count} ${count === 1 ? one : more}`;

class LabelGrid {
  constructor(root, data) {
    this.outbox = Outbox.shared();
    this.labels = Labels.of(data, this.outbox.of(data.assignment).flatMap((batch) => batch.answers));
    this.large = new LargeView(() => this.focus(this.at));
    this.build();
    root.append(this.box);
    this.columns = 0;
    this.showPage();
  }

  // Building

  build() {
    const part = (tag, className, properties = {}, ...children) =>
      (this[className] = element(tag, { className, ...properties }, ...children));
    part("div", "question", { role: "heading", ariaLevel: "2" });
    part("div", "text");
    const open = store.read(INSTRUCTIONS_KEY) ?? innerWidth > 600;
    part("details", "instructions", { open }, element("summary", {}, "What counts"), this.text);
    this.instructions.addEventListener("toggle", () => store.write(INSTRUCTIONS_KEY, this.instructions.open));
    part("div", "progress");
    this.filled = element("div");
    part("div", "grid", { role: "grid" });
    part("div", "done", { hidden: true, tabIndex: -1 });
    part("button", "save", { type: "button" });
    part("button", "back", { type: "button", title: "Undo, or back to the page before (Z)" }, "Back");
    part("span", "state", { role: "status" });
    part("p", "notice", { hidden: true });
    part("div", "unheard", { ariaLive: "polite" });
    this.save.addEventListener("click", () => this.submit());
    this.back.addEventListener("click", () => this.undo());
    this.bar = element("div", { className: "bar" }, this.save, this.back, this.state);
    this.hints = element("p", { className: "hints" });
    for (const [key, does] of HINTS) this.hints.append(element("span", {}, element("kbd", {}, key), ` ${does}`));
    this.bar.append(this.hints, this.notice);
    this.box = element(
      "div",
      { className: "bam" },
      element("div", { className: "top" }, this.question, this.sizeSlider()),
      this.instructions,
      this.progress,
      element("div", { className: "track", ariaHidden: "true" }, this.filled),
      this.grid,
      this.done,
      this.bar,
      this.unheard,
      this.large.box,
    );
  }

  sizeSlider() {
    const stored = store.read(SIZE_KEY);
    this.size = SIZES[stored] ? stored : 1;
    const slider = element("input", { type: "range", min: 0, max: SIZES.length - 1, step: 1, value: this.size });
    const name = () => slider.setAttribute("aria-valuetext", ["small", "medium", "large"][this.size]);
    name();
    slider.addEventListener("input", () => {
      this.size = Number(slider.value);
      store.write(SIZE_KEY, this.size);
      name();
      this.layOut();
    });
    return element("label", { className: "size" }, "Size", slider);
  }

  // Lifecycle: a rerun of the script calls update, leaving the page calls rest

  update(data, notifyPython) {
    this.notifyPython = notifyPython;
    this.labels.update(data);
    this.question.textContent = data.question;
    this.text.textContent = data.instructions;
    this.instructions.hidden = !data.instructions;
    this.grid.setAttribute("aria-label", data.question);
    this.refresh();
  }

  listen() {
    if (this.resting) return;
    this.resting = new AbortController();
    const { signal } = this.resting;
    document.addEventListener("keydown", (event) => this.onKey(event), { capture: true, signal });
    document.addEventListener("visibilitychange", () => this.tick(), { signal });
    const refresh = () => this.refresh();
    this.outbox.listeners.add(refresh);
    const sizes = new ResizeObserver(() => this.layOut());
    sizes.observe(this.grid);
    signal.addEventListener("abort", () => {
      this.outbox.listeners.delete(refresh);
      sizes.disconnect();
    });
    this.tick();
    this.layOut();
  }

  rest() {
    this.tick();
    this.resting?.abort();
    this.resting = null;
    if (this.large.open) this.large.close();
  }

  remove() {
    this.rest();
    this.views?.disconnect();
    this.box.remove();
  }

  // The current page

  showPage() {
    const { labels } = this;
    const images = labels.imagesOf(labels.page);
    const on = {
      toggle: (row) => this.mark(row, labels.mark(row) === YES ? NO : YES),
      unsure: (row) => this.mark(row, labels.mark(row) === UNSURE ? NO : UNSURE),
      enlarge: (row) => this.enlarge(row),
      settled: () => this.refresh(),
    };
    this.again = images.length > 0 && labels.unanswered(images) === 0;
    this.cells = [];
    for (const image of images) this.cells.push(new Cell(image, this.cells.length + 1, on));
    for (const cell of this.cells) cell.show(labels.mark(cell.row));
    this.at = 0;
    this.columns = 0;
    this.spent = 0;
    this.since = null;
    this.shownAt = performance.now();
    this.tick();
    this.watch();
    this.layOut();
    setTimeout(() => this.refresh(), SETTLING + 20);
  }

  // Show another page, scroll to it and focus its first picture
  turnTo(page) {
    this.labels.goTo(page);
    this.showPage();
    this.refresh();
    this.unheard.textContent = this.labels.finished ? "" : `Page ${page + 1} of ${this.labels.pages}`;
    if (this.grid.getBoundingClientRect().top < 0) (this.labels.finished ? this.done : this.grid).scrollIntoView();
    this.focus(0);
  }

  // A picture counts as seen once it has been visible
  watch() {
    this.views?.disconnect();
    const cells = new Map(this.cells.map((cell) => [cell.box, cell]));
    this.views = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) if (isIntersecting) cells.get(target).seen = true;
        this.refresh();
      },
      { threshold: 0.3, rootMargin: "0px 0px -40px 0px" },
    );
    for (const box of cells.keys()) this.views.observe(box);
  }

  layOut() {
    const gap = parseFloat(getComputedStyle(this.grid).columnGap) || 0;
    const columns = Math.max(1, Math.floor((this.grid.clientWidth + gap) / (SIZES[this.size] + gap)));
    if (columns === this.columns || !this.grid.clientWidth) return;
    this.columns = columns;
    this.grid.style.setProperty("--columns", columns);
    const focused = this.grid.contains(this.box.getRootNode().activeElement);
    const lines = [];
    for (let first = 0; first < this.cells.length; first += columns) {
      const boxes = this.cells.slice(first, first + columns).map((cell) => cell.box);
      lines.push(element("div", { className: "line", role: "row" }, ...boxes));
    }
    this.grid.replaceChildren(...lines);
    this.moveTo(this.at);
    if (focused) this.focus(this.at);
  }

  preload() {
    const { labels } = this;
    if (this.ahead?.page === labels.page) return;
    const after = (pages) => (labels.page + pages) * labels.perPage;
    const next = labels.images.slice(after(1), after(1 + PAGES_AHEAD));
    const images = next.map(({ row }) => element("img", { src: thumbnail(row) }));
    this.ahead = { page: labels.page, images }; // referenced, or the browser may drop them
  }

  // Measure how long the page has been visible
  tick() {
    const now = performance.now();
    if (this.since !== null) this.spent += now - this.since;
    this.since = document.hidden || !this.resting ? null : now;
  }

  // Marking

  mark(row, mark) {
    const place = this.cells.findIndex((cell) => cell.row === row);
    this.moveTo(place);
    if (this.cells[place].state === "failed") return;
    this.labels.setMark(row, mark);
    this.refresh();
  }

  step(mark) {
    this.mark(this.cells[this.at].row, mark);
    this.focus(this.at + 1);
  }

  undo() {
    const row = this.labels.undo();
    if (row !== undefined) {
      this.focus(this.cells.findIndex((cell) => cell.row === row));
      this.refresh();
    } else if (this.labels.page > 0) {
      this.turnTo(this.labels.page - 1);
    } else {
      this.unheard.textContent = "This is the first page; there is nothing to undo.";
    }
  }

  enlarge(row) {
    this.moveTo(this.cells.findIndex((cell) => cell.row === row));
    this.large.show(this.labels.images.find((image) => image.row === row), this.labels.mark(row));
  }

  moveTo(place) {
    this.at = Math.max(0, Math.min(place, this.cells.length - 1));
    for (const [index, cell] of this.cells.entries()) cell.box.tabIndex = index === this.at ? 0 : -1;
  }

  focus(place) {
    this.moveTo(place);
    if (this.large.open) return this.enlarge(this.cells[this.at].row);
    if (this.labels.finished) return this.done.focus({ preventScroll: true });
    const box = this.cells[this.at]?.box;
    box?.focus({ preventScroll: true });
    return box?.scrollIntoView({ block: "nearest" });
  }

  // Submitting

  // The effect of Enter in the current state: {does, text, answers}
  plan() {
    const of = (state) => this.cells.filter((cell) => cell.state === state);
    const ready = of("ready");
    const settled = this.cells.length - of("loading").length;
    const all = this.cells.length;
    if (settled < all) return { does: "wait", text: `Loading ${settled} of ${all} pictures` };
    if (!ready.length) return { does: "reload", text: "Try to load the pictures again" };
    const unseen = ready.filter((cell) => !cell.seen).length;
    if (unseen) return { does: "scroll", text: `Scroll on: ${many(unseen, "picture")} not seen yet` };
    const answers = this.labels.toSave(ready.map((cell) => cell.row));
    const countOf = (mark) => answers.filter(({ answer }) => answer === mark).length;
    const counts = [...MARK_NAMES].map(([mark, name]) => [countOf(mark), name]);
    const text = counts.filter(([count]) => count).map(([count, name]) => `${count} ${name}`).join(", ");
    if (!text) return { does: "save", text: this.again ? "Nothing changed: go on" : "Go on", answers };
    return { does: "save", text: this.again ? `Correct: ${text}` : `Save ${text}`, answers };
  }

  submit() {
    const { does, answers } = this.labels.finished ? { does: "wait" } : this.plan();
    if (does === "reload") for (const cell of this.cells) cell.load();
    if (does === "scroll") this.showUnseen();
    if (does !== "save" || performance.now() - this.shownAt < SETTLING) return this.refresh();
    this.tick();
    const seconds = Math.round(this.spent / Math.max(1, answers.length)) / 1000;
    const { labels, outbox } = this;
    labels.give(answers);
    if (answers.length) {
      outbox.put(labels.assignment, answers.map((answer) => ({ uid: newUid(), ...answer, seconds })));
      labels.reported = false;
    }
    return this.turnTo(labels.nextOpen(labels.page));
  }

  showUnseen() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const place = this.cells.findIndex((cell) => cell.state === "ready" && !cell.seen);
    this.moveTo(place);
    this.cells[place].box.focus({ preventScroll: true });
    this.cells[place].box.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
  }

  // Updating the DOM

  refresh() {
    const { labels, outbox } = this;
    const late = outbox.of(labels.assignment).flatMap((batch) => batch.answers);
    const unsaved = new Set(late.map(({ row }) => row));
    const total = labels.images.length;
    const saved = labels.images.filter(({ row }) => labels.answer(row) !== undefined && !unsaved.has(row)).length;
    const page = labels.finished ? "all pages" : `page ${labels.page + 1} of ${labels.pages}`;
    this.progress.textContent = `${page} · ${saved} of ${total} saved`;
    this.filled.style.transform = `scaleX(${total ? saved / total : 0})`;
    for (const cell of this.cells) cell.show(labels.mark(cell.row));
    for (const part of [this.grid, this.save, this.hints]) part.hidden = labels.finished;
    this.bar.hidden = labels.finished && !late.length;
    this.back.hidden = labels.finished || (labels.page === 0 && !labels.undone.length);
    this.done.hidden = !labels.finished;
    this.refreshState();
    if (labels.finished) this.refreshDone(saved, late.length);
    else this.refreshPlan();
  }

  refreshPlan() {
    const { does, text } = this.plan();
    this.save.textContent = text;
    const ready = does !== "wait" && performance.now() - this.shownAt >= SETTLING;
    this.save.setAttribute("aria-disabled", String(!ready));
    const failed = this.cells.filter((cell) => cell.state === "failed").length;
    this.notice.hidden = !failed;
    this.notice.textContent = `${many(failed, "picture")} could not be loaded and will stay unanswered.`;
    if (does !== "wait") this.preload();
    if (this.large.open) this.enlarge(this.cells[this.at].row);
  }

  refreshState() {
    const { labels, outbox } = this;
    const waiting = outbox.waiting(labels.assignment).length;
    const refused = outbox.refused(labels.assignment);
    let [text, level] = [labels.submitted ? "All answers saved" : "", ""];
    if (refused.length) {
      const count = refused.flatMap((batch) => batch.answers).length;
      [text, level] = [`${many(count, "answer")} refused and kept in this browser: ${refused[0].refused}`, "late"];
    } else if (waiting) {
      const late = [`Not saved yet: ${many(waiting, "answer")} waiting`, "late"];
      [text, level] = outbox.failures ? late : ["Saving…", ""];
    }
    if (this.state.textContent !== text) this.state.textContent = text;
    this.state.dataset.level = level;
  }

  refreshDone(saved, late) {
    const { labels } = this;
    const left = labels.unanswered();
    const texts = [late ? "That was the last page." : `All done: ${many(saved, "answer")} saved.`];
    if (late) texts.push("Keep this page open until everything is saved.");
    if (left) texts.push(`${many(left, "picture")} could not be loaded and stayed unanswered.`);
    const back = element("button", { type: "button" }, "Back to the last page");
    back.addEventListener("click", () => this.undo());
    const buttons = element("div", {}, back);
    if (left) {
      const retry = element("button", { type: "button" }, "Try the missing pictures again");
      retry.addEventListener("click", () => this.turnTo(labels.nextOpen(-1)));
      buttons.append(retry);
    }
    if (this.done.dataset.texts !== texts.join()) {
      this.done.replaceChildren(...texts.map((text) => element("p", {}, text)), buttons);
      this.done.dataset.texts = texts.join();
    }
    if (late || labels.reported || !labels.submitted) return;
    labels.reported = true;
    this.notifyPython("finished", { assignment: labels.assignment, answered: saved, unanswered: left });
  }
}
