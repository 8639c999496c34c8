/** Sends recordings to the computer that serves the page, until each was acknowledged. */

import { isName, plain } from "../learn/names";
import { parsed, remember, remembered } from "../page/store";
import { CHANNELS } from "../signal/motion";
import { draw, type Item, type Outbox } from "./outbox";

/** What the computer tells a phone: activities to choose from, whether any other is taken as well, and channels to record. */
export interface Welcome {
  labels: string[];
  any_label: boolean;
  axes: string[];
  /** A name that nobody else has. */
  pseudonym: string;
}

/**
 * Why nothing is sent at the moment: the computer cannot be reached, is busy with other phones, takes nothing, has no room,
 * or wants another code.
 */
export type Trouble = "away" | "busy" | "closed" | "full" | "code";

/** What it does: it looks again at what waits where it was asked to meanwhile. */
type Doing = { kind: "nothing" } | { kind: "sending"; again: boolean } | { kind: "waiting"; timer: number };

/** Milliseconds to wait before trying again; the last one from then on. */
const PAUSES = [1500, 3000, 6000, 12_000, 30_000];

/** Milliseconds in which an answer has come, and for which one is waited that is not needed. */
const PATIENCE = 70_000;
const HANG = 2000;

const ADDRESS = "recordings/";
const WELCOME = "welcome-";

/** What follows from an answer, by its status; another answer is as good as none. */
const ANSWERS: Record<number, Trouble | null> = {
  200: null, 409: null, 413: null, 422: null, 403: "code", 404: "closed", 501: "closed", 507: "full", 429: "busy", 503: "busy",
};

export class Sender {
  private doing: Doing = { kind: "nothing" };
  /** What the last answer means, how many failed up to it, and milliseconds to wait before the next. */
  private answer = { trouble: null as Trouble | null, failures: 0, pause: 0 };

  /**
   * @param token Of the code that was scanned.
   * @param changed Is called after each change of the outbox or of the trouble.
   */
  constructor(readonly token: string, private readonly outbox: Outbox, private readonly changed: () => void) {
    addEventListener("online", () => this.send());
    document.addEventListener("visibilitychange", () => document.hidden || this.send());
  }

  get trouble(): Trouble | null {
    return this.answer.trouble;
  }

  /**
   * What to record, as the computer says, or said last time, or null. Where it is known, a network that hangs is hardly
   * waited for; what the computer says later is remembered.
   *
   * @param busy Is called where the computer is busy, and is asked again.
   * @param heard Is called when it has answered, also where nobody waits any more.
   */
  ask(busy: () => void, heard: () => void): Promise<Welcome | null> {
    const { token } = this;
    const last = token ? welcomeIn(parsed(remembered(WELCOME + token))) : asked();
    const said = this.question(last, busy).finally(heard);
    return last ? Promise.race([said, wait(token ? HANG : 0).then(() => last)]) : said;
  }

  /** Sends what waits, now and again until nothing does. */
  send(): void {
    if (this.doing.kind === "sending") this.doing = { kind: "sending", again: true };
    else void this.run();
  }

  private async run(): Promise<void> {
    if (this.doing.kind === "waiting") clearTimeout(this.doing.timer);
    do {
      this.doing = { kind: "sending", again: false };
      await this.outbox.load();
      for (let item = this.oldest; item && (await this.deliver(item)); ) item = this.oldest;
    } while (this.doing.again);
    const waits = this.oldest && this.trouble !== "code";
    this.doing = waits ? { kind: "waiting", timer: window.setTimeout(() => this.send(), this.answer.pause) } : { kind: "nothing" };
    this.changed();
  }

  /** What waits longest, as it is now. */
  private get oldest(): Item | undefined {
    return this.outbox.all.filter(({ fate, token }) => fate === "waiting" && token === this.token).at(-1);
  }

  /** Sends one recording; whether the next one can be tried. */
  private async deliver(item: Item): Promise<boolean> {
    const response = await this.fetch(ADDRESS + item.id, { method: "PUT", body: item.csv, headers: { "Content-Type": "text/csv" } });
    this.note(response);
    if (response?.ok) await this.outbox.put({ ...item, fate: "sent", csv: "" });
    // Another recording has drawn this number.
    else if (response?.status === 409) await this.outbox.put({ ...item, id: draw() }, [item.id]);
    else if (response?.status === 422 || response?.status === 413) {
      const { error } = (await response.json().catch(() => ({}))) as { error?: string };
      await this.outbox.put({ ...item, fate: "refused", reason: error ?? "too large" });
    }
    this.changed();
    return this.trouble === null;
  }

  private async question(last: Welcome | null, busy: () => void): Promise<Welcome | null> {
    const before = this.answer;
    const response = await this.fetch(ADDRESS);
    // No answer after a minute says less than one that came meanwhile.
    if (response || this.answer === before) this.note(response);
    if (this.trouble === "busy" && !last) {
      busy();
      await wait(this.answer.pause);
      return this.question(last, busy);
    }
    const welcome = response?.ok ? welcomeIn(await response.json().catch(() => null)) : null;
    if (this.token && welcome) remember(WELCOME + this.token, JSON.stringify(welcome));
    return welcome ?? last;
  }

  private fetch(address: string, options: RequestInit = {}): Promise<Response | null> {
    const headers = { ...options.headers, Authorization: `Bearer ${this.token}` };
    const end = new AbortController();
    void wait(PATIENCE).then(() => end.abort());
    return fetch(address, { ...options, headers, signal: end.signal, cache: "no-store" }).catch(() => null);
  }

  private note(response: Response | null): void {
    const found = ANSWERS[response?.status ?? 0];
    const trouble = found === undefined ? "away" : found;
    const failures = trouble ? this.answer.failures + 1 : 0;
    const wanted = trouble === "busy" ? 1000 * Number(response?.headers.get("Retry-After")) : 0;
    const shortest = wanted || (PAUSES[Math.min(failures, PAUSES.length) - 1] ?? 0);
    // Up to twice as long, so that phones that were turned away together come back one by one.
    this.answer = { trouble, failures, pause: shortest * (1 + Math.random()) };
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** What a computer says, or null where it is something else. */
export function welcomeIn(found: unknown): Welcome | null {
  const { labels, any_label, axes, pseudonym } = (found ?? {}) as Partial<Welcome>;
  if (!Array.isArray(labels) || !labels.every(isName) || typeof pseudonym !== "string") return null;
  const channels = [3, 6].map((count) => CHANNELS.slice(0, count)).find((each) => `${each}` === `${axes}`);
  return channels ? { labels, any_label: any_label === true, axes: channels, pseudonym } : null;
}

/** What to record where no computer says so: what the address says, or anything. */
function asked(): Welcome {
  const address = new URLSearchParams(location.search);
  const labels = (address.get("labels") ?? "").split(",").filter(isName).map(plain);
  return { labels, any_label: true, axes: CHANNELS.slice(0, address.has("gyroscope") ? 6 : 3), pseudonym: "" };
}
