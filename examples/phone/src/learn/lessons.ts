/** What the owner teaches a model on this phone: recordings of activities, and the last layer learned from them. */

import { extended, type Lesson, logits } from "./learn";
import { Learner } from "./learner";
import type { Head } from "../model/graph";
import type { Metadata } from "../model/metadata";
import type { Sample } from "../signal/motion";
import type { Recognizer } from "../model/recognizer";
import { Resampler } from "../signal/resampler";
import { rejects, spoken } from "../signal/stream";
import type { Table } from "../page/database";
import { attempt } from "../page/store";
import { forgetOld, isRecording, type Kept, type Learned, type Recording } from "./kept";
import { named } from "./names";
import { checked, headOf, type Taught, taught, toCode } from "./taught";

/** Seconds of a recording that are shown. */
const TRACE = 4;

/** Digits that are kept of a recording. */
const PRECISION = 100;

/** What was learned with the model, and what follows from it. */
interface Known {
  row: Kept | undefined;
  /** What came from another phone, from which learning continues, and what was learned here. */
  taken: Taught | null;
  taught: Taught | null;
  recognizer: Recognizer;
  head: Head;
  code: string | null;
}

/** A lesson, the activities that it is about, and whether the browser stores what was learned. */
export interface Learning extends Lesson {
  classes: string[];
  stored: boolean;
}

export class Lessons {
  private readonly learner: Learner;
  private cached: Known | null = null;
  /** By the id of a row the recording, which never changes, or null where it is none for this model. */
  private readonly readings = new Map<string, Recording | null>();
  private readonly featured = new WeakMap<Recording, Float64Array[]>();

  /** @param untaught The model as it comes. */
  constructor(readonly untaught: Recognizer, private readonly table: Table<Kept>) {
    this.learner = new Learner(untaught.file);
  }

  /** All recordings, in their order. Models that read the same learn from the same. */
  get recordings(): Recording[] {
    const rows = [...this.table.rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    return rows.flatMap((row) => this.read(row) ?? []);
  }

  /** Whether another publication of a model has learned from these recordings, and this one has not. */
  get outdated(): boolean {
    const others = [...this.table.rows.values()].some((row) => row.kind === "learned");
    return !this.known.taught && this.recordings.length > 0 && others;
  }

  /** Whether what is stored as learned cannot be used. */
  get damaged(): boolean {
    return this.known.row !== undefined && !this.known.taught;
  }

  /** Why the model cannot be taught, or null if it can: the page must run it, and its last layer be a dense one. */
  get obstacle(): string | null {
    if (this.untaught.head) return null;
    return this.untaught.engine.graph
      ? "This model cannot be taught here: its last layer is not a dense one."
      : `This model cannot be taught here, because ${this.untaught.engine.name} runs it. The page itself runs files of the formats float32 and float16, which can be taught.`;
  }

  /** The model with what it has learned. */
  get recognizer(): Recognizer {
    return this.known.recognizer;
  }

  /** What was learned, as the text of a file. */
  get file(): string | null {
    return this.known.taught && `${JSON.stringify(this.known.taught)}\n`;
  }

  /** What was learned, as the end of an address, or null if it has none. */
  get code(): string | null {
    return this.known.code;
  }

  /** Keeps what another phone learned in place of what was learned before; returns whether the browser stores it. */
  adopt(taken: Taught): Promise<boolean> {
    return this.keep({ taken, learned: null });
  }

  /** Strengths of acceleration in the middle of a recording. */
  trace({ rows }: Recording): number[] {
    const count = Math.round(TRACE * this.metadata.rate);
    const start = Math.max(0, Math.floor((rows.length - count) / 2));
    const middle = rows.slice(start, start + count);
    return middle.map((row) => Math.round(PRECISION * Math.hypot(...row.slice(0, 3))) / PRECISION);
  }

  /** Adds a recording; returns whether the phone keeps it when the page is closed. */
  add(activity: string, samples: Sample[]): Promise<boolean> {
    const resampler = new Resampler(this.metadata.rate);
    const round = (number: number) => Math.round(PRECISION * number) / PRECISION;
    const rows = samples.flatMap(({ time, value }) => resampler.push(time, value).map((row) => row.value.map(round)));
    // Safari deletes after a week without a visit what it was not asked to keep.
    void navigator.storage?.persist?.();
    const id = `recording ${new Date().toISOString()} ${Math.random().toString(36).slice(2)}`;
    return this.table.write([{ id, kind: "recording", reads: this.reads, activity, rows }]);
  }

  /** Removes a recording; returns what restores it. */
  async remove({ id }: Recording): Promise<() => Promise<void>> {
    const row = this.table.rows.get(id)!;
    await this.table.write([], [id]);
    return async () => void (await this.table.write([row]));
  }

  /** Forgets recordings and what was learned from them, with all models. */
  async reset(): Promise<void> {
    forgetOld();
    // Another page may just have written.
    await this.table.load();
    await this.table.write([], [...this.table.rows.keys()]);
  }

  /** How many windows of a recording are taken for which activity, the most frequent first; null before `prepare`. */
  believed(recording: Recording): [activity: string, windows: number][] | null {
    const found = this.featured.get(recording);
    if (!found) return null;
    const names = spoken(this.recognizer.metadata);
    const { head } = this.known;
    const counts = new Map<string, number>();
    for (const each of found) {
      const scores = logits(head, each);
      const name = names[scores.indexOf(Math.max(...scores))]!;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1]);
  }

