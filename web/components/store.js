// Values kept in the browser, as JSON. Storage may be disabled or full: then nothing is kept, and nothing fails.

export class Store {
  /** @param {() => Storage} open the storage; opening it may throw where it is disabled */
  constructor(open) {
    this.open = open;
  }

  /**
   * @param {string} key
   * @returns {any} null where there is nothing
   */
  read(key) {
    try {
      return JSON.parse(this.open().getItem(key) ?? "null");
    } catch {
      return null;
    }
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @returns {boolean} whether the value is kept
   */
  write(key, value) {
    try {
      this.open().setItem(key, JSON.stringify(value));
    } catch {
      return false;
    }
    return true;
  }

  /** @param {string} key */
  remove(key) {
    try {
      this.open().removeItem(key);
    } catch {
      // storage is disabled
    }
  }

  /**
   * @param {string} prefix
   * @returns {string[]} in ascending order
   */
  keys(prefix) {
    try {
      return Object.keys(this.open())
        .filter((key) => key.startsWith(prefix))
        .sort();
    } catch {
      return [];
    }
  }
}

export const local = new Store(() => localStorage); // kept for good
export const session = new Store(() => sessionStorage); // kept as long as the tab is open
