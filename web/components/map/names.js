// The names of regions, at the zooms where there is room for them.
//
// A name never blocks the mouse: hovering shows the reason for it, a click reaches the image below. With the keyboard,
// Tab reaches the first name and the arrow keys the others.

const NAMES_OFF = "bam-map-names-off";
const ASK_AGAIN = 2500; // milliseconds between requests while names are being computed
const ASK_TIMES = 40;

async function fetchNames(view, attempt = 0) {
  const { mapId, version } = view.data;
  if (!attempt) view.names = [];
  const address = "/api/maps/" + encodeURIComponent(mapId) + "/names.json?v=" + encodeURIComponent(version);
  const reply = await fetch(location.origin + address).catch(() => null);
  const current = () => !view.gone && view.data.mapId === mapId && view.data.version === version;
  if (!reply?.ok || !current()) return;
  const { names, busy } = await reply.json();
  if (!current()) return;
  view.names = names;
  drawNames(view);
  if (busy && attempt < ASK_TIMES) setTimeout(() => current() && fetchNames(view, attempt + 1), ASK_AGAIN);
}

function showNames(view, yes) {
  view.named = yes;
  if (yes) sessionStorage.removeItem(NAMES_OFF);
  else sessionStorage.setItem(NAMES_OFF, "1");
  pressedTool(view, "names", yes);
  drawNames(view);
}

// Draw the visible names of this zoom, larger regions first, without overlaps.
function drawNames(view) {
  const zoom = view.map.getZoom();
  const seen = view.map.getBounds().pad(0.1);
  const visible = view.named && view.data.count > 0
    ? (view.names ?? []).filter((one) => one.from <= zoom && zoom <= one.to && seen.contains([one.y, one.x]))
    : [];
  visible.sort((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1));
  const key = (one) => [one.name, one.x, one.y].join("|");
  const keys = new Set(visible.map(key));
  view.labels ??= new Map();
  for (const [old, label] of view.labels) {
    if (keys.has(old)) continue;
    label.remove();
    view.labels.delete(old);
  }
  const taken = [];
  for (const one of visible) {
    const label = view.labels.get(key(one)) ?? makeLabel(view, one);
    view.labels.set(key(one), label);
    const box = boxOf(view, label);
    const free = !taken.some((other) => overlap(box, other));
    label.getElement().hidden = !free;
    if (free) taken.push(box);
  }
  shownNames(view).forEach((words, place) => (words.tabIndex = place ? -1 : 0));
}

function shownNames(view) {
  const shown = [...view.labels.values()].map((label) => label.getElement()).filter((one) => !one.hidden);
  return shown.map((one) => one.firstChild);
}

// The names are one tab stop; arrow keys move between them.
function stepToName(view, event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const names = shownNames(view);
  names[(names.indexOf(event.target) + step + names.length) % names.length]?.focus({ preventScroll: true });
}

function makeLabel(view, one) {
  const words = document.createElement("span");
  words.textContent = one.name;
  const icon = view.L.divIcon({ className: "bam-name", html: words, iconSize: null });
  const label = view.L.marker([one.y, one.x], { icon, keyboard: false, interactive: false, zIndexOffset: one.count });
  const why = document.createElement("div");
  why.textContent = one.why;
  label.bindTooltip(why, { direction: "top", className: "bam-why", offset: [0, -8] });
  label.addTo(view.map);
  words.setAttribute("role", "note");
  words.setAttribute("aria-label", one.name + ". " + one.why);
  words.addEventListener("focus", () => label.openTooltip());
  words.addEventListener("blur", () => label.closeTooltip());
  words.addEventListener("keydown", (event) => stepToName(view, event));
  const size = 13 + Math.min(4, Math.log10(Math.max(1, one.count / 20)) * 1.5);
  words.style.setProperty("--size", size.toFixed(1) + "px");
  label.size = [words.offsetWidth, words.offsetHeight];
  return label;
}

function boxOf(view, label) {
  const at = view.map.latLngToLayerPoint(label.getLatLng());
  const [width, height] = label.size;
  return [at.x - width / 2 - 3, at.y - height / 2 - 1, at.x + width / 2 + 3, at.y + height / 2 + 1];
}

function overlap(one, other) {
  return one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
}

function pointAtNothing(view) {
  view.openName?.closeTooltip();
  view.openName = undefined;
}

// Show the reason for the name under the mouse.
function pointAtName(view, latlng) {
  const at = view.map.latLngToLayerPoint(latlng);
  const hit = (label) => {
    const [left, top, right, bottom] = boxOf(view, label);
    return !label.getElement().hidden && left <= at.x && at.x <= right && top <= at.y && at.y <= bottom;
  };
  const found = [...(view.labels?.values() ?? [])].find(hit);
  if (found === view.openName) return;
  view.openName?.closeTooltip();
  view.openName = found;
  found?.openTooltip();
}
