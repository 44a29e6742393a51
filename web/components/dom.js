// Makes elements. Text is set as text, never as markup.

/**
 * Make an element; a property that it does not have is set as an attribute.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [properties]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) Object.assign(node, { [name]: value });
    else node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}

/**
 * Append an element to a parent.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {ParentNode} parent
 * @param {Tag} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function add(parent, tag, className = "", text = "") {
  const node = element(tag, className ? { className } : {}, ...(text ? [text] : []));
  parent.append(node);
  return node;
}
