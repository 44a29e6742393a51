// The state of one assignment: the answers given, the marks on the current page, and the undo history. Knows nothing of
// the DOM. Answers: 1 yes, 0 no, -1 unsure; a picture without a mark counts as no.

const YES = 1;
const NO = 0;
const UNSURE = -1;

class Labels {
  // One instance per assignment for the lifetime of the tab: Streamlit may mount the grid again with old data
  static of(data, waiting) {
    const name = Symbol.for("bam.labels");
    const instances = (globalThis[name] ??= new Map());
    if (!instances.has(data.assignment)) instances.set(data.assignment, new Labels(data, waiting));
    const labels = instances.get(data.assignment);
    labels.update(data);
    labels.goTo(Math.min(labels.page, labels.pages));
    return labels;
  }

  // `waiting`: earlier answers of this assignment that are not stored yet
  constructor(data, waiting) {
    this.assignment = data.assignment;
    this.given = new Map(waiting.map(({ row, answer }) => [row, answer])); // in this browser; overrides `known`
    this.update(data);
    this.marks = new Map(store.read(this.draftKey) ?? []);
    this.undone = [];
    this.submitted = waiting.length > 0;
    this.reported = false; // whether Python knows that the assignment is finished
    this.page = this.nextOpen(-1);
  }

  get draftKey() {
    return `bam.marks.${this.assignment}`;
  }

  update(data) {
    this.images = data.images;
    this.perPage = data.per_page;
    this.pages = Math.ceil(this.images.length / this.perPage);
    this.known = new Map(); // stored by the server
    for (const { row, answer } of this.images) if (answer !== null) this.known.set(row, answer);
  }

  get finished() {
    return this.page >= this.pages;
  }

  imagesOf(page) {
    return this.images.slice(page * this.perPage, (page + 1) * this.perPage);
  }

  answer(row) {
    return this.given.get(row) ?? this.known.get(row);
  }

  mark(row) {
    return this.marks.get(row) ?? this.answer(row) ?? NO;
  }

  unanswered(images = this.images) {
    return images.filter(({ row }) => this.answer(row) === undefined).length;
  }

  // the first page after `page` with an unanswered picture; the number of pages if there is none
  nextOpen(page) {
    let next = page + 1;
    while (next < this.pages && !this.unanswered(this.imagesOf(next))) next += 1;
    return Math.min(next, this.pages);
  }

  setMark(row, mark) {
    if (this.mark(row) === mark) return;
    this.undone.push([row, this.mark(row)]);
    this.keepMark(row, mark);
  }

  keepMark(row, mark) {
    this.marks.set(row, mark);
    store.write(this.draftKey, [...this.marks]);
  }

  // undo the last mark; return its row, or undefined
  undo() {
    const last = this.undone.pop();
    if (last) this.keepMark(...last);
    return last?.[0];
  }

  // the answers that submitting these rows would store: new ones and corrections
  toSave(rows) {
    return rows.filter((row) => this.answer(row) !== this.mark(row)).map((row) => ({ row, answer: this.mark(row) }));
  }

  give(answers) {
    for (const { row, answer } of answers) {
      this.given.set(row, answer);
      this.marks.delete(row);
    }
    if (this.marks.size) store.write(this.draftKey, [...this.marks]);
    else store.remove(this.draftKey);
    this.submitted ||= answers.length > 0;
  }

  goTo(page) {
    this.page = page;
    this.undone = [];
  }
}
