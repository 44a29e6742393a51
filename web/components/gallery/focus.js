// The arrow keys in a grid of pictures.

/** @param {HTMLElement} grid @returns {HTMLElement[]} */
export const cellsOf = (grid) => [...grid.querySelectorAll(".cell")].filter((cell) => cell instanceof HTMLElement);

/**
 * @param {Event} event
 * @returns {HTMLElement | null}
 */
export function cellAt({ target }) {
  const cell = target instanceof Element ? target.closest(".cell") : null;
  return cell instanceof HTMLElement ? cell : null;
}

/**
 * Move the focus to the picture that an arrow key leads to.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} grid
 */
export function moveFocus(event, grid) {
  const cells = cellsOf(grid);
  const cell = cellAt(event);
  const here = cell ? cells.indexOf(cell) : -1;
  const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  const steps = new Map([
    ["ArrowRight", 1],
    ["ArrowLeft", -1],
    ["ArrowDown", columns],
    ["ArrowUp", -columns],
  ]);
  const step = steps.get(event.key);
  if (step === undefined || here < 0 || !cells[here + step]) return;
  event.preventDefault();
  event.stopPropagation(); // the page handles these keys too
  cells[here + step].focus();
}