  /** Runs the network on recordings that it has not read; returns whether there were any. */
  async prepare(): Promise<boolean> {
    const unread = this.recordings.filter((recording) => !this.featured.has(recording));
    for (const recording of unread) {
      this.featured.set(recording, await this.learner.ask("features", this.windows(recording)));
    }
    return unread.length > 0;
  }

  /**
   * Learns from all recordings, starting with the model as it comes, or as it came from another phone.
   *
   * @returns Null where some of that was deleted or replaced meanwhile, also by another page: nothing of the lesson is kept.
   */
  async learn(): Promise<Learning | null> {
    const [{ taken, row }, recordings] = [this.known, this.recordings];
    await this.prepare();
    const classes = [...new Set([...(taken?.classes ?? this.metadata.classes), ...recordings.map(({ activity }) => activity)])];
    const known = taken ? headOf(taken) : this.untaught.head!;
    const windows = recordings.flatMap((recording) => {
      const label = classes.indexOf(recording.activity);
      return this.featured.get(recording)!.map((features) => ({ label, features }));
    });
    const features = windows.map((each) => each.features);
    const labels = windows.map(({ label }) => label);
    const lesson = await this.learner.ask("lesson", extended(known, classes.length), features, labels, Math.random());
    await this.table.load();
    const same = JSON.stringify(this.known.row) === JSON.stringify(row) && recordings.every(({ id }) => this.table.rows.has(id));
    if (!same) return null;
    // What does not help changes nothing, whoever taught it.
    const stored = lesson.share ? await this.keep({ taken, learned: taught(this.untaught, classes, lesson.head) }) : true;
    return { ...lesson, classes, stored };
  }

  /** Ends its worker. */
  end(): void {
    this.learner.end();
  }

  private get known(): Known {
    const row = this.table.rows.get(this.id);
    if (this.cached && this.cached.row === row) return this.cached;
    const kept = row?.kind === "learned" && !this.obstacle ? row : { taken: null, learned: null };
    const read = (one: Taught | null) => attempt(() => one && checked(one, this.untaught));
    const taken = read(kept.taken);
    const best = read(kept.learned) ?? taken;
    const head = best ? headOf(best) : this.untaught.head!;
    return (this.cached = {
      row, taken, taught: best, head, code: best && toCode(best, this.untaught),
      recognizer: best ? this.untaught.taught(best.classes, head) : this.untaught,
    });
  }

  private keep(heads: Pick<Learned, "taken" | "learned">): Promise<boolean> {
    return this.table.write([{ id: this.id, kind: "learned", ...heads }]);
  }

  private read(row: Kept): Recording | null {
    const known = this.readings.get(row.id);
    if (known !== undefined) return known;
    const mine = row.kind === "recording" && [this.reads, this.weights].includes(row.reads);
    // This name could be typed up to version 0.3.
    const classes = [...this.metadata.classes.filter((_, i) => !rejects(this.metadata, i)), "something else"];
    const { name } = mine && isRecording(row, this.metadata.axes.length) ? named(row.activity, classes) : { name: null };
    const found = name === null ? null : { ...(row as Recording), activity: name };
    this.readings.set(row.id, found);
    return found;
  }

  /** Windows that do not overlap: rows of a window that is held back are in no other. */
  private windows({ rows }: Recording): Float32Array[] {
    const { window } = this.metadata;
    const count = Math.floor(rows.length / window);
    return Array.from({ length: count }, (_, i) => Float32Array.from(rows.slice(i * window, (i + 1) * window).flat()));
  }

  private get metadata(): Metadata {
    return this.untaught.metadata;
  }

  /** Recordings are rows as a model reads them: other models that read the same learn from them as well. */
  private get reads(): string {
    const { rate, unit, convention, axes } = this.metadata;
    return [rate, unit, convention, ...axes].join("-");
  }

  /** What was learned continues the weights of one model. */
  private get id(): string {
    return `learned ${this.weights}`;
  }

  private get weights(): string {
    return this.metadata.weights_sha256.slice(0, 16);
  }
}
