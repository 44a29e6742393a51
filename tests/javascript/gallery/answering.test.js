import assert from "node:assert/strict";
import { test } from "node:test";

import { Answering } from "../../../web/components/gallery/answering.js";

/** @import { DirectReply } from "../../../web/components/data.js" */
/** @import { Post } from "../../../web/components/gallery/answering.js" */

const settled = () => new Promise((done) => setImmediate(done));

/** A gallery of one image, whose server a test directs. */
class Scene {
  /** @type {{ address: string, body: Parameters<Post>[1] }[]} */
  requests = [];
  /** @type {((status: number, reply: DirectReply) => void)[]} */
  waiting = [];
  /** @type {[words: string, undoable: boolean][]} */
  told = [];
  item = {
    row: 7,
    title: "a kite",
    score: null,
    chance: null,
    accepted: null,
    mark: "no",
    count: 1,
  };

  answering = new Answering(
    { mark: () => {}, tell: (...words) => this.told.push(words) },
    (address, body) =>
      new Promise((resolve, reject) => {
        this.requests.push({ address, body });
        this.waiting.push((status, reply) => (status ? resolve({ status, reply }) : reject(new TypeError("offline"))));
      }),
  );

  constructor() {
    this.answering.about = { attribute: 3, question: "Is there a kite?", annotator: "anna" };
  }

  /**
   * @param {number} status
   * @param {DirectReply} reply
   */
  async reply(status, reply) {
    this.waiting.shift()?.(status, reply);
    await settled();
  }
}

test("an answer shows at once, names whose it is and what was seen, and the reply's label stands", async () => {
  const scene = new Scene();
  scene.answering.answer(scene.item, 1);
  await settled();
  assert.equal(scene.item.mark, "yes");
  assert.deepEqual(scene.requests, [
    { address: "/api/attributes/3/images/7/answer", body: { answer: 1, annotator: "anna", seen: "no" } },
  ]);
  await scene.reply(200, { mark: "", own: null, effect: "It has a label once 2 people have answered." });
  assert.equal(scene.item.mark, "");
  assert.deepEqual(scene.told, [["a kite: no label. It has a label once 2 people have answered.", true]]);
});

test("of two answers the second is sent once the first is stored, and has seen its label", async () => {
  const scene = new Scene();
  scene.answering.answer(scene.item, 1);
  scene.answering.answer(scene.item, -1);
  await settled();
  assert.equal(scene.requests.length, 1);
  await scene.reply(200, { mark: "yes", own: null, effect: "" });
  assert.deepEqual(scene.requests[1].body, { answer: -1, annotator: "anna", seen: "yes" });
});

test("undo brings back the answer that was replaced, once", async () => {
  const scene = new Scene();
  scene.answering.answer(scene.item, 1);
  await settled();
  await scene.reply(200, { mark: "yes", own: 0, effect: "" });
  scene.answering.undo();
  await settled();
  assert.deepEqual(scene.requests[1].body, { answer: 0, annotator: "anna", seen: "yes" });
  await scene.reply(200, { mark: "no", own: 1, effect: "" });
  assert.deepEqual(scene.told.at(-1), ["Undone. a kite: no.", false]);
  scene.answering.undo();
  await settled();
  assert.equal(scene.requests.length, 2);
});

test("an undo right after an answer undoes that one, and the answer after it stands", async () => {
  const scene = new Scene();
  scene.answering.answer(scene.item, 1);
  await settled();
  await scene.reply(200, { mark: "yes", own: 0, effect: "" });
  scene.answering.answer(scene.item, -1);
  scene.answering.undo();
  scene.answering.answer(scene.item, 0);
  await settled();
  await scene.reply(200, { mark: "unsure", own: 1, effect: "" });
  assert.deepEqual(scene.requests[2].body, { answer: 1, annotator: "anna", seen: "unsure" });
  await scene.reply(200, { mark: "yes", own: -1, effect: "" });
  await scene.reply(200, { mark: "no", own: 1, effect: "" });
  assert.deepEqual(scene.requests[3].body, { answer: 0, annotator: "anna", seen: "yes" });
  assert.equal(scene.item.mark, "no");
});

test("a label that changed elsewhere is shown, with the reason why nothing was stored", async () => {
  const scene = new Scene();
  scene.answering.answer(scene.item, 1);
  await settled();
  await scene.reply(409, { error: "It was answered elsewhere.", mark: "unsure" });
  assert.equal(scene.item.mark, "unsure");
  assert.deepEqual(scene.told, [["It was answered elsewhere.", false]]);
});

test("without a server the label is what it was, and the next answer is sent", async () => {
  const scene = new Scene();
  scene.answering.answer(scene.item, 1);
  await settled();
  await scene.reply(0, {});
  assert.equal(scene.item.mark, "no");
  assert.match(scene.told[0][0], /^Not saved/);
  scene.answering.answer(scene.item, 1);
  await settled();
  assert.equal(scene.requests.length, 2);
});
