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
  /** Milliseconds since 1970 when it was last written, by which recordings are listed. */
  touched: number;
}

/** Of the names of locks: who makes a recording holds its own, also while the phone is locked. */
const LOCK = "pocket-zoo recording ";

/** Milliseconds without a change after which a recording is made no more: a browser without locks closes none. */
const ABANDONED = 600_000;

/** Lines that are kept of recordings that were acknowledged. */
const REMEMBERED = 50;

export class Outbox {
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

  /** All but what is being made, and what was sent with another code. */
  listed(token: string): Item[] {
    const isMade = ({ fate, touched }: Item) => fate === "open" && (navigator.locks !== undefined || Math.abs(Date.now() - touched) < ABANDONED);
    return this.all.filter((item) => !isMade(item) && (item.fate !== "sent" || item.token === token));
  }

  /** Reads what other pages wrote, and closes recordings whose page is gone. */
  async load(): Promise<void> {
    await this.table.load();
    for (const { id } of this.all.filter(({ fate }) => fate === "open")) {
      await navigator.locks?.request(LOCK + id, { ifAvailable: true }, (lock) => lock && this.close(id)).catch(() => undefined);
    }
    const sent = this.all.filter(({ fate }) => fate === "sent");
    if (sent.length > REMEMBERED) await this.table.write([], sent.slice(REMEMBERED).map(({ id }) => id));
  }

  /** Notes that this page makes a recording: nobody closes it before the function that is returned is called. */
  hold(id: string): () => void {
    let end = () => {};
    const over = new Promise<void>((done) => (end = done));
    void navigator.locks?.request(LOCK + id, () => over).catch(() => undefined);
    return end;
  }

  /** Writes a recording, in place of others; resolves once it is stored. */
  async put(item: Omit<Item, "touched">, instead: string[] = []): Promise<void> {
    await this.table.write([{ ...item, touched: Date.now() }], instead);
  }

  async remove(id: string): Promise<void> {
    await this.table.write([], [id]);
  }

  private async close(id: string): Promise<void> {
    // Another page may have closed it meanwhile.
    await this.table.load();
    const item = this.table.rows.get(id);
    if (item?.fate !== "open") return;
    if (item.seconds < SHORTEST) await this.remove(id);
    else await this.put({ ...item, fate: item.token ? "waiting" : "kept" });
  }
}

/** The number of a recording. */
export function draw(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte % 10).join("");
}
