// The images of a listing, fetched in windows as they become visible. In: a listing {id, q, total, block, pack}. Out:
// items by index, null until loaded; pictures by index, many in one response. Requests that are no longer needed are
// cancelled.

const MAX_CACHED = 60; // windows, and packs of pictures
const RETRY_AFTER = 1500; // milliseconds after a failure

class Source {
  constructor(listing, on) {
    Object.assign(this, { listing, on, blocks: new Map(), coming: new Map(), failed: 0 });
    this.packs = new Map(); // promises of pictures
  }

  get(i) {
    return this.blocks.get(Math.floor(i / this.listing.block))?.[i % this.listing.block] ?? null;
  }

  // Fetch what is missing between two indices, and cancel requests for other windows.
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

  // The address of an image's picture; null if its pack does not contain it.
  async picture(i) {
    const pack = Math.floor(i / this.listing.pack);
    const known = this.packs.get(pack) ?? this.fetchPack(pack);
    this.packs.delete(pack);
    this.packs.set(pack, known); // the most recently used are last
    for (const old of this.packs.keys()) {
      if (this.packs.size <= MAX_CACHED) break;
      this.dropPack(old);
    }
    const bytes = (await known.pictures)[i % this.listing.pack];
    return bytes?.length ? addressOf(bytes) : null;
  }

  fetchPack(pack) {
    const control = new AbortController();
    const entry = { control, done: false };
    entry.pictures = this.ask(`${pack}.pack`, control.signal)
      .then((answer) => (answer.headers.get("content-type").includes("json") ? [] : unpack(answer)))
      .catch(() => {
        if (this.packs.get(pack) === entry) this.packs.delete(pack);
        return [];
      })
      .finally(() => (entry.done = true));
    return entry;
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
      const answer = await this.ask(`${block}.json`, control.signal);
      const reply = answer && (await answer.json());
      if (id !== this.listing.id || this.closed) return;
      if (reply?.moved) return void this.on.moved(reply.moved);
      if (reply) this.store(block, reply);
      this.coming.delete(block);
      this.failed = 0;
      this.on.trouble("");
    } catch (error) {
      if (control.signal.aborted) return;
      this.coming.delete(block);
      this.failed += 1;
      this.on.trouble(error.message);
      if (this.failed < 40) setTimeout(() => this.closed || this.on.again(), RETRY_AFTER);
    }
  }

  async ask(what, signal) {
    const { id, q } = this.listing;
    const answer = await fetch(`/api/gallery/${id}/${what}?q=${encodeURIComponent(q)}`, { signal });
    if (answer.ok) return answer;
    const reply = await answer.json().catch(() => null);
    throw new Error(reply?.error ?? `The server answered ${answer.status}.`);
  }

  store(block, reply) {
    const items = reply.rows.map((row, k) => ({
      row,
      title: reply.titles[k],
      score: reply.scores[k],
      chance: reply.probabilities[k],
      accepted: reply.accepted[k],
      mark: reply.marks[k],
      count: reply.counts[k],
    }));
    this.blocks.set(block, items);
    while (this.blocks.size > MAX_CACHED) this.blocks.delete(this.blocks.keys().next().value);
    this.on.block(block * this.listing.block, block * this.listing.block + items.length);
  }

  // The shapes of all images, one byte each; null if the listing has changed.
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

// Unpack the pictures of a pack: their number and sizes, then their bytes; a missing picture is empty.
async function unpack(answer) {
  const bytes = await answer.arrayBuffer();
  const head = new DataView(bytes);
  const count = head.getUint32(0, true);
  let at = 4 + 4 * count;
  return Array.from({ length: count }, (_, k) => {
    const part = new Uint8Array(bytes, at, head.getUint32(4 + 4 * k, true));
    at += part.length;
    return part;
  });
}
