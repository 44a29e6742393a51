// Called by Streamlit at every rerun of the script. The grid stays as it is while its assignment is the same.

const grids = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  let grid = grids.get(parentElement);
  if (grid?.labels.assignment !== data.assignment) {
    grid?.remove();
    grid = new LabelGrid(parentElement, data);
    grids.set(parentElement, grid);
    const busy = document.activeElement;
    if (!busy || !isField(busy)) grid.box.dataset.fresh = "yes";
  }
  grid.update(data, setTriggerValue);
  grid.listen();
  if (grid.box.dataset.fresh) {
    delete grid.box.dataset.fresh;
    grid.focus(grid.at);
  }
  return () => grid.rest();
}
