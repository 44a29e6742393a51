// The map in the browser: Leaflet over our tiles. Hover and pictures ask routes; only a click and a drawn area reach
// Python.
//
// The file area.js stands before this one in the same module.
//
// Streamlit calls the default function at every rerun with the same parentElement: the map is made once and kept, then
// told of what changed. Map coordinates are x, y in [0, 1], y down; Leaflet's latlng is (y, x).

const VIEWS = new WeakMap();
const TILE = 256;
const REACH = 12; // pixels around the pointer in which a point counts as hit
const KEPT_ANSWERS = 600;
const FAINT = 0.3; // points beneath pictures

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  let view = VIEWS.get(parentElement);
  if (!view) {
    view = makeView(parentElement);
    VIEWS.set(parentElement, view);
  }
  view.pick = (row) => setStateValue("picked", row === null ? null : { row, click: `${Date.now()}-${Math.random()}` });
  view.send = (area) => setStateValue("area", area);
  view.ready = view.ready.then(() => update(view, data)).catch((error) => complain(view, error));
  return () => setTimeout(() => leave(parentElement), 0);
}

// Streamlit also cleans up after calls that a newer one overtook; only a map that has left the page is taken down.
function leave(parentElement) {
  const view = VIEWS.get(parentElement);
  if (!view || parentElement.isConnected) return;
  VIEWS.delete(parentElement);
  view.gone = true;
  view.watcher?.disconnect();
  view.map?.remove();
}

function element(parent, name, className) {
  const made = document.createElement(name);
  if (className) made.className = className;
  parent.append(made);
  return made;
}

function makeView(parentElement) {
  const root = element(parentElement, "div", "bam-map");
  const view = { root, layers: [], answers: new Map(), data: null, map: null, wanted: null, busy: false, keys: false };
  view.field = element(root, "div");
  view.cross = element(root, "div", "bam-cross");
  view.legend = element(root, "div", "bam-legend");
  view.note = element(root, "div", "bam-note");
  view.card = element(root, "div", "bam-card");
  view.card.setAttribute("role", "status");
  view.picture = element(view.card, "img");
  view.title = element(view.card, "div", "title");
  view.score = element(view.card, "div", "score");
  for (const part of [view.cross, view.legend, view.note, view.card]) part.hidden = true;
  view.ready = import(location.origin + "/vendor/leaflet-src.esm.js").then((leaflet) => start(view, leaflet));
  return view;
}

function complain(view, error) {
  console.error(error);
  view.note.textContent = "The map could not be loaded. Reload the page.";
  view.note.hidden = false;
}

// ---- the map itself

function start(view, L) {
  view.L = L;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const unit = L.extend({}, L.CRS.Simple, { transformation: new L.Transformation(TILE, 0, TILE, 0) });
  view.map = L.map(view.field, {
    crs: unit,
    minZoom: 0,
    attributionControl: false,
    fadeAnimation: false,
    zoomAnimation: !calm,
    inertia: !calm,
    wheelPxPerZoomLevel: 90,
    maxBounds: [[-1.5, -1.5], [2.5, 2.5]],
    maxBoundsViscosity: 0.7,
    boxZoom: false, // dragging with Shift draws an area
  });
  addReset(view);
  addLasso(view);
  listen(view);
  view.watcher = new ResizeObserver(() => view.map.invalidateSize({ pan: false }));
  view.watcher.observe(view.root);
}

// As close as the whole map fits.
function home(view, animate = false) {
  const { x, y } = view.map.getSize();
  const [left, top, right, bottom] = view.data.bounds;
  const fits = Math.min(x / Math.max(right - left, 1e-3), y / Math.max(bottom - top, 1e-3)) / TILE;
  const zoom = Math.min(Math.max(0, Math.floor(Math.log2(fits))), view.data.maxZoom);
  view.map.setView([(top + bottom) / 2, (left + right) / 2], zoom, { animate });
}

function addReset(view) {
  const control = new view.L.Control({ position: "topleft" });
  control.onAdd = () => {
    const bar = view.L.DomUtil.create("div", "leaflet-bar");
    const button = element(bar, "a", "bam-reset");
    button.href = "#";
    button.textContent = "⌂";
    button.title = "Show the whole map";
    button.setAttribute("role", "button");
    button.setAttribute("aria-label", button.title);
    view.L.DomEvent.disableClickPropagation(bar);
    view.L.DomEvent.on(button, "click", (event) => {
      view.L.DomEvent.preventDefault(event);
      home(view, true);
    });
    return bar;
  };
  control.addTo(view.map);
}

