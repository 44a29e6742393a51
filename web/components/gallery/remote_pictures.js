// Pictures that the collection does not have, from the server, which fetches them: a few at a time, so that the page's own
// requests are not held up, and only while somebody looks.

import { addressOf } from "../picture_address.js";

const AT_ONCE = 3;

/** @typedef {{ address?: string, why?: string }} Remote the address of a picture, or why there is none */

export class RemotePictures {
  /**
   * @param {string} address
   * @param {typeof fetch} [get]
   */
  constructor(address, get = (where, options) => fetch(where, options)) {
    this.address = address;
    this.request = get;
    this.busy = 0;
    /** @type {(() => void)[]} */
    this.waiting = [];
  }

  /**
   * Load the picture of an image; null once nobody looks any more.
   *
   * @param {number} row
   * @param {AbortSignal} signal
   * @returns {Promise<Remote | null>}
   */
  async load(row, signal) {
    if (this.busy >= AT_ONCE) await new Promise((go) => this.waiting.push(() => go(null)));
    else this.busy += 1;
    try {
      return signal.aborted ? null : await this.ask(row, signal);
    } catch (error) {
      return signal.aborted ? null : { why: error instanceof Error ? error.message : String(error) };
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.busy -= 1;
    }
  }

  /**
   * @param {number} row
   * @param {AbortSignal} signal
   * @returns {Promise<Remote>}
   */
  async ask(row, signal) {
    const answer = await this.request(`${this.address}/${row}.webp`, { signal });
    if (answer.ok) return { address: addressOf(new Uint8Array(await answer.arrayBuffer())) };
    const reply = await answer.json().catch(() => null);
    return { why: reply?.error ?? `The server answered ${answer.status}.` };
  }
}
