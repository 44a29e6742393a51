// The component of the endless gallery. The last gallery is kept, with its decoded pictures, in case the user returns to
// the same listing.

import { Endless } from "./endless.js";

/** @import { Component, EndlessData } from "../data.js" */

/** @type {WeakMap<Node, Endless>} */
const shown = new WeakMap();
/** @type {Endless | undefined} */
let left;

/**
 * @param {ParentNode} parent
 * @param {EndlessData} data
 */
function galleryFor(parent, { listing, version }) {
  if (left && !left.frame.isConnected && left.listing?.id === listing.id && left.version === version) {
    left.reattach(parent);
    return left;
  }
  if (left && !left.frame.isConnected) left.dispose();
  return (left = new Endless(parent));
}

/** @param {Component<EndlessData>} component */
export default function mount({ parentElement, data, setTriggerValue, setStateValue }) {
  let gallery = shown.get(parentElement);
  if (!gallery) shown.set(parentElement, (gallery = galleryFor(parentElement, data)));
  gallery.update(data, {
    pick: (picked) => setTriggerValue("picked", picked),
    choose: (chosen) => setStateValue("chosen", chosen),
  });
}