function update(view, data) {
  if (view.gone) return;
  const before = view.data;
  view.data = data;
  view.field.setAttribute("role", "application");
  view.field.setAttribute("aria-label", data.label + ". Arrow keys pan, plus and minus zoom, Enter picks, Shift+Enter selects what is in view.");
  view.note.textContent = "There is no image on this map yet.";
  view.note.hidden = data.count > 0;
  view.map.setMaxZoom(data.maxZoom);
  if (!before || before.mapId !== data.mapId) {
    view.chosen?.remove();
    if (before) select(view, null);
    remembered(view) || home(view);
  }
  const changed = !before || ["mapId", "version", "colour"].some((name) => before[name] !== data[name]);
  if (changed) {
    view.answers = new Map();
    hideCard(view);
    showLayers(view);
  }
  showLegend(view);
}

// The place where someone left this map, also when the page was left in between.
const memory = (view) => "bam-map-" + view.data.mapId;

function remember(view) {
  if (!view.data) return;
  const { lat, lng } = view.map.getCenter();
  sessionStorage.setItem(memory(view), JSON.stringify([lat, lng, view.map.getZoom()]));
}

function remembered(view) {
  const [lat, lng, zoom] = JSON.parse(sessionStorage.getItem(memory(view)) ?? "[]");
  if (![lat, lng, zoom].every(Number.isFinite) || zoom > view.data.maxZoom) return false;
  view.map.setView([lat, lng], zoom, { animate: false });
  return true;
}

// ---- tiles: new layers lie over the old ones until they are loaded, so nothing flickers

function showLayers(view) {
  const { map, data } = view;
  const old = view.layers;
  const layer = (kind, options) =>
    view.L.tileLayer(
      location.origin + "/tiles/" + encodeURIComponent(data.mapId) + "/" + encodeURIComponent(kind) +
        "/{z}/{x}/{y}.webp?v=" + encodeURIComponent(data.version),
      { bounds: [[0, 0], [1, 1]], noWrap: true, maxZoom: 16, keepBuffer: 3, ...options },
    );
  const points = layer(data.colour, { zIndex: 1 });
  const pictures = layer("pictures-" + data.colour, { zIndex: 2, minZoom: data.pictureFromZoom });
  view.layers = data.count > 0 ? [points, pictures] : [];
  const awaited = new Set(map.getZoom() >= data.pictureFromZoom ? view.layers : view.layers.slice(0, 1));
  const retire = () => old.forEach((each) => each.remove());
  for (const each of view.layers) {
    each.once("load", () => {
      awaited.delete(each);
      if (!awaited.size) retire();
    });
    each.addTo(map);
  }
  if (awaited.size) setTimeout(retire, 4000);
  else retire();
  fade(view);
}

function fade(view) {
  view.layers[0]?.setOpacity(view.map.getZoom() >= view.data.pictureFromZoom ? FAINT : 1);
}

function showLegend(view) {
  const { legend } = view.data;
  view.legend.hidden = !legend || view.data.count === 0;
  view.legend.replaceChildren();
  if (!legend) return;
  element(view.legend, "div", "title").textContent = legend.title;
  if (legend.ramp) {
    element(view.legend, "div", "ramp").style.background = "linear-gradient(to right, " + legend.ramp.join(", ") + ")";
    const ends = element(view.legend, "div", "ends");
    element(ends, "span").textContent = legend.low;
    element(ends, "span").textContent = legend.high;
  }
  for (const { colour, label } of legend.swatches ?? []) {
    const line = element(view.legend, "div", "swatch");
    element(line, "i").style.background = colour;
    element(line, "span").textContent = label;
  }
}

// ---- hover, click and keys

function listen(view) {
  const { map, field } = view;
  map.on("mousemove", (event) => {
    keysInUse(view, false);
    if (view.corners) return;
    hover(view, event.latlng);
  });
  map.on("mouseout dragstart zoomstart", () => hideCard(view));
  map.on("click", (event) => {
    if (performance.now() - (view.drewAt ?? -1000) > 300) choose(view, event.latlng);
  });
  map.on("zoomend", () => fade(view));
  map.on("moveend", () => {
    remember(view);
    if (view.keys) hover(view, map.getCenter());
  });
  field.addEventListener("keydown", (event) => pressed(view, event));
  field.addEventListener("blur", () => {
    keysInUse(view, false);
    hideCard(view);
  });
}

