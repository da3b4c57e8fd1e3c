// What is known of an inbox: its messages, and how far down each tab is loaded.

export const TABS = { all: "emptyAll", unread: "emptyUnread", archived: "emptyArchived" };
const FITS = {
  all: (message) => !message.archived_at,
  unread: (message) => !message.archived_at && !message.read_at,
  archived: (message) => Boolean(message.archived_at),
};
const PAGE = 30;

// `floor` is the offset down to which nothing is missing.
const unloaded = () => Object.fromEntries(Object.keys(TABS).map((name) => [name, { floor: Infinity, done: false, busy: false, failed: false }]));

/** The messages behind a list on the page. Each keeps in `at` the offset at which it was so. */
export class Feed {
  #messages = new Map(); #tabs = unloaded(); #gone = new Map();

  /** Whether what is shown is of before; `forget(true)` leaves it in place until the new list is there. */
  isStale = false;

  get(id) { return this.#messages.get(id); }
  tab(name) { return this.#tabs[name]; }

  /** The messages of a tab as far as they are loaded, newest first. */
  shown(name) {
    const { floor } = this.#tabs[name];
    return [...this.#messages.values()].filter((message) => message.offset >= floor && FITS[name](message)).sort((a, b) => b.offset - a.offset);
  }

  forget(keep) {
    this.#messages = new Map();
    this.#gone = new Map();
    this.#tabs = unloaded();
    this.isStale = keep;
  }

  /** Take in one change of the client; whether it was new. */
  change({ message, created, gone, offset }) {
    const known = this.#messages.get(message.id);
    if ((known?.at ?? this.#gone.get(message.id) ?? 0) >= offset) return false;
    if (gone) {
      this.#messages.delete(message.id);
      this.#gone.set(message.id, offset);
    } else {
      this.#messages.set(message.id, { ...message, at: offset, isNew: created && !known });
    }
    return true;
  }

  /** The next page of a tab by `list(options)`; false when it was loading, is whole, or was forgotten meanwhile. */
  async load(name, list, told) {
    const tab = this.#tabs[name];
    if (tab.busy || tab.done) return false;
    Object.assign(tab, { busy: true, failed: false });
    told();
    try {
      const before = tab.floor === Infinity ? {} : { before: tab.floor };
      const page = await list({ status: name, limit: PAGE, ...before });
      if (tab !== this.#tabs[name]) return false;
      for (const message of page.messages) {
        // What changed while the list was on its way is newer than the list.
        const at = this.#messages.get(message.id)?.at ?? this.#gone.get(message.id) ?? 0;
        if (at <= page.offset) this.#messages.set(message.id, { ...message, at: page.offset });
      }
      Object.assign(tab, { floor: page.next ?? 0, done: page.next === null });
      this.isStale = false;
    } catch {
      tab.failed = true;
    } finally {
      tab.busy = false;
      told();
    }
    return true;
  }
}
