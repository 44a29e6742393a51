// The page's address contains the view: the map, its colour and pictures, the selection, and the position. It is
// replaced without a rerun; other parameters stay.

const RESTING = 150; // milliseconds without a move before the address is updated

function writeAddressSoon(view) {
  clearTimeout(view.addressing);
  view.addressing = setTimeout(() => writeAddress(view), RESTING);
}

function writeAddress(view) {
  clearTimeout(view.addressing);
  if (!view.data || view.gone || !view.root.isConnected || location.pathname !== view.path) return;
  const { lat, lng } = view.map.getCenter();
  const inside = (value) => Math.min(1, Math.max(0, value)).toFixed(5);
  const parameters = {
    map: view.data.mapId,
    colour: view.data.colour,
    pictures: view.data.pictures === "best" ? "" : view.data.pictures,
    selection: view.data.selection,
    x: inside(lng),
    y: inside(lat),
    z: String(view.map.getZoom()),
  };
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(parameters)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  if (address.href !== location.href) history.replaceState(history.state, "", address);
}

// Apply a move from Python, to a position or to bounds, once.
function follow(view, goto) {
  view.went = goto.id;
  const { map, data } = view;
  view.chosen?.remove();
  view.chosen = null;
  if (goto.bounds) {
    const [left, top, right, bottom] = goto.bounds;
    const { x, y } = map.getSize();
    const fits = Math.min((x - 60) / Math.max(right - left, 1e-6), (y - 60) / Math.max(bottom - top, 1e-6)) / TILE;
    const zoom = Math.min(Math.max(0, Math.floor(Math.log2(fits))), data.maxZoom);
    map.setView([(top + bottom) / 2, (left + right) / 2], zoom, { animate: false });
    return;
  }
  const zoom = goto.z ?? data.pictureFromZoom + 2;
  map.setView([goto.y, goto.x], Math.min(Math.max(0, zoom), data.maxZoom), { animate: false });
  if (goto.mark) view.chosen = outline(view, goto, true);
}
