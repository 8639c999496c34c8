/**
 * Recordings on the phone, kept until the computer has acknowledged them.
 *
 * They lie in IndexedDB, which outlasts the page and the phone's battery. Of those that were acknowledged a line is kept,
 * without the signal.
 */

/** How a recording fares: it is being made, waits to be sent, was acknowledged, or was refused. */
export type Fate = "open" | "waiting" | "sent" | "refused";

export interface Item {
  /** Sixteen digits that are drawn here: the computer recognizes a recording that it has already. */
  id: string;
  /** Of the code that was scanned when it was recorded. */
  token: string;
  person: string;
  activity: string;
  seconds: number;
  /** Empty once it was acknowledged. */
  csv: string;
  fate: Fate;
  /** Why it was refused. */
  reason: string;
  /** Milliseconds since 1970 when it was last written. */
  touched: number;
}

const STORE = "recordings";

/** Milliseconds after which a recording that is being made was abandoned: it is written every few seconds. */
const ABANDONED = 20_000;

/** Seconds of the shortest recording that is kept, as of `Recorder`. */
const SHORTEST = 5;

/** Lines that are kept of recordings that were acknowledged. */
const REMEMBERED = 50;

export class Outbox {
  private items = new Map<string, Item>();
  /** Recordings that the browser could not store, as where there is no room. */
  private readonly unstored = new Set<string>();

  private constructor(private database: IDBDatabase | null) {}

  /** Opens what is on this phone. Where a browser stores nothing, recordings last as long as the page. */
  static async open(): Promise<Outbox> {
    const outbox = new Outbox(await open().catch(() => null));
    await outbox.load();
    return outbox;
  }

  /** Whether recordings outlast the page. */
  get lasting(): boolean {
    return this.database !== null && !this.unstored.size;
  }

  /** All recordings, the latest first. */
  get all(): Item[] {
    return [...this.items.values()].sort((a, b) => b.touched - a.touched);
  }

  /** Reads what other pages wrote, and closes recordings whose page is gone. */
  async load(): Promise<void> {
    if (!this.database) return;
    const begun = Date.now();
    const found = await this.request<Item[]>("readonly", (store) => store.getAll()).catch(() => null);
    if (!found) return;
    const mine = this.all.filter(({ id, touched }) => touched >= begun || this.unstored.has(id));
    this.items = new Map([...found, ...mine].map((item) => [item.id, item]));
    for (const item of found.filter(({ fate, touched }) => fate === "open" && Date.now() - touched > ABANDONED)) {
      if (item.seconds < SHORTEST) await this.remove(item.id);
      else await this.put({ ...item, fate: "waiting" });
    }
    const sent = this.all.filter(({ fate }) => fate === "sent");
    for (const { id } of sent.slice(REMEMBERED)) await this.remove(id);
  }

  /** Writes a recording; resolves once it is stored. */
  async put(item: Omit<Item, "touched">): Promise<void> {
    const kept = { ...item, touched: Date.now() };
    await this.request("readwrite", (store) => store.put(kept)).then(
      () => this.unstored.delete(kept.id),
      () => this.unstored.add(kept.id),
    );
    // Not before: nobody shall close a page that says that a recording is kept before it is.
    this.items.set(kept.id, kept);
  }

  async remove(id: string): Promise<void> {
    await this.request("readwrite", (store) => store.delete(id)).catch(() => undefined);
    this.items.delete(id);
    this.unstored.delete(id);
  }

  private async request<Result>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest): Promise<Result> {
    if (!this.database) throw new Error("nothing is stored here");
    const transaction = await this.transaction(mode);
    const request = ask(transaction.objectStore(STORE));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result as Result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  }

  private async transaction(mode: IDBTransactionMode): Promise<IDBTransaction> {
    const begin = () => this.database!.transaction(STORE, mode, { durability: "strict" });
    try {
      return begin();
    } catch {
      // The system closes databases of pages that were in the background.
      this.database = await open();
      return begin();
    }
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("pocket-zoo", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    // It has no error to ask for yet: asking throws.
    request.onblocked = () => reject(new Error("another page keeps the database open"));
  });
}

/** The number of a recording. */
export function draw(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte % 10).join("");
}
