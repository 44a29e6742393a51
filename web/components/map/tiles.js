// Tiles and what their colours mean. New layers lie over the old ones until they are loaded, so nothing flickers.
//
// Beneath pictures points are little seen: they come from the zoom above, twice as large. That is a quarter of the
// tiles, and whoever zooms in has them already.

const LARGER = { tileSize: 2 * 256, zoomOffset: -1 };

function tileAddress(view, kind) {
  const { mapId, version, selection, pictures } = view.data;
  const query = new URLSearchParams({ v: version, theme: view.theme });
  if (selection) query.set("only", selection);
  if (kind.startsWith("pictures-") && pictures !== "best") query.set("pictures", pictures);
  const kindOf = encodeURIComponent(kind) + "/{z}/{x}/{y}.webp?";
  return location.origin + "/tiles/" + encodeURIComponent(mapId) + "/" + kindOf + query;
}

// Whether the app is light or dark, by how bright its background is.
function themeOf(view) {
  const parts = getComputedStyle(view.root).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [255, 255, 255];
  return 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] < 128 ? "dark" : "light";
}

function showLayers(view) {
  const { map, data } = view;
  const old = view.layers;
  const layer = (kind, options) => {
    const about = { bounds: [[0, 0], [1, 1]], noWrap: true, maxZoom: 16, keepBuffer: 3, ...options };
    return view.L.tileLayer(tileAddress(view, kind), about);
  };
  const from = data.pictureFromZoom;
  const large = Math.max(1, from); // there is no zoom above the whole map
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
    each.addTo(map);
  }
  if (awaited.size) setTimeout(retire, 4000);
  else retire();
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

