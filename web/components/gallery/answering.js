// Answers to single images of a gallery, by key or click: a mark appears at once, and is corrected by what the server
// replies. Answers are sent one after the other, so that of two to one image the later arrives later.

/** @import { Answer, DirectReply, GalleryAnswering } from "../data.js" */
/** What is answered about: an image, its title and its label. @typedef {{ row: number, title: string, mark: string }} Item */

/**
 * Sends an answer, null to withdraw it, and returns the response; rejects where there is none.
 *
 * @typedef {(address: string, body: { answer: Answer | null, annotator: string, seen: string }) =>
 *   Promise<{ status: number, reply: DirectReply | null }>} Post
 */

/** @type {Map<Answer, string>} */
export const WORDS = new Map([
  [1, "yes"],
  [0, "no"],
  [-1, "unsure"],
]);

export class Answering {
  /**
   * @param {object} on
   * @param {(row: number, mark: string) => void} on.mark
   * @param {(words: string, undoable: boolean) => void} on.tell
   * @param {Post} [post]
   */
  constructor({ mark, tell }, post = postAnswer) {
    this.mark = mark;
    this.tell = tell;
    this.post = post;
    /** Null where nothing can be answered. @type {GalleryAnswering | null} */
    this.about = null;
    /** What undoes the last answer. @type {{ about: GalleryAnswering, item: Item, own: Answer | null } | null} */
    this.last = null;
    this.sent = Promise.resolve();
  }

  /**
   * @param {Item} item
   * @param {Answer} answer
   */
  answer(item, answer) {
    const { about } = this;
    if (about) this.queue(() => this.send(about, item, answer, false));
  }

  /** Undo the last answer: the last that was given, also where its reply has not come yet. */
  undo() {
    this.queue(async () => {
      const { last } = this;
      if (last) await this.send(last.about, last.item, last.own, true);
    });
  }

  /** @param {() => Promise<void>} does once all before it is done */
  queue(does) {
    this.sent = this.sent.then(does);
  }

  /**
   * @param {Item} item
   * @param {string} mark
   */
  show(item, mark) {
    item.mark = mark; // also where the gallery has dropped it meanwhile
    this.mark(item.row, mark);
  }

  /**
   * @param {GalleryAnswering} about
   * @param {Item} item
   * @param {Answer | null} answer
   * @param {boolean} undoes
   */
  async send(about, item, answer, undoes) {
    const { attribute, annotator } = about;
    const seen = item.mark;
    this.show(item, answer === null ? "" : (WORDS.get(answer) ?? ""));
    const address = `/api/attributes/${attribute}/images/${item.row}/answer`;
    const lost = { status: 0, reply: null };
    const { status, reply } = await this.post(address, { answer, annotator, seen }).catch(() => lost);
    this.show(item, reply?.mark ?? seen);
    if (status === 200 && reply) {
      this.last = undoes ? null : { about, item, own: reply.own ?? null };
      this.tell(words(item, reply, undoes), !undoes);
    } else {
      this.tell(reply?.error ?? "Not saved: the server does not answer. Try again.", false);
    }
  }
}

/**
 * @param {Item} item
 * @param {DirectReply} reply
 * @param {boolean} undoes
 */
function words({ title }, { mark, effect }, undoes) {
  return [undoes ? "Undone." : "", `${title}: ${mark || "no label"}.`, effect].filter(Boolean).join(" ");
}

/** @type {Post} */
async function postAnswer(address, body) {
  const response = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    keepalive: true, // lets it arrive even if the tab is closed
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, reply: await response.json() };
}
