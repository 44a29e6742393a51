// Tile layers and the legend. New layers are drawn over the old ones until they are loaded, so that nothing flickers.
//
// Points beneath pictures are hardly visible: they come from the next lower zoom, twice as large. That is a quarter of
// the tiles, and zooming in has already loaded them.

const LARGER = { tileSize: 2 * 256, zoomOffset: -1 };

function tilesOf(view, kind) {
  const { mapId, version, selection, pictures } = view.data;
  const query = new URLSearchParams({ v: version, theme: view.theme });
  if (selection) query.set("only", selection);
  if (kind.startsWith("pictures-") && pictures !== "best") query.set("pictures", pictures);
  const base = `${location.origin}/tiles/${encodeURIComponent(mapId)}/${encodeURIComponent(kind)}`;
  return { base, query: String(query) };
}

// The theme, from the brightness of the app's background.
function themeOf(view) {
  const parts = getComputedStyle(view.root).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [255, 255, 255];
  return 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] < 128 ? "dark" : "light";
}

function showLayers(view) {
  const { map, data } = view;
  const old = view.layers;
  const layer = (kind, options) => {
    const about = { bounds: [[0, 0], [1, 1]], noWrap: true, maxZoom: 16, keepBuffer: 3, zoomOffset: 0, ...options };
    return layerOf(view, tilesOf(view, kind), about);
  };
  const from = data.pictureFromZoom;
  const large = Math.max(1, from); // zoom 0 is the whole map
  const points = layer(data.colour, { zIndex: 1, maxZoom: large - 1, opacity: from ? 1 : FAINT });
  const beneath = layer(data.colour, { zIndex: 1, minZoom: large, opacity: FAINT, ...LARGER });
  const pictures = layer("pictures-" + data.colour, { zIndex: 2, minZoom: from });
  view.layers = data.count > 0 ? [points, beneath, pictures] : [];
  const zoom = map.getZoom();
  const awaited = new Set(view.layers.filter(({ options }) => options.minZoom <= zoom && zoom <= options.maxZoom));
  const retire = () => old.forEach((each) => each.remove());
  for (const each of view.layers) {
    each.once("load", () => {
      awaited.delete(each);
      if (!awaited.size) retire();
    });
    each.on("load", () => lookAhead(view));
    each.addTo(map);
  }
  if (awaited.size) setTimeout(retire, 4000);
  else retire();
}

// A Leaflet layer that gets its tiles from our source.
function layerOf(view, tiles, options) {
  const layer = new view.L.GridLayer(options);
  layer.tiles = tiles;
  layer.createTile = ({ x, y, z }, done) => {
    const tile = { ...tiles, z: z + options.zoomOffset, x, y };
    const image = view.source.image(tile);
    image.dataset.tile = keyOf(tile);
    image.leave = view.source.want(tile, (address) => {
      if (!address) return void done(new Error("There is no such tile."), image);
      if (image.src !== address) image.src = address;
      image.decode().then(() => done(null, image), (error) => done(error, image));
    });
    return image;
  };
  layer.on("tileloadstart", ({ tile }) => lieFlat(view, tile));
  layer.on("tileunload", ({ tile }) => tile.leave());
  return layer;
}

// A tile positioned by a transform is a layer of its own, and the browser would compose dozens of them in each frame.
function lieFlat(view, tile) {
  const { x, y } = view.L.DomUtil.getPosition(tile);
  Object.assign(tile.style, { transform: "", left: `${x}px`, top: `${y}px` });
}

// Once the view rests, prefetch the tiles that one step of the wheel at the pointer, or at the centre, would show.
function lookAhead(view, after = AHEAD_AFTER) {
  clearTimeout(view.looking);
  view.looking = setTimeout(() => {
    if (view.gone || navigator.connection?.saveData || view.layers.some((layer) => layer.isLoading())) return;
    const zoom = view.map.getZoom();
    view.source.ahead([...tilesAround(view, zoom + 1), ...tilesAround(view, zoom - 1)]);
  }, after);
}

// The tiles that are visible after a zoom at the pointer, those nearest to it first.
function tilesAround(view, zoom) {
  const { min } = view.map.getPixelBounds();
  const size = view.map.getSize();
  const at = view.pointer ?? size.divideBy(2);
  const scale = 2 ** (zoom - view.map.getZoom());
  const place = min.add(at).multiplyBy(scale); // in pixels of that zoom
  const begin = place.subtract(at);
  const found = [];
  for (const { options, tiles } of view.layers) {
    if (zoom < (options.minZoom ?? 0) || zoom > Math.min(options.maxZoom, view.data.maxZoom)) continue;
    const side = options.tileSize ?? TILE;
    const last = (TILE * 2 ** zoom) / side - 1;
    const cells = (from, to) => [Math.max(0, Math.floor(from / side)), Math.min(last, Math.floor((to - 1) / side))];
    const [left, right] = cells(begin.x, begin.x + size.x);
    const [top, bottom] = cells(begin.y, begin.y + size.y);
    for (let y = top; y <= bottom; y += 1) {
      for (let x = left; x <= right; x += 1) {
        const far = Math.hypot((x + 0.5) * side - place.x, (y + 0.5) * side - place.y);
        found.push({ far, tile: { ...tiles, z: zoom + options.zoomOffset, x, y } });
      }
    }
  }
  return found.sort((one, other) => one.far - other.far).map(({ tile }) => tile);
}

function showLegend(view) {
  const legend = view.theme === "dark" ? view.data.legendDark : view.data.legend;
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
  const swatches = element(view.legend, "div", "swatches");
  for (const { colour, label } of legend.swatches ?? []) {
    const line = element(swatches, "div", "swatch");
    element(line, "i").style.background = colour;
    element(line, "span").textContent = label;
  }
}

