/** What tests in Node lack of a browser: a database in memory, locks, and a page that is hidden. */

/** A database that may be full. */
export class Database {
  static tables = new Map<string, Map<string, object>>();
  static full = false;

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
  held.clear();
  Database.full = false;
}

const indexedDB = {
  open(name: string) {
    const request = { result: new Database(name), onupgradeneeded: () => {}, onsuccess: () => {} };
    setTimeout(() => {
      if (!Database.tables.has(name)) request.onupgradeneeded();
      request.onsuccess();
    });
    return request;
  },
};
const locks = {
  async request(name: string, over: () => Promise<void>) {
    held.add(name);
    await over();
    held.delete(name);
  },
  query: async () => ({ held: [...held].map((name) => ({ name })) }),
};

for (const [name, value] of Object.entries({ indexedDB, document: page, addEventListener: () => {}, window: globalThis })) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
