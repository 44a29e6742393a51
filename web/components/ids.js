// Unique ids.

/** @returns {string} an id that no other answer or event has, of any browser */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID(); // available on https and localhost only
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
