// The images of a listing, fetched in windows as they become visible. Out: items by index, null until loaded; pictures
// by index, many in one response. Requests that are no longer needed are cancelled.

import { addressOf } from "../picture_address.js";
import { RemotePictures } from "./remote_pictures.js";

/** @import { Listing, WindowReply } from "../data.js" */

/**
 * One image of a listing.
 *
 * @typedef {object} Item
 * @property {number} row
 * @property {string} title
 * @property {number | null} score
 * @property {[number, number, number] | null} chance the probability and its interval
 * @property {boolean | null} accepted
 * @property {string} mark
 * @property {number} count the near-duplicates that it stands for
 * @property {number | null} picture the row with its picture; null where there is none
 * @property {string} words what is written below it; its scores or title where empty
 */

/**
 * @typedef {object} SourceEvents
 * @property {(from: number, to: number) => void} block items have been loaded
 * @property {(now: Listing) => void} moved the listing has changed: the one that replaces it
 * @property {() => void} again a failed request should be repeated
 * @property {(words: string) => void} trouble why a request has failed; empty once one has succeeded
 */

/** @typedef {{ control: AbortController, done: boolean, pictures: Promise<Uint8Array[]> }} Pack */

export const MAX_CACHED = 60; // windows, and packs of pictures
const RETRY_AFTER = 1500; // milliseconds after a failure
const TRIES = 40;

export class Source {
  /**
   * @param {Listing} listing
   * @param {SourceEvents} on
   * @param {typeof fetch} [get]
   */
  constructor(listing, on, get = (address, options) => fetch(address, options)) {
    this.listing = listing;
    this.on = on;
    this.request = get;
    this.remote = listing.remote ? new RemotePictures(listing.remote, get) : null;
    /** Windows by number, the least recently used first. @type {Map<number, Item[]>} */
    this.blocks = new Map();
    /** Windows that are being fetched. @type {Map<number, AbortController>} */
    this.coming = new Map();
    /** Packs of pictures by number, the least recently used first. @type {Map<number, Pack>} */
    this.packs = new Map();
    this.failed = 0;
    this.closed = false;
  }

  /**
   * @param {number} i
   * @returns {Item | null}
   */
  item(i) {
    return this.blocks.get(Math.floor(i / this.listing.block))?.[i % this.listing.block] ?? null;
  }

  /**
   * Change the label of an image in all windows that are stored.
   *
   * @param {number} row
   * @param {string} mark
   */
  mark(row, mark) {
    for (const items of this.blocks.values()) for (const item of items) if (item.row === row) item.mark = mark;
  }

  /**
   * Fetch what is missing between two indices, and cancel requests for other windows.
   *
   * @param {number} from
   * @param {number} to
   */
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
      else if (!this.coming.has(block)) void this.fetch(block);
    }
  }

  /**
   * The address of an image's picture; null if its pack does not contain it.
   *
   * @param {number} i
   */
  async picture(i) {
    if (!this.listing.pack) return null;
    const pack = Math.floor(i / this.listing.pack);
    const known = this.packs.get(pack) ?? this.fetchPack(pack);
    this.packs.delete(pack);
    this.packs.set(pack, known);
    for (const old of this.packs.keys()) {
      if (this.packs.size <= MAX_CACHED) break;
      this.dropPack(old);
    }
    const bytes = (await known.pictures)[i % this.listing.pack];
    return bytes?.length ? addressOf(bytes) : null;
  }

  /**
   * @param {number} pack
   * @returns {Pack}
   */
  fetchPack(pack) {
    const control = new AbortController();
    /** @type {Pack} */
    const entry = { control, done: false, pictures: Promise.resolve([]) };
    entry.pictures = this.ask(`${pack}.pack`, control.signal)
      .then((answer) => (isJson(answer) ? [] : unpack(answer)))
      .catch(() => {
        if (this.packs.get(pack) === entry) this.packs.delete(pack);
        return [];
      })
      .finally(() => (entry.done = true));
    return entry;
  }

  /** @param {number} pack */
  dropPack(pack) {
    this.packs.get(pack)?.control.abort();
    this.packs.delete(pack);
  }

  /** @param {number} block */
  touch(block) {
    const items = this.blocks.get(block);
    if (!items) return;
    this.blocks.delete(block);
    this.blocks.set(block, items);
  }

  /** @param {number} block */
  async fetch(block) {
    const control = new AbortController();
    this.coming.set(block, control);
    const { id } = this.listing;
    try {
      const answer = await this.ask(`${block}.json`, control.signal);
      const reply = await answer.json();
      if (id !== this.listing.id || this.closed) return;
      if (reply.moved) return void this.on.moved(reply.moved);
      this.store(block, reply);
      this.coming.delete(block);
      this.failed = 0;
      this.on.trouble("");
    } catch (error) {
      if (control.signal.aborted) return;
      this.coming.delete(block);
      this.failed += 1;
      this.on.trouble(error instanceof Error ? error.message : String(error));
      if (this.failed < TRIES) setTimeout(() => this.closed || this.on.again(), RETRY_AFTER);
    }
  }

  /**
   * @param {string} what
   * @param {AbortSignal} [signal]
   */
  async ask(what, signal) {
    const { id, q, address } = this.listing;
    const answer = await this.request(`${address}/${id}/${what}?q=${encodeURIComponent(q)}`, { signal });
    if (answer.ok) return answer;
    const reply = await answer.json().catch(() => null);
    throw new Error(reply?.error ?? `The server answered ${answer.status}.`);
  }

  /**
   * @param {number} block
   * @param {WindowReply} reply
   */
  store(block, reply) {
    const items = reply.rows.map((row, k) => ({
      row,
      title: reply.titles[k],
      score: reply.scores[k],
      chance: reply.probabilities[k],
      accepted: reply.accepted[k],
      mark: reply.marks[k],
      count: reply.counts[k],
      picture: reply.pictures ? reply.pictures[k] : row,
      words: reply.words?.[k] ?? "",
    }));
    this.blocks.set(block, items);
    for (const old of this.blocks.keys()) {
      if (this.blocks.size <= MAX_CACHED) break;
      this.blocks.delete(old);
    }
    this.on.block(block * this.listing.block, block * this.listing.block + items.length);
  }

  /** The shapes of all images, one byte each; null if the listing has changed. */
  async shapes() {
    const { id } = this.listing;
    const answer = await this.ask("shapes.bin");
    if (id !== this.listing.id || this.closed) return null;
    if (isJson(answer)) {
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

/** @param {Response} answer */
function isJson(answer) {
  return answer.headers.get("content-type")?.includes("json") ?? false;
}

/**
 * Unpack the pictures of a pack: their number and sizes, then their bytes; a missing picture is empty.
 *
 * @param {Response} answer
 */
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
