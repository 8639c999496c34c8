/** A table in the browser's database: what it holds outlasts the page and the phone's battery. */

/** Milliseconds in which a database opens: some browsers never say that theirs is damaged. */
const PATIENCE = 5000;

/**
 * Rows that are known by their `id`. They are in memory as well: where a browser stores nothing, or has no room, they last as
 * long as the page.
 */
export class Table<Row extends { id: string }> {
  /** All rows by their id, as they were read or written last. */
  rows = new Map<string, Row>();
  /** What could not be written: rows, and null for those that could not be removed. */
  private readonly unstored = new Map<string, Row | null>();
  /** The last reading or writing: each waits for the one before, so that nothing is overtaken by what is older. */
  private last: Promise<unknown> = Promise.resolve();
  private channel: BroadcastChannel | null = null;

  private constructor(private readonly name: string, private readonly store: string, private database: IDBDatabase | null) {}

  /**
   * Opens a table, or makes it.
   *
   * @param changed Is called when another page of this browser has changed it, and its rows are read again.
   */
  static async open<Row extends { id: string }>(name: string, store: string, changed?: () => void): Promise<Table<Row>> {
    const table = new Table<Row>(name, store, await opened(name, store).catch(() => null));
    await table.load();
    if (changed) {
      table.channel = new BroadcastChannel(name);
      table.channel.onmessage = () => void table.load().then(changed);
    }
    return table;
  }

  /** Whether all rows outlast the page. */
  get lasting(): boolean {
    return this.database !== null && !this.unstored.size;
  }

  /** Reads what other pages wrote. */
  async load(): Promise<void> {
    const found = await this.request<Row[]>("readonly", (store) => store.getAll()).catch(() => null);
    if (!found) return;
    this.rows = new Map(found.map((row) => [row.id, row]));
    this.apply(this.unstored);
  }

  /**
   * Writes rows and removes others, all or none of them.
   *
   * @returns Whether they are stored; in memory they are in any case.
   */
  async write(rows: Row[], removed: string[] = []): Promise<boolean> {
    const changes = new Map<string, Row | null>([...removed.map((id) => [id, null] as const), ...rows.map((row) => [row.id, row] as const)]);
    const stored = await this.request("readwrite", (store) => {
      for (const [id, row] of changes) row ? store.put(row) : store.delete(id);
      return null;
    }).then(() => true, () => false);
    // Not before: nobody shall close a page that says that something is kept before it is.
    this.apply(changes);
    for (const [id, row] of changes) stored ? this.unstored.delete(id) : this.unstored.set(id, row);
    this.channel?.postMessage(null);
    return stored;
  }

  private apply(changes: Map<string, Row | null>): void {
    for (const [id, row] of changes) row ? this.rows.set(id, row) : this.rows.delete(id);
  }

  private request<Result>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest | null): Promise<Result> {
    const asked = this.last.then(() => this.transaction(mode)).then((transaction) => new Promise<Result>((resolve, reject) => {
      const request = ask(transaction.objectStore(this.store));
      transaction.oncomplete = () => resolve(request?.result as Result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    }));
    this.last = asked.catch(() => undefined);
    return asked;
  }

  private async transaction(mode: IDBTransactionMode): Promise<IDBTransaction> {
    if (!this.database) throw new Error("nothing is stored here");
    const begin = () => this.database!.transaction(this.store, mode, { durability: "strict" });
    try {
      return begin();
    } catch {
      // The system closes databases of pages that were in the background.
      this.database = await opened(this.name, this.store);
      return begin();
    }
  }
}

function opened(name: string, store: string): Promise<IDBDatabase> {
  let timer: ReturnType<typeof setTimeout>;
  return new Promise<IDBDatabase>((resolve, reject) => {
    timer = setTimeout(() => reject(new Error("the database does not open")), PATIENCE);
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    // It has no error to ask for yet: asking throws.
    request.onblocked = () => reject(new Error("another page keeps the database open"));
  }).finally(() => clearTimeout(timer));
}
