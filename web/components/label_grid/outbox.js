// Answers to be sent to the server. Every batch stays in localStorage until the server has confirmed it, so that neither
// a lost connection nor a closed tab loses one. Batches are sent one at a time, oldest first: of two answers to one
// picture the later must arrive later. Sending twice is harmless, since each answer has a unique id.

const OUTBOX_PREFIX = "bam.answers.";
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30000;
const REFUSALS = [400, 404, 413, 415]; // the server will never accept the batch: retrying is useless

function newUid() {
  if (crypto.randomUUID) return crypto.randomUUID(); // available on https and localhost only
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const store = {
  // localStorage may be disabled or full: then batches are in memory only
  read(key) {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  },
  write(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      return false;
    }
    return true;
  },
  remove(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // storage is disabled
    }
  },
  keys(prefix) {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(prefix)).sort();
    } catch {
      return [];
    }
  },
};

class Outbox {
  static shared() {
    // one per tab, across mounts
    const name = Symbol.for("bam.outbox");
    globalThis[name] ??= new Outbox();
    return globalThis[name];
  }

  constructor() {
    this.batches = [];
    this.listeners = new Set();
    this.failures = 0;
    this.clock = 0;
    this.sending = false;
    for (const key of store.keys(OUTBOX_PREFIX)) {
      const batch = store.read(key);
      if (batch?.assignment && Array.isArray(batch.answers)) this.batches.push({ ...batch, key, refused: null });
    }
    addEventListener("online", () => this.send());
    addEventListener("beforeunload", (event) => {
      if (this.batches.some((batch) => !batch.refused)) event.preventDefault();
    });
    this.send();
  }

  put(assignment, answers) {
    this.clock = Math.max(Date.now(), this.clock + 1);
    const key = `${OUTBOX_PREFIX}${String(this.clock).padStart(15, "0")}.${newUid()}`;
    store.write(key, { assignment, answers });
    this.batches.push({ assignment, answers, key, refused: null });
    this.send();
    this.notify();
  }

  of(assignment) {
    return this.batches.filter((batch) => batch.assignment === assignment);
  }

  waiting(assignment) {
    return this.of(assignment).filter((batch) => !batch.refused).flatMap((batch) => batch.answers);
  }

  refused(assignment) {
    return this.of(assignment).filter((batch) => batch.refused);
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.timer);
    try {
      let batch;
      while ((batch = this.batches.find((one) => !one.refused))) {
        if (!(await this.post(batch))) break;
        this.failures = 0;
        this.notify();
      }
    } finally {
      this.sending = false;
    }
    if (!this.batches.some((one) => !one.refused)) return;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures);
    this.failures += 1;
    this.timer = setTimeout(() => this.send(), wait);
    this.notify();
  }

  // Send a batch; return whether it is settled: stored, or refused for good. A response that is not ours (a sign-in
  // page, a proxy's error) does not count.
  async post(batch) {
    const body = JSON.stringify({ answers: batch.answers });
    let response, reply;
    try {
      response = await fetch(`/api/assignments/${encodeURIComponent(batch.assignment)}/answers`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        keepalive: body.length < 50000, // lets it arrive even if the tab is closed
        signal: AbortSignal.timeout(20000),
      });
      reply = await response.json();
    } catch {
      return false;
    }
    if (response.status === 200 && reply?.new + reply?.repeated === batch.answers.length) {
      this.batches = this.batches.filter((one) => one !== batch);
      store.remove(batch.key);
      return true;
    }
    if (REFUSALS.includes(response.status) && typeof reply?.error === "string") {
      batch.refused = reply.error; // stays in localStorage and is retried when the page is opened again
      return true;
    }
    return false;
  }

  notify() {
    for (const listener of this.listeners) listener();
  }
}
