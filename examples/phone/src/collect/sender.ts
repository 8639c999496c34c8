/** Sends recordings to the computer that serves the page, until each was acknowledged. */

import { draw, type Item, type Outbox } from "./outbox";

/** What the computer tells a phone. */
export interface Welcome {
  /** Activities to choose from. */
  labels: string[];
  /** Whether any other activity is taken. */
  any_label: boolean;
  /** Channels to record. */
  axes: string[];
  /** A name that nobody else has. */
  pseudonym: string;
}

/**
 * Why nothing is sent at the moment: the computer cannot be reached, is busy with other phones, takes nothing, has no room,
 * or wants another code.
 */
export type Trouble = "away" | "busy" | "closed" | "full" | "code";

/** Milliseconds to wait before trying again; the last one from then on. */
const PAUSES = [1500, 3000, 6000, 12_000, 30_000];

/** Milliseconds in which an answer has come. */
const PATIENCE = 70_000;

const ADDRESS = "recordings/";

/** What follows from an answer, by its status; another answer is as good as none. */
const ANSWERS: Record<number, Trouble | null> = {
  200: null, 409: null, 413: null, 422: null, 403: "code", 404: "closed", 501: "closed", 507: "full", 429: "busy", 503: "busy",
};

export class Sender {
  trouble: Trouble | null = null;
  private running = false;
  private again = false;
  private failures = 0;
  /** Milliseconds after which a busy computer wants to be asked again. */
  private wanted = 0;
  private timer = 0;

  /**
   * @param token Of the code that was scanned.
   * @param changed Is called after each change of the outbox or of the trouble.
   */
  constructor(readonly token: string, private readonly outbox: Outbox, private readonly changed: () => void) {
    addEventListener("online", () => this.send());
    document.addEventListener("visibilitychange", () => document.hidden || this.send());
  }

  /**
   * Asks the computer what to record; null where it does not answer.
   * @param busy Is called where it is busy, each time before it is asked again; without it, it is asked once.
   */
  async ask(busy: (() => void) | null): Promise<Welcome | null> {
    const response = await this.fetch(ADDRESS);
    this.note(response);
    if (this.trouble === "busy" && busy) {
      busy();
      await new Promise((done) => setTimeout(done, this.pause()));
      return this.ask(busy);
    }
    return response?.ok ? ((await response.json().catch(() => null)) as Welcome | null) : null;
  }

  /** Sends what waits, now and again until nothing does. */
  send(): void {
    this.again = true;
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    clearTimeout(this.timer);
    this.running = true;
    while (this.again) {
      this.again = false;
      await this.outbox.load();
      for (const item of this.waiting()) {
        if (!(await this.deliver(item))) break;
      }
    }
    this.running = false;
    this.changed();
    if (!this.waiting().length || this.trouble === "code") return;
    this.timer = window.setTimeout(() => this.send(), this.pause());
  }

  /** Milliseconds to wait, up to twice as many, so that phones that were turned away together come back one by one. */
  private pause(): number {
    const shortest = this.wanted || (PAUSES[Math.min(this.failures, PAUSES.length) - 1] ?? 0);
    return shortest * (1 + Math.random());
  }

  private waiting(): Item[] {
    return this.outbox.all.filter(({ fate, token }) => fate === "waiting" && token === this.token).reverse();
  }

  /** Sends one recording; whether the next one can be tried. */
  private async deliver(item: Item): Promise<boolean> {
    const response = await this.fetch(ADDRESS + item.id, {
      method: "PUT",
      body: item.csv,
      headers: { "Content-Type": "text/csv" },
    });
    this.note(response);
    if (response?.ok) await this.outbox.put({ ...item, fate: "sent", csv: "" });
    else if (response?.status === 409) {
      // Another recording has drawn this number.
      await this.outbox.put({ ...item, id: draw() }, [item.id]);
      this.again = true;
    } else if (response?.status === 422 || response?.status === 413) {
      const { error } = (await response.json().catch(() => ({}))) as { error?: string };
      await this.outbox.put({ ...item, fate: "refused", reason: error ?? "too large" });
    }
    this.changed();
    return this.trouble === null;
  }

  private async fetch(address: string, options: RequestInit = {}): Promise<Response | null> {
    const headers = { ...options.headers, Authorization: `Bearer ${this.token}` };
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), PATIENCE);
    const answer = fetch(address, { ...options, headers, signal: giveUp.signal, cache: "no-store" });
    return answer.catch(() => null).finally(() => clearTimeout(timer));
  }

  private note(response: Response | null): void {
    const found = ANSWERS[response?.status ?? 0];
    this.trouble = found === undefined ? "away" : found;
    this.wanted = this.trouble === "busy" ? 1000 * Number(response?.headers.get("Retry-After")) : 0;
    this.failures = this.trouble ? this.failures + 1 : 0;
  }
}
