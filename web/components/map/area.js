// Drawing an area on the map, freehand or as a rectangle: with Shift, or after a button. Python receives its corners, x
// and y in [0, 1], and selects the images inside.

const MAX_CORNERS = 200; // of an area that is sent
const MIN_SIDE = 6; // pixels: smaller areas are accidental

function listenForAreas(view) {
  view.field.addEventListener("pointerdown", (event) => beginArea(view, event), { capture: true });
  view.field.addEventListener("pointermove", (event) => extendArea(view, event));
  view.field.addEventListener("pointerup", () => endArea(view));
  view.field.addEventListener("pointercancel", () => dropLine(view));
}

function beginArea(view, event) {
  const drawing = view.armed === "lasso" || view.armed === "box";
  if (event.button || !event.isPrimary || !(event.shiftKey || drawing)) return;
  if (event.target.closest(".leaflet-control")) return;
  hideCard(view);
  view.map.dragging.disable(); // before Leaflet handles the mousedown that follows
  view.boxed = view.armed === "box";
  view.corners = [view.map.mouseEventToContainerPoint(event)];
  view.line = view.L.polyline([], { ...areaStyle(view), fill: true }).addTo(view.map);
  view.field.setPointerCapture(event.pointerId);
}

function extendArea(view, event) {
  if (!view.corners) return;
  const corner = view.map.mouseEventToContainerPoint(event);
  if (corner.distanceTo(view.corners.at(-1)) < 2) return;
  const [first] = view.corners;
  const point = (x, y) => new view.L.Point(x, y);
  if (view.boxed) view.corners = [first, point(corner.x, first.y), corner, point(first.x, corner.y)];
  else view.corners.push(corner);
  const line = view.boxed ? [...view.corners, first] : view.corners;
  view.line.setLatLngs(line.map((each) => view.map.containerPointToLatLng(each)));
}

function endArea(view) {
  if (!view.corners) return;
  const { corners, boxed } = view;
  dropLine(view);
  const sides = new view.L.Bounds(corners).getSize();
  if (corners.length < 3 || Math.min(sides.x, sides.y) < MIN_SIDE) return;
  select(view, (boxed ? corners : simpler(view, corners)).map((corner) => view.map.containerPointToLatLng(corner)));
}

// Simplify the outline to within a pixel, or to within more pixels while there are too many corners. If a scribble
// collapses, thin it evenly instead.
function simpler(view, corners) {
  for (let slack = 1; ; slack *= 1.5) {
    const few = view.L.LineUtil.simplify(corners, slack);
    if (few.length < 3) return corners.filter((_, place) => place % Math.ceil(corners.length / MAX_CORNERS) === 0);
    if (few.length <= MAX_CORNERS) return few;
  }
}

function dropLine(view) {
  if (!view.corners) return;
  view.corners = null;
  view.line.remove();
  view.drewAt = performance.now(); // the click that ends the drawing selects no image
  view.map.dragging.enable();
  if (view.armed) arm(view, view.armed);
}

function select(view, places) {
  dropArea(view);
  view.area = view.L.polygon(places, { ...areaStyle(view), fill: true }).addTo(view.map);
  view.tools.clear.hidden = false;
  view.token = `${Date.now()}-${Math.random()}`;
  view.send({ corners: places.map(({ lat, lng }) => [lng, lat]), drawn: view.token });
}

function clearSelection(view) {
  if (!view.area && !view.data.selection) return;
  dropArea(view);
  view.tools.clear.hidden = true;
  view.token = `${Date.now()}-${Math.random()}`;
  view.send({ corners: null, drawn: view.token });
  view.field.focus();
}

function dropArea(view) {
  view.area?.remove();
  view.area = null;
}

// Follow the selection from Python. A drawn outline stays while it is the source of the selection, or while Python has
// not handled it yet.
function followSelection(view, data) {
  const handled = !view.token || data.handled === view.token;
  if (view.area && handled && !data.showArea) dropArea(view);
  view.tools.clear.hidden = !view.area && !data.selection;
}

function selectView(view) {
  const seen = view.map.getBounds();
  select(view, [seen.getSouthWest(), seen.getNorthWest(), seen.getNorthEast(), seen.getSouthEast()]);
}

function areaStyle(view) {
  return { color: primary(view), weight: 2, fillOpacity: 0.08, interactive: false };
}
