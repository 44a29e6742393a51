// A storage like the browser's, in memory.

/** @implements {Storage} */
export class MemoryStorage {
  /**
   * @param {Record<string, string>} [kept]
   * @param {number} [room] characters that fit into it
   */
  constructor(kept = {}, room = Infinity) {
    Object.assign(this, kept);
    Object.defineProperty(this, "room", { value: room });
  }

  /** @type {Record<string, string>} */
  get kept() {
    return Object.fromEntries(Object.entries(this));
  }

  get length() {
    return Object.keys(this).length;
  }

  /** @param {number} index */
  key(index) {
    return Object.keys(this)[index] ?? null;
  }

  /** @param {string} key */
  getItem(key) {
    return this.kept[key] ?? null;
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  setItem(key, value) {
    const { room } = /** @type {{ room?: number }} */ (/** @type {unknown} */ (this));
    const taken = Object.values(this.kept).join("").length;
    if (taken + value.length > (room ?? Infinity)) throw new DOMException("full", "QuotaExceededError");
    Object.assign(this, { [key]: value });
  }

  /** @param {string} key */
  removeItem(key) {
    Reflect.deleteProperty(this, key);
  }

  clear() {
    for (const key of Object.keys(this)) this.removeItem(key);
  }
}
