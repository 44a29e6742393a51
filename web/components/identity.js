// Who uses this browser: the annotator's name, kept so that a reload, another tab and another day begin with it. A tab
// that has a name keeps it, whatever is chosen elsewhere; a tab without one follows the others.
//
// The cookie tells the server at the start of a session, before anything is drawn; the storage of the tab wins over it.

import { local, session } from "./store.js";

/** @import { Component, IdentityData } from "./data.js" */
/** @import { Store } from "./store.js" */

export const COOKIE = "bam-annotator";
const KEY = "bam.annotator";
const A_YEAR = 365 * 24 * 60 * 60; // seconds

/** The annotator of this tab; empty until somebody gives a name. @returns {string} */
export const annotatorHere = () => String(session.read(KEY) ?? local.read(KEY) ?? "");

/** @typedef {Pick<Store, "read" | "write">} Kept */

/**
 * Keep the name of this tab, or return the one that it had or should follow.
 *
 * @param {IdentityData} data
 * @param {object} environment
 * @param {Kept} environment.tab
 * @param {Kept} environment.browser
 * @param {(cookie: string) => void} environment.setCookie
 * @param {Set<string>} environment.asked names that were returned since the page was loaded: each is, once
 * @returns {string | null} the name to answer under from now on; null to stay
 */
export function settle({ name, named, chosen }, { tab, browser, setCookie, asked }) {
  const before = tab.read(KEY) ?? (named ? null : browser.read(KEY));
  if (!chosen && typeof before === "string" && before && before !== name && !asked.has(before)) {
    asked.add(before);
    return before;
  }
  if (!named) return null;
  tab.write(KEY, name);
  if (chosen && browser.read(KEY) !== name) {
    browser.write(KEY, name);
    setCookie(`${COOKIE}=${encodeURIComponent(name)}; path=/; max-age=${A_YEAR}; SameSite=Strict`);
  }
  return null;
}

/** @type {Set<string>} */
const asked = new Set();
/** @type {WeakMap<Node, AbortController>} */
const listening = new WeakMap();

/** @param {Component<IdentityData>} component */
export default function mount({ parentElement, data, setTriggerValue }) {
  listening.get(parentElement)?.abort();
  const stop = new AbortController();
  listening.set(parentElement, stop);
  const follow = () => {
    const setCookie = (/** @type {string} */ text) => (document.cookie = text);
    const name = settle(data, { tab: session, browser: local, setCookie, asked });
    if (name) setTriggerValue("name", name);
  };
  follow();
  if (!data.named) addEventListener("storage", (event) => event.key === KEY && follow(), { signal: stop.signal });
  return () => stop.abort();
}
