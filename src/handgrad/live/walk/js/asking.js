// Asking the server: the newest question of a kind takes the place of the older ones.

/** What the server answered when it could not do what it was asked for. */
export class Refused extends Error {}
/** The server does not answer any more. */
export class Lost extends Error {}

export class Asking {
  constructor() {
    /** @type {Map<string, AbortController>} */
    this.open = new Map();
  }

  /**
   * The answer to a question; null where a newer question of the same kind took its place.
   * @param {string} kind @param {string} view @param {Record<string, string | number | undefined>} [asked] @returns {Promise<any>}
   */
  async ask(kind, view, asked = {}) {
    this.open.get(kind)?.abort();
    const mine = new AbortController();
    this.open.set(kind, mine);
    try {
      for (let wait = 200; ; wait *= 2) {
        const answer = await fetch(address(view, asked), { signal: mine.signal });
        if (answer.status === 503 && wait < 5000) {
          await new Promise((later) => setTimeout(later, wait));
          continue;
        }
        const found = await answer.json().catch(() => ({ error: String(answer.status) }));
        if (!answer.ok) throw new Refused(found.error);
        return found;
      }
    } catch (error) {
      if (mine.signal.aborted) return null;
      if (error instanceof TypeError) throw new Lost(String(error));
      throw error;
    } finally {
      if (this.open.get(kind) === mine) this.open.delete(kind);
    }
  }
}

/** @param {string} view @param {Record<string, string | number | undefined>} asked */
export function address(view, asked) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) if (value !== undefined && value !== '') query.set(name, String(value));
  return String(query) ? `${view}?${query}` : view;
}
