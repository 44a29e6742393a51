// The script that Streamlit is given for a component. It is turned into a module without an address, so that it cannot
// import relatively: it imports the component's modules, all at once, and hands over to the first. MODULES is their
// addresses, written before this text.

/** @import { Component } from "./data.js" */

const FAILED = "This part of the page could not be loaded. Reload the page.";

/** @param {Component<unknown>} component */
function complain({ parentElement }) {
  let sentence = parentElement.querySelector("p.bam-failed");
  if (!sentence) {
    sentence = document.createElement("p");
    sentence.className = "bam-failed";
    sentence.setAttribute("role", "alert");
    parentElement.append(sentence);
  }
  sentence.textContent = FAILED;
}

/** @returns {Promise<(component: Component<unknown>) => (() => void) | undefined>} */
async function load() {
  const [entry] = await Promise.all(MODULES.map((address) => import(location.origin + address)));
  return entry.default;
}

const mount = await load().catch((error) => {
  console.error(error);
  return complain;
});

/** @param {Component<unknown>} component */
export default function guarded(component) {
  try {
    return mount(component);
  } catch (error) {
    console.error(error);
    return complain(component);
  }
}
