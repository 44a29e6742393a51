// A server that a test directs: each request waits until the test answers it.

import assert from "node:assert/strict";

/** Let everything run that does not wait for the test. */
export const settled = () => new Promise((done) => setImmediate(done));

export class Server {
  constructor() {
    /** @type {{ address: string, signal: AbortSignal | null | undefined, answer: (response: Response) => void }[]} */
    this.requests = [];
    /** @type {typeof fetch} */
    this.get = (address, options) =>
      new Promise((resolve, reject) => {
        const signal = options?.signal;
        signal?.addEventListener("abort", () => reject(signal.reason));
        this.requests.push({ address: String(address), signal, answer: resolve });
      });
  }

  get addresses() {
    return this.requests.map(({ address }) => address);
  }

  /** The addresses of requests that were not cancelled. */
  get alive() {
    return this.requests.filter(({ signal }) => !signal?.aborted).map(({ address }) => address);
  }

  /**
   * Answer the first open request whose address contains a text.
   *
   * @param {string} part
   * @param {BodyInit | null} body
   * @param {ResponseInit} [about]
   */
  async answer(part, body, about) {
    const at = this.requests.findIndex(({ address, signal }) => address.includes(part) && !signal?.aborted);
    assert.notEqual(at, -1, `nobody asks for ${part}`);
    const [request] = this.requests.splice(at, 1);
    request.answer(new Response(body, about));
    await settled();
  }

  /**
   * @param {string} part
   * @param {unknown} value
   * @param {number} [status]
   */
  async json(part, value, status = 200) {
    await this.answer(part, JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });
  }
}
