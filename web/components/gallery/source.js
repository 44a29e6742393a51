// The images of a listing, fetched in windows as they come into sight. In: a listing {id, q, total, block, pack}. Out:
// items by index, null until they have come; pictures by index, many in one answer. What is no longer in sight is not
// waited for.

const KEPT = 60; // windows, and packs of pictures
const AGAIN = 1500; // milliseconds after a failure

class Source {
  constructor(listing, on) {
    Object.assign(this, { listing, on, blocks: new Map(), coming: new Map(), failed: 0 });
    this.packs = new Map(); // promises of pictures
  }

  get(i) {
    return this.blocks.get(Math.floor(i / this.listing.block))?.[i % this.listing.block] ?? null;
  }

  // Fetch what is missing between two indices, and drop what was on its way elsewhere.
  want(from, to) {
    if (to <= from) return;
    const first = Math.floor(from / this.listing.block);
    const last = Math.floor((to - 1) / this.listing.block);
    for (const [block, control] of this.coming) {
      if (block < first || block > last) {
        control.abort();
        this.coming.delete(block);
      }
    }
    const { pack: size } = this.listing;
    for (const [pack, { done }] of this.packs) {
      if (!done && (pack < Math.floor(from / size) || pack > Math.floor((to - 1) / size))) this.dropPack(pack);
    }
    for (let block = first; block <= last; block += 1) {
      if (this.blocks.has(block)) this.touch(block);
      else if (!this.coming.has(block)) this.fetch(block);
    }
  }

  // An address of the picture of an image; null where it did not come with its neighbours.
  async picture(i) {
    const pack = Math.floor(i / this.listing.pack);
    const known = this.packs.get(pack) ?? this.fetchPack(pack);
    this.packs.delete(pack);
    this.packs.set(pack, known); // the last used ones are kept
    for (const old of this.packs.keys()) {
      if (this.packs.size <= KEPT) break;
      this.dropPack(old);
    }
    const found = (await known.pictures)[i % this.listing.pack];
    return found?.length ? addressOf(found) : null;
  }

  fetchPack(pack) {
    const control = new AbortController();
    const made = { control, done: false };
    made.pictures = this.ask(`${pack}.pack`, control.signal)
      .then((answer) => (answer.headers.get("content-type").includes("json") ? [] : unpack(answer)))
      .catch(() => {
        if (this.packs.get(pack) === made) this.packs.delete(pack);
        return [];
      })
      .finally(() => (made.done = true));
    return made;
  }

  dropPack(pack) {
    const { control } = this.packs.get(pack);
    this.packs.delete(pack);
    control.abort();
  }

  touch(block) {
    const items = this.blocks.get(block);
    this.blocks.delete(block);
    this.blocks.set(block, items);
  }

  async fetch(block) {
    const control = new AbortController();
    this.coming.set(block, control);
    const { id } = this.listing;
    try {
      const told = await this.ask(`${block}.json`, control.signal);
      const found = told && (await told.json());
      if (id !== this.listing.id || this.closed) return;
      if (found?.moved) return void this.on.moved(found.moved);
      if (found) this.keep(block, found);
      this.coming.delete(block);
      this.failed = 0;
      this.on.trouble("");
    } catch (error) {
      if (control.signal.aborted) return;
      this.coming.delete(block);
      this.failed += 1;
      this.on.trouble(error.message);
      if (this.failed < 40) setTimeout(() => this.closed || this.on.again(), AGAIN);
    }
  }

  async ask(what, signal) {
    const { id, q } = this.listing;
    const answer = await fetch(`/api/gallery/${id}/${what}?q=${encodeURIComponent(q)}`, { signal });
    if (answer.ok) return answer;
    const told = await answer.json().catch(() => null);
    throw new Error(told?.error ?? `The server answered ${answer.status}.`);
  }

  keep(block, found) {
    const items = found.rows.map((row, k) => ({
      row,
      title: found.titles[k],
      score: found.scores[k],
      chance: found.probabilities[k],
      accepted: found.accepted[k],
      mark: found.marks[k],
      count: found.counts[k],
    }));
    this.blocks.set(block, items);
    while (this.blocks.size > KEPT) this.blocks.delete(this.blocks.keys().next().value);
    this.on.block(block * this.listing.block, block * this.listing.block + items.length);
  }

  // The shapes of all images, one byte each; null where the listing has changed meanwhile.
  async shapes() {
    const { id } = this.listing;
    const answer = await this.ask("shapes.bin");
    if (id !== this.listing.id || this.closed) return null;
    if (answer.headers.get("content-type").includes("json")) {
      this.on.moved((await answer.json()).moved);
      return null;
    }
    const bytes = await answer.arrayBuffer();
    return this.closed ? null : new Uint8Array(bytes);
  }

  close() {
    this.closed = true;
    for (const control of this.coming.values()) control.abort();
    for (const pack of [...this.packs.keys()]) this.dropPack(pack);
  }
}

// The pictures of one pack: how many there are and their sizes, then one after the other; empty for one without a size.
async function unpack(answer) {
  const bytes = await answer.arrayBuffer();
  const told = new DataView(bytes);
  const count = told.getUint32(0, true);
  let at = 4 + 4 * count;
  return Array.from({ length: count }, (_, k) => {
    const part = new Uint8Array(bytes, at, told.getUint32(4 + 4 * k, true));
    at += part.length;
    return part;
  });
}
