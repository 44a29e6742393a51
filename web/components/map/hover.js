// Hover, click and keys: the image under the pointer or the crosshair, and its card.

function listen(view) {
  const { map, field } = view;
  map.on("mousemove", (event) => {
    keysInUse(view, false);
    if (event.originalEvent.target.closest(".leaflet-control")) return hideCard(view); // not the image below
    view.pointer = event.containerPoint;
    lookAhead(view, POINTER_RESTS);
    if (view.corners) return;
    pointAtName(view, event.latlng);
    hover(view, event.latlng);
  });
  map.on("mouseout dragstart zoomstart", () => hideCard(view));
  map.on("mouseout", () => (view.pointer = null));
  map.on("click", (event) => {
    if (performance.now() - (view.drewAt ?? -1000) > 300) choose(view, event.latlng);
  });
  map.on("move", () => moveFrame(view));
  map.on("moveend", () => {
    remember(view);
    writeAddressSoon(view);
    drawNames(view);
    view.source.dropAhead();
    lookAhead(view);
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
    if (view.armed) arm(view, view.armed);
  } else if (!view.card.hidden) hideCard(view);
  else clearSelection(view);
}

// With the keyboard, the centre of the map is the pointer.
function keysInUse(view, yes) {
  view.keys = yes;
  view.cross.hidden = !yes;
}

async function ask(view, { lat, lng }) {
  const { mapId, version, colour, selection, pictures } = view.data;
  const zoom = view.map.getZoom();
  const pixels = TILE * 2 ** zoom;
  const key = [zoom, Math.round((lng * pixels) / 3), Math.round((lat * pixels) / 3)].join();
  if (view.answers.has(key)) return view.answers.get(key);
  const answers = view.answers;
  const query = new URLSearchParams({ x: lng, y: lat, r: REACH / pixels, kind: colour, z: zoom, v: version });
  if (pictures !== "best") query.set("pictures", pictures);
  if (selection) query.set("only", selection);
  const reply = await fetch(location.origin + "/tiles/" + encodeURIComponent(mapId) + "/nearest?" + query);
  if (!reply.ok) return null;
  const found = await reply.json();
  const answer = found.row === null ? null : found;
  if (answers.size >= MAX_ANSWERS) answers.delete(answers.keys().next().value);
  answers.set(key, answer);
  return answer;
}

// One request at a time; meanwhile only the latest position is remembered.
async function hover(view, latlng) {
  view.pendingHover = latlng;
  if (view.busy) return;
  view.busy = true;
  try {
    while (view.pendingHover) {
      const place = view.pendingHover;
      const found = await ask(view, place);
      if (view.pendingHover !== place) continue;
      view.pendingHover = null;
      if (found) showCard(view, found, place);
      else hideCard(view);
    }
  } catch {
    hideCard(view); // the server is unreachable; the next move tries again
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
  const like = view.armed === "like";
  if (like && !found) return; // the tool waits for an image
  if (like) arm(view, "like");
  view.pick(found ? { row: found.row, like } : null);
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
  const { card, picture, title, map } = view;
  const address = location.origin + "/thumbs/" + found.row + ".webp";
  if (picture.src !== address) {
    picture.removeAttribute("src"); // never the previous image with the new title
    picture.src = address;
  }
  picture.alt = found.title ?? "";
  title.textContent = found.title ?? "Image " + found.row;
  showScores(view, found);
  card.hidden = false;
  const at = map.latLngToContainerPoint(latlng);
  const size = map.getSize();
  const left = at.x + 18 + card.offsetWidth < size.x ? at.x + 18 : at.x - 18 - card.offsetWidth;
  const top = at.y + 18 + card.offsetHeight < size.y ? at.y + 18 : at.y - 18 - card.offsetHeight;
  card.style.transform = "translate(" + Math.max(4, left) + "px, " + Math.max(4, top) + "px)";
  view.pointed?.remove();
  view.pointed = outline(view, found);
}

// The highest scores of the image, or the score that the map is coloured by.
function showScores(view, found) {
  const { scores } = view;
  scores.replaceChildren();
  const line = (name, value, accepted) => {
    const node = element(scores, "div", "score");
    element(node, "span").textContent = name;
    const figure = element(node, "span");
    figure.textContent = value;
    if (accepted === true) figure.className = "accepted";
  };
  const number = (value) => (value === null ? "not scored" : decimal(value));
  const top = found.scores ?? [];
  for (const { name, score, probability, accepted } of top) {
    const value = probability === null || probability === undefined ? number(score) : percent(probability);
    line(name, value + (accepted ? " ✓" : ""), accepted);
  }
  if (!top.length && found.score !== undefined) line("score", number(found.score));
}

function hideCard(view) {
  pointAtNothing(view);
  view.pendingHover = null;
  view.card.hidden = true;
  view.pointed?.remove();
  view.pointed = null;
}
