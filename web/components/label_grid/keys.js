// Keys, handled before anything else on the page, since Streamlit binds plain letters (c, r). Input fields keep theirs.

const CONTROLS = "button, a[href], summary, [role=button], [role=tab], [role=radio], [role=option], [role=menuitem]";

const KEYS = {
  ArrowLeft: (grid) => grid.focus(grid.at - 1),
  ArrowRight: (grid) => grid.focus(grid.at + 1),
  ArrowUp: (grid) => grid.at >= grid.columns && grid.focus(grid.at - grid.columns),
  ArrowDown: (grid) => grid.at + grid.columns < grid.cells.length && grid.focus(grid.at + grid.columns),
  Home: (grid) => grid.focus(0),
  End: (grid) => grid.focus(grid.cells.length - 1),
  1: (grid) => grid.step(YES),
  0: (grid) => grid.step(NO),
  " ": (grid) => grid.cells[grid.at].on.toggle(grid.cells[grid.at].row),
  u: (grid) => grid.cells[grid.at].on.unsure(grid.cells[grid.at].row),
  v: (grid) => (grid.large.open ? grid.large.close() : grid.enlarge(grid.cells[grid.at].row)),
  z: (grid) => grid.undo(),
  Enter: (grid) => (grid.large.open ? grid.large.close() : grid.submit()),
};
const ONCE = new Set(["Enter", "z", "v", "u", " "]); // not repeated while the key is held down

function isField(target) {
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

LabelGrid.prototype.onKey = function onKey(event) {
  const target = event.composedPath()[0];
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!(target instanceof Element) || isField(target) || !this.box.checkVisibility()) return;
  if (document.querySelector("[aria-modal=true]")) return; // a dialog of the page is open
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const control = target.closest(CONTROLS);
  const foreign = control && !this.box.contains(control);
  if (control && (foreign ? key.length > 1 || key === " " : key === "Enter" || key === " ")) return;
  const does = this.labels.finished && key !== "z" ? undefined : KEYS[key];
  if (!does && !/^[a-z]$/.test(key)) return;
  event.stopImmediatePropagation();
  if (!does) return;
  event.preventDefault();
  if (!(event.repeat && ONCE.has(key))) does(this);
};
