/**
 * Recordings on the phone, kept until the computer has acknowledged them, or until their owner deletes those of no class.
 *
 * They lie in IndexedDB, which outlasts the page and the phone's battery. Of those that were acknowledged a line is kept,
 * without the signal.
 */

import { Table } from "../page/database";
import { SHORTEST } from "./recorder";

/** How a recording fares: it is being made, is kept here alone, waits to be sent, was acknowledged, or was refused. */
export type Fate = "open" | "kept" | "waiting" | "sent" | "refused";

export interface Item {
  /** Sixteen digits that are drawn here: the computer recognizes a recording that it has already. */
  id: string;
  /** Of the code that was scanned when it was recorded, or empty. */
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

/** Milliseconds after which a recording that is being made was abandoned: it is written every few seconds. */
const ABANDONED = 20_000;

/** Of the names of locks. */
const LOCK = "pocket-zoo recording ";

/** Lines that are kept of recordings that were acknowledged. */
const REMEMBERED = 50;

export class Outbox {
  /** Recordings that this page is making. */
  private readonly making = new Set<string>();

  private constructor(private readonly table: Table<Item>) {}

  /** Opens what is on this phone. Where a browser stores nothing, recordings last as long as the page. */
  static async open(): Promise<Outbox> {
    const outbox = new Outbox(await Table.open<Item>("pocket-zoo", "recordings"));
    await outbox.load();
    return outbox;
  }

  /** Whether recordings outlast the page. */
  get lasting(): boolean {
    return this.table.lasting;
  }

  /** All recordings, the latest first. */
  get all(): Item[] {
    return [...this.table.rows.values()].sort((a, b) => b.touched - a.touched);
  }

  /** Reads what other pages wrote, and closes recordings whose page is gone. */
  async load(): Promise<void> {
    const made = await beingMade();
    await this.table.load();
    const isMade = ({ id, touched }: Item) => this.making.has(id) || made.has(id) || Date.now() - touched <= ABANDONED;
    for (const item of this.all.filter((item) => item.fate === "open" && !isMade(item))) {
      if (item.seconds < SHORTEST) await this.remove(item.id);
      else await this.put({ ...item, fate: item.token ? "waiting" : "kept" });
    }
    const sent = this.all.filter(({ fate }) => fate === "sent");
    if (sent.length > REMEMBERED) await this.table.write([], sent.slice(REMEMBERED).map(({ id }) => id));
  }

  /**
   * Notes that this page makes a recording, also while the phone is locked: nobody closes it meanwhile.
   *
   * @returns A function that ends it.
   */
  hold(id: string): () => void {
    let end = () => {};
    const over = new Promise<void>((done) => (end = done));
    this.making.add(id);
    void navigator.locks?.request(LOCK + id, () => over).catch(() => undefined);
    return () => {
      this.making.delete(id);
      end();
    };
  }

  /** Writes a recording, in place of others; resolves once it is stored. */
  async put(item: Omit<Item, "touched">, instead: string[] = []): Promise<void> {
    await this.table.write([{ ...item, touched: Date.now() }], instead);
  }

  async remove(id: string): Promise<void> {
    await this.table.write([], [id]);
  }
}

/** Numbers of the recordings that other pages are making: each holds a lock, which goes with the page. */
async function beingMade(): Promise<Set<string>> {
  const { held = [] } = (await navigator.locks?.query().catch(() => null)) ?? {};
  return new Set(held.flatMap(({ name }) => (name?.startsWith(LOCK) ? [name.slice(LOCK.length)] : [])));
}

/** The number of a recording. */
export function draw(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte % 10).join("");
}
