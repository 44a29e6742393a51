// The map in the browser: Leaflet with our tiles. Hovering, pictures and names use routes; only clicks and selections
// reach Python.
//
// The other files of this folder precede this one in the same module.
//
// Streamlit calls the default function at every rerun with the same parentElement: the map is created once, then
// updated. Map coordinates are x, y in [0, 1], y down; Leaflet's latlng is (y, x).

const VIEWS = new WeakMap();
const TILE = 256;
const REACH = 12; // radius in pixels within which a point is hit
const MAX_ANSWERS = 600; // cached
const WHEEL_RESTS = 200; // milliseconds after the start of a zoom in which the wheel is ignored
const AHEAD_AFTER = 150; // milliseconds after a move until tiles are prefetched
const POINTER_RESTS = 300; // milliseconds after a pointer move until tiles are prefetched around it
const FAINT = 0.3; // opacity of points beneath pictures
const KEYS = "Arrow keys pan, plus and minus zoom, Enter picks, Shift+Enter selects what is in view.";
const SHOWN = ["mapId", "version", "colour", "selection", "pictures"]; // the data that tiles depend on

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  let view = VIEWS.get(parentElement);
  if (!view) {
    view = makeView(parentElement);
    VIEWS.set(parentElement, view);
  }
  const click = () => `${Date.now()}-${Math.random()}`;
  view.pick = (picked) => setStateValue("picked", picked && { ...picked, click: click() });
  view.send = (area) => setStateValue("area", { ...area, map: view.data.mapId });
  view.ready = view.ready.then(() => update(view, data)).catch((error) => complain(view, error));
  return () => setTimeout(() => leave(parentElement), 0);
}

// Streamlit also cleans up after superseded calls; only a map that has left the page is removed.
function leave(parentElement) {
  const view = VIEWS.get(parentElement);
  if (!view || parentElement.isConnected) return;
  VIEWS.delete(parentElement);
  view.gone = true;
  view.source.close();
  clearTimeout(view.addressing);
  view.saving?.abort();
  view.watcher?.disconnect();
  view.map?.remove();
}

function element(parent, name, className) {
  const node = document.createElement(name);
  if (className) node.className = className;
  parent.append(node);
  return node;
}

function makeView(parentElement) {
  const root = element(parentElement, "div", "bam-map");
  const view = { root, layers: [], answers: new Map(), data: null, map: null, pendingHover: null, busy: false, keys: false };
  view.source = new TileSource();
  view.path = location.pathname;
  view.named = !sessionStorage.getItem(NAMES_OFF);
  view.field = element(root, "div");
  view.cross = element(root, "div", "bam-cross");
  view.legend = element(root, "div", "bam-legend");
  view.note = element(root, "div", "bam-note");
  view.card = element(root, "div", "bam-card");
  view.card.setAttribute("role", "status");
  view.picture = element(view.card, "img");
  view.title = element(view.card, "div", "title");
  view.scores = element(view.card, "div", "scores");
  view.mini = element(root, "div", "bam-mini");
  for (const part of [view.cross, view.legend, view.note, view.card, view.mini]) part.hidden = true;
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
  // Leaflet focuses the map on a click, which must not scroll the page.
  view.field.focus = () => HTMLElement.prototype.focus.call(view.field, { preventScroll: true });
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const unit = L.extend({}, L.CRS.Simple, { transformation: new L.Transformation(TILE, 0, TILE, 0) });
  view.map = L.map(view.field, {
    crs: unit,
    minZoom: 0,
    attributionControl: false,
    fadeAnimation: false,
    zoomAnimation: !calm && hasGraphicsCard(),
    inertia: !calm,
    wheelDebounceTime: 16,
    wheelPxPerZoomLevel: 90,
    maxBounds: [[-1.5, -1.5], [2.5, 2.5]],
    maxBoundsViscosity: 0.7,
    boxZoom: false, // dragging with Shift draws an area
  });
  paceWheel(view);
  addTools(view);
  addMinimap(view);
  listenForAreas(view);
  listen(view);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(() => recolour(view), 300));
  // A map that is hidden or has left the page has no size: its view is not remembered.
  view.watcher = new ResizeObserver(() => view.root.clientWidth && view.map.invalidateSize({ pan: false }));
  view.watcher.observe(view.root);
}

// Without one, animated zooms are drawn by the CPU and delay the tiles.
function hasGraphicsCard() {
  return document.createElement("canvas").getContext("webgl", { failIfMajorPerformanceCaveat: true }) !== null;
}

// A wheel or touchpad sends many small events: pause after each zoom.
function paceWheel(view) {
  let zoomed = -Infinity;
  view.field.addEventListener("wheel", (event) => {
    view.pointer = view.map.mouseEventToContainerPoint(event);
    if (performance.now() - zoomed > WHEEL_RESTS) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true, passive: false });
  view.map.on("zoomstart", () => (zoomed = performance.now()));
}

// Show the whole map at the closest zoom.
function home(view, animate = false) {
  const { x, y } = view.map.getSize();
  const [left, top, right, bottom] = view.data.bounds;
  const fits = Math.min(x / Math.max(right - left, 1e-3), y / Math.max(bottom - top, 1e-3)) / TILE;
  const zoom = Math.min(Math.max(0, Math.floor(Math.log2(fits))), view.data.maxZoom);
  view.map.setView([(top + bottom) / 2, (left + right) / 2], zoom, { animate });
}

function update(view, data) {
  if (view.gone) return;
  const before = view.data;
  view.data = data;
  view.field.setAttribute("role", "application");
  view.field.setAttribute("aria-label", `${data.label}. ${KEYS}`);
  view.note.textContent = "There is no image on this map yet.";
  view.note.hidden = data.count > 0;
  view.map.setMaxZoom(data.maxZoom);
  const other = !before || before.mapId !== data.mapId;
  if (other) {
    view.chosen?.remove();
    if (before) dropArea(view);
  }
  followSelection(view, data);
  if (data.goto && data.goto.id !== view.went) follow(view, data.goto);
  else if (other) remembered(view) || home(view);
  const theme = themeOf(view);
  const changed = !before || theme !== view.theme || SHOWN.some((name) => before[name] !== data[name]);
  view.theme = theme;
  if (changed) {
    view.answers = new Map();
    hideCard(view);
    showLayers(view);
    showMinimap(view);
  }
  if (other || before.version !== data.version) fetchNames(view);
  showLegend(view);
  writeAddress(view);
}

// The app has switched between the light and the dark theme.
function recolour(view) {
  if (view.gone || !view.data || themeOf(view) === view.theme) return;
  view.theme = themeOf(view);
  showLayers(view);
  showMinimap(view);
  showLegend(view);
}

// The last view of this map, remembered in the session.
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

