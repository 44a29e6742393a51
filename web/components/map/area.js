// An area of the map drawn by hand: with Shift held, or after the button. Python gets its corners, x and y in [0, 1].

const MOST_CORNERS = 200; // of a drawn area, as it is sent
const LEAST_SIDE = 6; // pixels: anything smaller is a slip of the hand

function addLasso(view) {
  const control = new view.L.Control({ position: "topleft" });
  control.onAdd = () => {
    const bar = view.L.DomUtil.create("div", "leaflet-bar");
    const button = (className, text, title, does) => {
      const made = element(bar, "a", className);
      Object.assign(made, { href: "#", textContent: text, title });
      made.setAttribute("role", "button");
      made.setAttribute("aria-label", title);
      view.L.DomEvent.on(made, "click", (event) => {
        view.L.DomEvent.preventDefault(event);
        does();
      });
      return made;
    };
    view.L.DomEvent.disableClickPropagation(bar);
    const how = "Select an area: draw around it (or drag with Shift; Shift+Enter takes what is in view)";
    view.lasso = button("bam-lasso", "✎", how, () => arm(view, !view.armed));
    view.clear = button("bam-clear", "✕", "Clear the selected area (Escape)", () => select(view, null));
    view.clear.hidden = true;
    return bar;
  };
  control.addTo(view.map);
  view.field.addEventListener("pointerdown", (event) => beginArea(view, event), { capture: true });
  view.field.addEventListener("pointermove", (event) => extendArea(view, event));
  view.field.addEventListener("pointerup", () => endArea(view));
  view.field.addEventListener("pointercancel", () => dropLine(view));
}

function arm(view, yes) {
  view.armed = yes;
  view.lasso.setAttribute("aria-pressed", String(yes));
  view.root.classList.toggle("drawing", yes);
}

function beginArea(view, event) {
  if (event.button || !event.isPrimary || !(event.shiftKey || view.armed)) return;
  if (event.target.closest(".leaflet-control")) return;
  hideCard(view);
  view.map.dragging.disable(); // before Leaflet sees the mousedown that follows
  view.corners = [view.map.mouseEventToContainerPoint(event)];
  view.line = view.L.polyline([], { ...areaStyle(view), fill: true }).addTo(view.map);
  view.field.setPointerCapture(event.pointerId);
}

function extendArea(view, event) {
  if (!view.corners) return;
  const corner = view.map.mouseEventToContainerPoint(event);
  if (corner.distanceTo(view.corners.at(-1)) < 2) return;
  view.corners.push(corner);
  view.line.setLatLngs(view.corners.map((each) => view.map.containerPointToLatLng(each)));
}

function endArea(view) {
  if (!view.corners) return;
  const { corners } = view;
  dropLine(view);
  const sides = new view.L.Bounds(corners).getSize();
  if (corners.length < 3 || Math.min(sides.x, sides.y) < LEAST_SIDE) return;
  select(view, simpler(view, corners).map((corner) => view.map.containerPointToLatLng(corner)));
}

// The fewest corners that keep the line within a pixel, or within more pixels where those are too many. A scribble that
// collapses on the way is thinned evenly instead.
function simpler(view, corners) {
  for (let slack = 1; ; slack *= 1.5) {
    const few = view.L.LineUtil.simplify(corners, slack);
    if (few.length < 3) return corners.filter((_, place) => place % Math.ceil(corners.length / MOST_CORNERS) === 0);
    if (few.length <= MOST_CORNERS) return few;
  }
}

function dropLine(view) {
  if (!view.corners) return;
  view.corners = null;
  view.line.remove();
  view.drewAt = performance.now(); // the click that ends the drawing picks no image
  view.map.dragging.enable();
  arm(view, false);
}

function select(view, places) {
  if (!places && !view.area) return;
  view.area?.remove();
  view.area = places && view.L.polygon(places, { ...areaStyle(view), fill: true }).addTo(view.map);
  view.clear.hidden = !places;
  view.send(places && { corners: places.map(({ lat, lng }) => [lng, lat]), drawn: `${Date.now()}-${Math.random()}` });
}

function selectView(view) {
  const seen = view.map.getBounds();
  select(view, [seen.getSouthWest(), seen.getNorthWest(), seen.getNorthEast(), seen.getSouthEast()]);
}

function areaStyle(view) {
  return { color: primary(view), weight: 2, fillOpacity: 0.12, interactive: false };
}
