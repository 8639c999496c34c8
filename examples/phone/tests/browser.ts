/** What tests in Node lack of a browser: a database in memory, locks, events of the device, and a page that is hidden. */

import { mock } from "node:test";

/** A database that may be full. A transaction is done, as a whole, in a task of its own. */
export class Database {
  static tables = new Map<string, Map<string, object>>();
  static full = false;
  /** Whether the browser has none. */
  static refused = false;
  /** How many times it does not answer when it is opened. */
  static deaf = 0;
  private static opened: Database[] = [];
  private closed = false;

  /** Closes all that are open, as the system does with those of pages in the background. */
  static close(): void {
    for (const database of Database.opened.splice(0)) database.closed = true;
  }

  constructor(private readonly name: string) {
    Database.opened.push(this);
  }

  createObjectStore(): void {
    Database.tables.set(this.name, new Map());
  }

  transaction() {
    if (this.closed) throw new DOMException("closed", "InvalidStateError");
    const table = Database.tables.get(this.name) ?? new Map<string, object>();
    const steps: (() => void)[] = [];
    const done: { oncomplete?: () => void; onabort?: () => void; error?: Error } = {};
    let [result, fails] = [undefined as unknown, false];
    const request = { get result() { return result; } };
    const store = {
      getAll: () => (steps.push(() => (result = [...table.values()].map((row) => structuredClone(row)))), request),
      put: (row: { id: string }) => (fails ||= Database.full, steps.push(() => table.set(row.id, structuredClone(row))), request),
      delete: (id: string) => (steps.push(() => table.delete(id)), request),
    };
    setImmediate(() => {
      if (!fails) for (const step of steps) step();
      (fails ? done.onabort : done.oncomplete)?.();
    });
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

/** Hears events, and knows who listens. */
class Heard extends EventTarget {
  listening: [type: string, listener: EventListener][] = [];

  override addEventListener(type: string, listener: EventListener): void {
    super.addEventListener(type, listener);
    this.listening.push([type, listener]);
  }

  override removeEventListener(type: string, listener: EventListener): void {
    super.removeEventListener(type, listener);
    this.listening = this.listening.filter((each) => each[0] !== type || each[1] !== listener);
  }

  /** Forgets pages of earlier tests. */
  forget(): void {
    for (const each of this.listening) this.removeEventListener(...each);
  }
}

const held = new Map<string, Promise<unknown>>();
export const page = Object.assign(new Heard(), { hidden: false, getElementById: () => ({ open: false }) });
export const device = new Heard();

/** Hides the page, or brings it back. */
export function hide(hidden: boolean): void {
  page.hidden = hidden;
  page.dispatchEvent(new Event("visibilitychange"));
}

/** Timers that run, of a kind: those that were set and neither fired nor were cleared. */
export function timers(set: "setTimeout" | "setInterval", clear: "clearTimeout" | "clearInterval"): Set<unknown> {
  const running = new Set<unknown>();
  const [begin, end] = [globalThis[set] as (act: () => void, wait: number) => unknown, globalThis[clear] as (timer: unknown) => void];
  mock.method(globalThis, set, (act: () => void, wait: number) => {
    const timer = begin(() => {
      if (set === "setTimeout") running.delete(timer);
      act();
    }, wait);
    running.add(timer);
    return timer;
  });
  mock.method(globalThis, clear, (timer: unknown) => {
    running.delete(timer);
    end(timer);
  });
  return running;
}

/** Waits until what was asked of a database is done. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await new Promise((done) => setImmediate(done));
}

/** Forgets what was stored. */
export function anew(): void {
  Database.tables.clear();
  Channel.all.clear();
  texts.clear();
  Database.refused = false;
  Database.deaf = 0;
  held.clear();
  Database.full = false;
}

const indexedDB = {
  open(name: string) {
    if (Database.refused) throw new DOMException("private", "SecurityError");
    const request = { result: new Database(name), onupgradeneeded: () => {}, onsuccess: () => {} };
    if (Database.deaf) Database.deaf -= 1;
    else setImmediate(() => {
      if (!Database.tables.has(name)) request.onupgradeneeded();
      request.onsuccess();
    });
    return request;
  },
};
const locks = {
  async request(name: string, ...rest: unknown[]) {
    const over = rest.pop() as (lock: object | null) => Promise<unknown>;
    const [options] = rest as [{ ifAvailable?: boolean }?];
    await null;
    if (held.has(name) && options?.ifAvailable) return over(null);
    while (held.has(name)) await held.get(name);
    const result = Promise.resolve(over({ name })).finally(() => held.delete(name));
    held.set(name, result);
    return result;
  },
};

const globals = {
  indexedDB, localStorage, document: page, window: globalThis, BroadcastChannel: Channel, location: { search: "", hash: "" },
  addEventListener: device.addEventListener.bind(device), removeEventListener: device.removeEventListener.bind(device),
  // As on a phone, whose page draws nothing.
  matchMedia: () => ({ matches: true }), requestAnimationFrame: () => 0,
};
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
