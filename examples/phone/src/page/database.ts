/** A table in the browser's database: what it holds outlasts the page and the phone's battery. */

/** Where a browser stores nothing, or has no room, writing is refused: whoever writes keeps it in memory, and says so. */
export class Table<Row extends object> {
  private constructor(private readonly name: string, private readonly store: string, private database: IDBDatabase | null) {}

  /** Opens a table, or makes it; its rows are known by their `id`. */
  static async open<Row extends object>(name: string, store: string): Promise<Table<Row>> {
    return new Table<Row>(name, store, await opened(name, store).catch(() => null));
  }

  /** Whether the browser stores anything. */
  get lasting(): boolean {
    return this.database !== null;
  }

  /** All rows, or null where they cannot be read. */
  async all(): Promise<Row[] | null> {
    return this.request<Row[]>("readonly", (rows) => rows.getAll()).catch(() => null);
  }

  /**
   * Writes rows and removes others, all or none of them.
   *
   * @returns Whether they are stored.
   */
  async write(rows: Row[], removed: string[] = []): Promise<boolean> {
    const written = this.request("readwrite", (store) => {
      for (const id of removed) store.delete(id);
      for (const row of rows) store.put(row);
      return null;
    });
    return written.then(() => true, () => false);
  }

  private async request<Result>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest | null): Promise<Result> {
    if (!this.database) throw new Error("nothing is stored here");
    const transaction = await this.transaction(mode);
    const request = ask(transaction.objectStore(this.store));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request?.result as Result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  }

  private async transaction(mode: IDBTransactionMode): Promise<IDBTransaction> {
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
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    // It has no error to ask for yet: asking throws.
    request.onblocked = () => reject(new Error("another page keeps the database open"));
  });
}
