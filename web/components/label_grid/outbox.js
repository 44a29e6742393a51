// Answers to be sent to the server, and remarks to the reviewer. Every batch stays in the browser's storage until the server has confirmed it, so that
// neither a lost connection nor a closed tab loses one. Batches are sent one at a time, oldest first: of two answers to
// one picture the later must arrive later. Sending twice is harmless, since each answer has a unique id. The server keeps
// answers that were given elsewhere in the meantime, and names them.

import { newId } from "../ids.js";
import { local } from "../store.js";

/** @import { Mark, SentAnswer, SentRemark } from "../data.js" */
/** @import { Store } from "../store.js" */

/**
 * @typedef {object} Batch
 * @property {string} assignment
 * @property {SentAnswer[]} answers
 * @property {SentRemark[]} remarks
 * @property {string} key in the storage
 * @property {string | null} refused why the server will never accept it
 */

/**
 * Sends the answers of an assignment and returns the response; rejects where there is none.
 *
 * @typedef {(assignment: string, answers: SentAnswer[], remarks: SentRemark[]) => Promise<{ status: number, reply: any }>} Post
 */

/** An answer that the server has kept; null where it was withdrawn. @typedef {{ row: number, answer: Mark | null }} Newer */

/** What the server is told of a picture that has no answer. */
export const NONE = /** @type {const} */ (-2);
export const PREFIX = "bam.answers.";
export const FIRST_WAIT = 1000; // milliseconds
export const LONGEST_WAIT = 30_000;
const REFUSALS = [400, 404, 409, 413, 415]; // the server will never accept the batch: retrying is useless

export class Outbox {
  /**
   * @param {object} environment
   * @param {Pick<Store, "read" | "write" | "remove" | "keys">} environment.store
   * @param {Post} environment.post
   * @param {(does: () => void, milliseconds: number) => () => void} environment.later returns what cancels it
   * @param {() => number} [environment.now] milliseconds since 1970
   */
  constructor({ store, post, later, now = Date.now }) {
    this.store = store;
    this.post = post;
    this.later = later;
    this.now = now;
    /** @type {Batch[]} */
    this.batches = [];
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    /** Answers given elsewhere, by assignment, until somebody takes them. @type {Map<string, Newer[]>} */
    this.newer = new Map();
    /** How many answers came when others had given their pictures all votes, by assignment. @type {Map<string, number>} */
    this.extra = new Map();
    this.failures = 0;
    this.clock = 0;
    this.sending = false;
    this.cancel = () => {};
    for (const key of store.keys(PREFIX)) {
      const batch = store.read(key);
      if (batch?.assignment && Array.isArray(batch.answers))
        this.batches.push({ remarks: [], ...batch, key, refused: null });
    }
    void this.send();
  }

  /**
   * @param {string} assignment
   * @param {SentAnswer[]} answers
   * @param {SentRemark[]} [remarks]
   */
  put(assignment, answers, remarks = []) {
    this.clock = Math.max(this.now(), this.clock + 1);
    const key = `${PREFIX}${String(this.clock).padStart(15, "0")}.${newId()}`;
    this.store.write(key, { assignment, answers, remarks });
    this.batches.push({ assignment, answers, remarks, key, refused: null });
    void this.send();
    this.notify();
  }

  /** Whether any batch waits to be sent. */
  get pending() {
    return this.batches.some((batch) => !batch.refused);
  }

  /** @param {Set<string>} assignments */
  of(assignments) {
    return this.batches.filter((batch) => assignments.has(batch.assignment));
  }

  /** @param {Set<string>} assignments */
  waiting(assignments) {
    return this.of(assignments)
      .filter((batch) => !batch.refused)
      .flatMap((batch) => batch.answers);
  }

  /** @param {Set<string>} assignments */
  refused(assignments) {
    return this.of(assignments).filter((batch) => batch.refused);
  }

  /** @param {Set<string>} assignments */
  extraIn(assignments) {
    return [...assignments].reduce((sum, assignment) => sum + (this.extra.get(assignment) ?? 0), 0);
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    this.cancel();
    try {
      let batch;
      while ((batch = this.batches.find((one) => !one.refused))) {
        if (!(await this.deliver(batch))) break;
        this.failures = 0;
        this.notify();
      }
    } finally {
      this.sending = false;
    }
    if (!this.pending) return;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures);
    this.failures += 1;
    this.cancel = this.later(() => void this.send(), wait);
    this.notify();
  }

  /**
   * Send a batch; return whether it is settled: stored, or refused for good. A response that is not ours (a sign-in
   * page, a proxy's error) does not count.
   *
   * @param {Batch} batch
   */
  async deliver(batch) {
    let status, reply;
    try {
      ({ status, reply } = await this.post(batch.assignment, batch.answers, batch.remarks));
    } catch {
      return false;
    }
    const newer = Object.entries(reply?.newer ?? {});
    if (status === 200 && reply?.new + reply?.repeated + newer.length === batch.answers.length) {
      this.batches = this.batches.filter((one) => one !== batch);
      this.store.remove(batch.key);
      if (reply.extra) this.extra.set(batch.assignment, (this.extra.get(batch.assignment) ?? 0) + reply.extra);
      this.learn(
        batch.assignment,
        newer.map(([row, answer]) => ({ row: Number(row), answer: answer === NONE ? null : answer })),
      );
      return true;
    }
    if (REFUSALS.includes(status) && typeof reply?.error === "string") {
      batch.refused = reply.error; // stays in the storage and is retried when the page is opened again
      return true;
    }
    return false;
  }

  /**
   * @param {string} assignment
   * @param {Newer[]} newer
   */
  learn(assignment, newer) {
    if (newer.length) this.newer.set(assignment, [...(this.newer.get(assignment) ?? []), ...newer]);
  }

  /**
   * The answers given elsewhere that nobody has taken yet.
   *
   * @param {Set<string>} assignments
   */
  takeNewer(assignments) {
    const newer = [...assignments].flatMap((assignment) => this.newer.get(assignment) ?? []);
    for (const assignment of assignments) this.newer.delete(assignment);
    return newer;
  }

  notify() {
    for (const listener of this.listeners) listener();
  }
}

/** @type {Post} */
async function postAnswers(assignment, answers, remarks) {
  const body = JSON.stringify(remarks.length ? { answers, remarks } : { answers });
  const response = await fetch(`/api/assignments/${encodeURIComponent(assignment)}/answers`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
    keepalive: body.length < 50_000, // lets it arrive even if the tab is closed
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, reply: await response.json() };
}

/** @type {Outbox | undefined} */
let shared;

/** @returns {Outbox} that of this tab, which outlives each grid */
export function sharedOutbox() {
  if (shared) return shared;
  const later = (/** @type {() => void} */ does, /** @type {number} */ milliseconds) => {
    const timer = setTimeout(does, milliseconds);
    return () => clearTimeout(timer);
  };
  const outbox = (shared = new Outbox({ store: local, post: postAnswers, later }));
  addEventListener("online", () => void outbox.send());
  addEventListener("beforeunload", (event) => {
    if (outbox.pending) event.preventDefault();
  });
  return outbox;
}
