import assert from "node:assert/strict";
import { test } from "node:test";

import { COOKIE, settle } from "../../web/components/identity.js";
import { Store } from "../../web/components/store.js";
import { MemoryStorage } from "./storage.js";

const EVERYBODY = { name: "me", named: false, chosen: false };
const anna = { name: "anna", named: true, chosen: false };
const annaChosen = { ...anna, chosen: true };
const ben = { name: "ben", named: true, chosen: false };

/** A browser with as many tabs as are opened. */
class Browser {
  kept = new Store(() => this.storage);
  storage = new MemoryStorage();
  /** @type {string[]} */
  cookies = [];

  tab() {
    const kept = new MemoryStorage();
    let asked = new Set();
    return {
      /** @param {Parameters<typeof settle>[0]} data */
      settle: (data) =>
        settle(data, {
          tab: new Store(() => kept),
          browser: this.kept,
          setCookie: (cookie) => this.cookies.push(cookie),
          asked,
        }),
      reload: () => (asked = new Set()),
    };
  }
}

test("a name that somebody chose goes into the cookie with which the next session begins", () => {
  const browser = new Browser();
  assert.equal(browser.tab().settle({ ...annaChosen, name: "Żaneta; x" }), null);
  assert.equal(browser.cookies.length, 1);
  assert.ok(browser.cookies[0].startsWith(`${COOKIE}=%C5%BBaneta%3B%20x; path=/; max-age=`));
});

test("nobody's name is kept until somebody chooses one", () => {
  const browser = new Browser();
  assert.equal(browser.tab().settle(EVERYBODY), null);
  assert.deepEqual([browser.cookies, browser.storage.length], [[], 0]);
});

test("a reload keeps the name of the tab, although another one was chosen elsewhere since", () => {
  const browser = new Browser();
  const [left, right] = [browser.tab(), browser.tab()];
  left.settle(annaChosen);
  right.settle({ ...ben, chosen: true });
  left.reload();
  assert.equal(left.settle(ben), "anna", "the cookie says ben");
  assert.equal(left.settle(anna), null);
  right.reload();
  assert.equal(right.settle(ben), null);
  assert.equal(browser.cookies.length, 2, "a reload sets no cookie");
});

test("a tab without a name follows the one that is chosen in another, a tab with a name does not", () => {
  const browser = new Browser();
  const [nameless, named] = [browser.tab(), browser.tab()];
  assert.equal(nameless.settle(EVERYBODY), null);
  assert.equal(named.settle(anna), null);
  browser.tab().settle({ ...ben, chosen: true });
  assert.equal(nameless.settle(EVERYBODY), "ben");
  assert.equal(named.settle(anna), null);
});

test("a name that the server changes or refuses is asked for once", () => {
  const browser = new Browser();
  const tab = browser.tab();
  tab.settle({ ...annaChosen, name: "an  na" });
  tab.reload();
  assert.equal(tab.settle({ ...anna, name: "an na" }), "an  na");
  assert.equal(tab.settle({ ...anna, name: "an na" }), null);
  tab.reload();
  assert.equal(tab.settle({ ...anna, name: "an na" }), null, "the tab keeps the server's spelling");
});