function pressed(view, event) {
  if (event.target !== view.field || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && event.shiftKey) selectView(view);
  else if (event.key === "Enter") choose(view, view.map.getCenter());
  else if (event.key === "Home") home(view, true);
  else if (event.key === "Escape") escape(view);
  else if (event.key.startsWith("Arrow") || "+-=".includes(event.key)) keysInUse(view, true);
}

function escape(view) {
  if (view.corners || view.armed) {
    dropLine(view);
    arm(view, false);
  } else if (!view.card.hidden) hideCard(view);
  else select(view, null);
}

// Whoever steers by keys aims with the middle of the map.
function keysInUse(view, yes) {
  view.keys = yes;
  view.cross.hidden = !yes;
}

async function ask(view, { lat, lng }) {
  const { mapId, version, colour } = view.data;
  const zoom = view.map.getZoom();
  const pixels = TILE * 2 ** zoom;
  const key = [zoom, Math.round((lng * pixels) / 3), Math.round((lat * pixels) / 3)].join();
  if (view.answers.has(key)) return view.answers.get(key);
  const answers = view.answers;
  const query = new URLSearchParams({ x: lng, y: lat, r: REACH / pixels, kind: colour, z: zoom, v: version });
  const reply = await fetch(location.origin + "/tiles/" + encodeURIComponent(mapId) + "/nearest?" + query);
  if (!reply.ok) return null;
  const found = await reply.json();
  const answer = found.row === null ? null : found;
  if (answers.size >= KEPT_ANSWERS) answers.delete(answers.keys().next().value);
  answers.set(key, answer);
  return answer;
}

// One question at a time; while it is under way only the latest place is kept.
async function hover(view, latlng) {
  view.wanted = latlng;
  if (view.busy) return;
  view.busy = true;
  try {
    while (view.wanted) {
      const place = view.wanted;
      const found = await ask(view, place);
      if (view.wanted !== place) continue;
      view.wanted = null;
      if (found) showCard(view, found, place);
      else hideCard(view);
    }
  } catch {
    hideCard(view); // the server is away; the next move asks again
  } finally {
    view.busy = false;
  }
}

async function choose(view, latlng) {
  const found = await ask(view, latlng).catch(() => undefined);
  if (found === undefined) return;
  view.chosen?.remove();
  view.chosen = found ? outline(view, found, true) : null;
  if (found) showCard(view, found, latlng);
  view.pick(found ? found.row : null);
}

function primary(view) {
  return getComputedStyle(view.root).getPropertyValue("--st-primary-color").trim() || "#ff4b4b";
}

function outline(view, found, chosen = false) {
  const style = { color: primary(view), weight: chosen ? 3 : 2, fill: false, interactive: false };
  if (!found.box || chosen) return view.L.circleMarker([found.y, found.x], { ...style, radius: 8 }).addTo(view.map);
  const [left, top, right, bottom] = found.box;
  return view.L.rectangle([[top, left], [bottom, right]], style).addTo(view.map);
}

function showCard(view, found, latlng) {
  const { card, picture, title, score, map } = view;
  const address = location.origin + "/thumbs/" + found.row + ".webp";
  if (picture.src !== address) {
    picture.removeAttribute("src"); // never the last image beside the next one's title
    picture.src = address;
  }
  picture.alt = found.title ?? "";
  title.textContent = found.title ?? "Image " + found.row;
  score.hidden = found.score === undefined;
  score.textContent = found.score === null ? "not scored" : "score " + Number(found.score).toPrecision(3);
  card.hidden = false;
  const at = map.latLngToContainerPoint(latlng);
  const size = map.getSize();
  const left = at.x + 18 + card.offsetWidth < size.x ? at.x + 18 : at.x - 18 - card.offsetWidth;
  const top = at.y + 18 + card.offsetHeight < size.y ? at.y + 18 : at.y - 18 - card.offsetHeight;
  card.style.transform = "translate(" + Math.max(4, left) + "px, " + Math.max(4, top) + "px)";
  view.pointed?.remove();
  view.pointed = outline(view, found);
}

function hideCard(view) {
  view.wanted = null;
  view.card.hidden = true;
  view.pointed?.remove();
  view.pointed = null;
}
