// A grid of thumbnails. In: data {pictures: [[row, caption, title, mark]], version, size, height, selected}.
// Out: trigger `picked` {row, click}, where `click` is unique. Text is set as text, never as markup; the list is rebuilt
// only when it changes.

const built = new WeakMap();

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const frame = built.get(parentElement)?.frame ?? makeFrame(parentElement);
  const state = built.get(parentElement);
  state.pick = (row) => setTriggerValue("picked", { row, click: `${Date.now()}-${Math.random()}` });
  frame.style.maxHeight = data.height ? `${data.height}px` : "";
  state.grid.style.setProperty("--cell", `${data.size}px`);
  const content = JSON.stringify([data.pictures, data.version]);
  if (content !== state.content) {
    state.content = content;
    state.grid.replaceChildren(...data.pictures.map((picture) => makeCell(picture, data.version)));
    frame.scrollTop = 0;
  }
  const selected = new Set(data.selected);
  for (const cell of state.grid.children) cell.classList.toggle("selected", selected.has(Number(cell.dataset.row)));
}

function makeFrame(parent) {
  const frame = document.createElement("div");
  frame.className = "frame";
  const grid = document.createElement("div");
  grid.className = "grid";
  frame.append(grid);
  parent.append(frame);
  const state = { frame, grid, content: "", pick: () => {} };
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest(".cell");
    if (cell) state.pick(Number(cell.dataset.row));
  });
  grid.addEventListener("keydown", (event) => moveFocus(event, grid));
  built.set(parent, state);
  return frame;
}

function makeCell([row, caption, title, mark], version) {
  const cell = document.createElement("button");
  cell.type = "button";
  cell.className = "cell";
  cell.dataset.row = row;
  cell.title = title;
  cell.setAttribute("aria-label", `${title || `image ${row}`}${caption ? `, ${caption}` : ""}`);
  const picture = makePicture(row, version, () => cell.classList.add("missing"));
  picture.loading = "lazy";
  cell.append(picture);
  if (mark) cell.append(makeText("mark " + mark, mark));
  if (caption) cell.append(makeText("words", caption));
  return cell;
}

function moveFocus(event, grid) {
  const cells = [...grid.children];
  const here = cells.indexOf(event.target.closest(".cell"));
  const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
  if (step === undefined || here < 0 || !cells[here + step]) return;
  event.preventDefault();
  event.stopPropagation(); // the page handles these keys too
  cells[here + step].focus();
}
