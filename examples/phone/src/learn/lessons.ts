/** What the owner teaches a model on this phone: recordings of activities, and the last layer learned from them. */

import { extended, learn, type Lesson, SETTINGS } from "./learn";
import type { Metadata } from "../model/metadata";
import type { Sample } from "../signal/motion";
import type { Recognizer } from "../model/recognizer";
import { Resampler, type Vector } from "../signal/resampler";
import { forget, remember, remembered, rememberedKeys } from "../page/store";
import { fromCode, fromFile, headOf, type Taught, taught, toCode } from "./taught";

/** Rows at the rate of the model. */
export interface Recording {
  activity: string;
  rows: Vector[];
}

/** Seconds of a recording that are shown. */
const TRACE = 4;

/** Digits that are kept of a recording. */
const PRECISION = 100;

export class Lessons {
  recordings: Recording[];
  private learned: Taught | null;
  private current: Recognizer | null = null;
  private coded: { code: string | null } | null = null;
  private beliefs = new WeakMap<Recording, [activity: string, windows: number][]>();

  /** @param untaught The model as it comes. */
  constructor(private readonly untaught: Recognizer) {
    this.recordings = parsed(this.recordingsKey) ?? parsed(`recordings-${this.key}`) ?? [];
    this.learned = parsed(`learned-${this.key}`);
  }

  /** Whether another publication of a model has learned from these recordings, and this one has not. */
  get outdated(): boolean {
    return !this.learned && this.recordings.length > 0 && rememberedKeys().some((key) => key.startsWith("learned-"));
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
    this.current ??= this.learned && !this.obstacle ? this.untaught.taught(this.learned.classes, headOf(this.learned)) : this.untaught;
    return this.current;
  }

  /** What was learned, as the text of a file. */
  get file(): string | null {
    return this.learned && `${JSON.stringify(this.learned)}\n`;
  }

  /** What was learned, as the end of an address, or null if it has none. */
  get code(): string | null {
    this.coded ??= { code: this.learned && toCode(this.learned, this.untaught) };
    return this.coded.code;
  }

  /** Reads the file of another phone; throws where it is something else. */
  readFile(text: string): Taught {
    return fromFile(text, this.untaught);
  }

  /** Reads the code of another phone; throws where it is something else. */
  readCode(code: string): Taught {
    return fromCode(code, this.untaught);
  }

  /** Keeps what was learned, here or on another phone, in place of what was learned before; null for nothing. */
  adopt(learned: Taught | null): void {
    this.learned = learned;
    remember(`learned-${this.key}`, learned && JSON.stringify(learned));
    this.changed();
  }

  /** Strengths of acceleration in the middle of a recording. */
  trace({ rows }: Recording): number[] {
    const count = Math.round(TRACE * this.metadata.rate);
    const start = Math.max(0, Math.floor((rows.length - count) / 2));
    const middle = rows.slice(start, start + count);
    return middle.map((row) => Math.round(PRECISION * Math.hypot(...row.slice(0, 3))) / PRECISION);
  }

  /** Adds a recording; returns whether the phone keeps it when the page is closed. */
  add(activity: string, samples: Sample[]): boolean {
    const resampler = new Resampler(this.metadata.rate);
    const round = (number: number) => Math.round(PRECISION * number) / PRECISION;
    const rows = samples.flatMap(({ time, value }) => resampler.push(time, value).map((row) => row.value.map(round)));
    this.recordings.push({ activity, rows });
    return this.keep();
  }

  remove(recording: Recording): void {
    this.recordings = this.recordings.filter((each) => each !== recording);
    this.keep();
  }

  /** Forgets recordings and what was learned from them. */
  reset(): void {
    this.recordings = [];
    this.learned = null;
    for (const kind of ["recordings-", "learned-"]) forget(kind);
    this.changed();
  }

  /** How many windows of a recording are taken for which activity, the most frequent first. */
  believed(recording: Recording): [activity: string, windows: number][] {
    const { recognizer } = this;
    const known = this.beliefs.get(recording);
    if (known) return known;
    const counts = new Map<string, number>();
    for (const window of this.windows(recording)) {
      const name = recognizer.metadata.classes[recognizer.classify(window)]!;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const found = [...counts].sort((a, b) => b[1] - a[1]);
    this.beliefs.set(recording, found);
    return found;
  }

  /** Learns from all recordings, starting with the model as it comes. */
  learn(): Lesson & { classes: string[] } {
    const { temperature, classes: known } = this.metadata;
    const classes = [...new Set([...known, ...this.recordings.map(({ activity }) => activity)])];
    const windows = this.recordings.flatMap((recording) => {
      const label = classes.indexOf(recording.activity);
      return this.windows(recording).map((window) => ({ label, features: this.untaught.features(window) }));
    });
    const lesson = learn(
      extended(this.untaught.head!, classes.length), windows.map(({ features }) => features),
      windows.map(({ label }) => label), { ...SETTINGS, temperature },
    );
    this.adopt(lesson.share ? taught(this.untaught, classes, lesson.head) : null);
    return { ...lesson, classes };
  }

  /** Windows that do not overlap: rows of a window that is held back are in no other. */
  private windows({ rows }: Recording): Float32Array[] {
    const { window } = this.metadata;
    const count = Math.floor(rows.length / window);
    return Array.from({ length: count }, (_, i) => Float32Array.from(rows.slice(i * window, (i + 1) * window).flat()));
  }

  /** What was believed no longer holds. */
  private changed(): void {
    this.current = this.coded = null;
    this.beliefs = new WeakMap();
  }

  private keep(): boolean {
    // Safari deletes after a week without a visit what it was not asked to keep.
    void navigator.storage?.persist?.();
    return remember(this.recordingsKey, JSON.stringify(this.recordings));
  }

  private get metadata(): Metadata {
    return this.untaught.metadata;
  }

  /** Recordings are rows as a model reads them: other models that read the same learn from them as well. */
  private get recordingsKey(): string {
    const { rate, unit, convention, axes } = this.metadata;
    return `recordings-${[rate, unit, convention, ...axes].join("-")}`;
  }

  /** What was learned continues the weights of one model. */
  private get key(): string {
    return this.metadata.weights_sha256.slice(0, 16);
  }
}

function parsed<Kind>(key: string): Kind | null {
  try {
    return JSON.parse(remembered(key) ?? "null") as Kind | null;
  } catch {
    return null;
  }
}
