/** What tests in Node lack of a browser: a database in memory, locks, and a page that is hidden. */

/** A database that may be full. */
export class Database {
  static tables = new Map<string, Map<string, object>>();
  static full = false;
  /** Whether the browser has none. */
  static refused = false;

  constructor(private readonly name: string) {}

  createObjectStore(): void {
    Database.tables.set(this.name, new Map());
  }

  transaction() {
    const table = Database.tables.get(this.name)!;
    const done: { oncomplete?: () => void; onabort?: () => void; error?: Error } = {};
    let [result, fails] = [undefined as unknown, false];
    const request = { get result() { return result; } };
    const store = {
      getAll: () => ((result = [...table.values()].map((row) => structuredClone(row))), request),
      put: (row: { id: string }) => ((fails ||= Database.full) || table.set(row.id, structuredClone(row)), request),
      delete: (id: string) => (table.delete(id), request),
    };
    setTimeout(() => (fails ? done.onabort : done.oncomplete)?.());
    return Object.assign(done, { objectStore: () => store });
  }
}

/** Pages hear of each other's changes, but not of their own. */
class Channel {
  static all = new Set<Channel>();
  onmessage = () => {};

  constructor(private readonly name: string) {
    Channel.all.add(this);
  }

  postMessage(): void {
    for (const other of Channel.all) if (other !== this && other.name === this.name) setTimeout(other.onmessage);
  }
}

/** Texts of the storage that the page used up to version 0.3. */
export const texts = new Map<string, string>();

const localStorage = {
  get length() { return texts.size; },
  key: (number: number) => [...texts.keys()][number],
  getItem: (key: string) => texts.get(key) ?? null,
  setItem: (key: string, text: string) => texts.set(key, text),
  removeItem: (key: string) => texts.delete(key),
};

const held = new Set<string>();
export const page = Object.assign(new EventTarget(), { hidden: false });

/** Hides the page, or brings it back. */
export function hide(hidden: boolean): void {
  page.hidden = hidden;
  page.dispatchEvent(new Event("visibilitychange"));
}

/** Forgets what was stored. */
export function anew(): void {
  Database.tables.clear();
  Channel.all.clear();
  texts.clear();
  Database.refused = false;
  held.clear();
  Database.full = false;
}

const indexedDB = {
  open(name: string) {
    if (Database.refused) throw new DOMException("private", "SecurityError");
    const request = { result: new Database(name), onupgradeneeded: () => {}, onsuccess: () => {} };
    setTimeout(() => {
      if (!Database.tables.has(name)) request.onupgradeneeded();
      request.onsuccess();
    });
    return request;
  },
};
const locks = {
  async request(name: string, over: () => Promise<unknown>) {
    held.add(name);
    const result = await over();
    held.delete(name);
    return result;
  },
  query: async () => ({ held: [...held].map((name) => ({ name })) }),
};

const globals = {
  indexedDB, localStorage, document: page, addEventListener: () => {}, window: globalThis, BroadcastChannel: Channel, location: { search: "" },
};
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
