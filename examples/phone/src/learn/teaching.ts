/** *Gather, learn, try*: the owner records activities on the phone, lets the last layer learn them, and sees what it believes. */

import type { HeldBack } from "./learn";
import type { Kept } from "./kept";
import { type Learning, Lessons } from "./lessons";
import { permitted, type Refusal, type Sample } from "../signal/motion";
import type { Metadata } from "../model/metadata";
import type { Recognizer } from "../model/recognizer";
import { REFUSED } from "../signal/refused";
import { rejects, spoken } from "../signal/stream";
import type { Table } from "../page/database";
import { type Doing, NOTHING, type Taking, type Teach } from "../page/state";
import { keepAwake } from "../page/system";
import { type Ended, Take } from "../collect/take";
import type { Taught } from "./taught";
import { showSignals } from "../show/charts";
import { clock, percent } from "../show/text";
import type { Timeline } from "../signal/timeline";
import * as tones from "../page/tones";

/** Seconds of a recording, and those before it, in which the phone goes into the pocket. */
const LENGTH = 30;
const COUNTDOWN = 5;

/** Of a stretch that was recognized wrongly: windows at least, seconds left out at both ends, and seconds at most. */
const FEWEST = 2;
const EDGE = 1;
const LONGEST = 60;

const OUTDATED = "This model is new here: your recordings are kept. Tap Learn, and it learns from them.";
const DAMAGED = "What this phone had learned is damaged, and is not used. Your recordings are kept: tap Learn.";
const OVERTAKEN = "Nothing of this lesson is kept: recordings were deleted meanwhile, or what it had learned was replaced.";
const OPENED = "Opened. Try it now.";
const SHORT = "is too short to learn from";
const ASKS = "Recordings, and what was learned with any model, cannot be brought back.";

/** Where the browser has no room, or stores nothing at all. */
const unstored = (what: string) => `The browser has no room for ${what}: it is lost when the page is closed.`;

/** A stretch of a run, of which its owner can say what it was. */
export interface Stretch {
  name: string;
  samples: Sample[];
}

/** The page as one teaches: what is under way there, and what changes it. */
export interface Desk {
  doing(): Doing;
  do(doing: Doing): void;
  /** Something else is to be shown. */
  changed(): void;
}

export class Teaching {
  /** Whether it learns, which goes on where its owner leaves. */
  private learning = false;
  /** What is said of the last thing that was done, and whether it is to be confirmed. */
  private note = { text: "", doubts: false };
  /** What was deleted since one teaches, and what restores it. */
  private deleted: { activity: string; restore: () => Promise<void> }[] = [];
  private learned: Teach["learned"] = null;
  readonly lessons: Lessons;

  /** @param untaught The model as it comes. */
  constructor(untaught: Recognizer, table: Table<Kept>, private readonly desk: Desk) {
    this.lessons = new Lessons(untaught, table);
  }

  private get metadata(): Metadata {
    return this.lessons.recognizer.metadata;
  }

  /** Whether the phone has learned something. */
  get keeps(): boolean {
    return this.lessons.file !== null;
  }

  /** Activities that it knows, or has recordings of. */
  get names(): string[] {
    const { metadata } = this;
    const known = metadata.classes.filter((_, i) => !rejects(metadata, i));
    return [...new Set([...known, ...this.lessons.recordings.map(({ activity }) => activity)])];
  }

  /** An activity of which it has no recording, first what can be done anywhere. */
  get next(): string {
    const missing = this.names.filter((name) => this.lessons.recordings.every(({ activity }) => activity !== name));
    return missing.find((name) => name === "walking") ?? missing[0] ?? "";
  }

  /** What is shown of it. */
  get state(): Omit<Teach, "kind" | "model" | "handover" | "doing"> {
    const { note } = this;
    const { recordings, outdated, damaged } = this.lessons;
    const { rate } = this.metadata;
    const activities = new Set(recordings.map(({ activity }) => activity)).size;
    return {
      learning: this.learning,
      doubts: note.doubts,
      undoes: this.deleted.at(-1)?.activity ?? null,
      said: note.text || (damaged ? DAMAGED : outdated ? OUTDATED : ""),
      lessons: recordings.map((recording) => ({
        activity: recording.activity,
        seconds: Math.round(recording.rows.length / rate),
        believed: this.lessons.believed(recording),
        trace: this.lessons.trace(recording),
      })),
      missing: activities >= 2 ? null : `To learn, it needs recordings of two activities: record ${activities ? "another one" : "two"}.`,
      learned: this.learned,
      keeps: this.keeps,
    };
  }

  open(): void {
    this.deleted = [];
    this.say("");
    void this.read();
  }

  /** Ends a recording and keeps it, but asks first if it is too short; returns whether one was under way. */
  stop(): boolean {
    const doing = this.desk.doing();
    if (!("take" in doing)) return false;
    if (isShort(doing) && !doing.asked) this.desk.do({ ...doing, asked: true });
    else doing.take.stop();
    return true;
  }

  /** Shows what is recognized in recordings, once the network has read them. */
  async read(): Promise<void> {
    if (await this.lessons.prepare()) this.desk.changed();
  }

  /** Stretches of a run that are long enough to learn from. */
  stretches({ segments }: Timeline, history: Sample[]): Stretch[] {
    if (this.lessons.obstacle !== null) return [];
    const { metadata } = this;
    const least = (FEWEST * metadata.window) / metadata.rate + 2 * EDGE;
    return segments
      .filter(({ start, end }) => end - start >= least && start >= (history[0]?.time ?? Infinity))
      .map(({ start, end, label }) => ({
        name: `${clock(start - segments[0]!.start)} to ${clock(end - segments[0]!.start)}, ${label === null ? "not sure" : metadata.classes[label]}`,
        samples: history.filter(({ time }) => time > start + EDGE && time < Math.min(end - EDGE, start + LONGEST)),
      }));
  }

  async add(activity: string, samples: Sample[]): Promise<void> {
    const stored = await this.lessons.add(activity, samples);
    // What the last lesson brought says nothing of the next one.
    this.learned = null;
    const seconds = Math.round(samples.at(-1)!.time - samples[0]!.time);
    this.say(stored ? `Added: ${activity}, ${seconds} s.` : unstored("this recording"));
    await this.read();
  }

  async remove(number: number): Promise<void> {
    const recording = this.lessons.recordings[number]!;
    this.deleted.push({ activity: recording.activity, restore: await this.lessons.remove(recording) });
    this.say(`Deleted: ${recording.activity}.`);
  }

  /** Brings back what was deleted last, of all that is not back yet. */
  async restore(): Promise<void> {
    const last = this.deleted.pop();
    if (!last) return;
    await last.restore();
    this.say(`Brought back: ${last.activity}.`);
    await this.read();
  }

  /** Asks for the sensor; returns whether it may be used, and nothing else was begun while the system asked. */
  async allowed(): Promise<boolean> {
    const asking: Doing = { kind: "asking" };
    if (this.learning || !["nothing", "trying"].includes(this.desk.doing().kind)) return false;
    this.desk.do(asking);
    this.say("");
    const refusal = await permitted();
    if (this.desk.doing() !== asking) return false;
    if (refusal) this.refuse(refusal);
    return !refusal;
  }

  async record(activity: string): Promise<void> {
    // Allowed in a tap alone, as is the sensor.
    tones.unlock();
    if (!(await this.allowed())) return;
    const { axes, unit, convention } = this.metadata;
    keepAwake(() => {});
    const take = new Take({ person: "", activity, axes, unit, convention, length: LENGTH, countdown: COUNTDOWN, limited: false }, {
      countdown: (seconds) => this.show({ kind: "countdown", seconds }),
      progress: ({ seconds, samples }, problem) => {
        this.show({ kind: "recording", seconds }, problem?.text);
        showSignals(this.metadata, samples);
      },
      ended: (ended) => this.finish(ended),
    });
    this.desk.do({ kind: "countdown", take, seconds: COUNTDOWN, said: "", asked: false });
  }

  async learn(): Promise<void> {
    if (this.learning) return;
    this.learning = true;
    this.say("");
    let said = "";
    try {
      const learning = await this.lessons.learn();
      this.learned = learning && this.result(learning);
      if (!learning?.stored) said = learning ? unstored("what it learned") : OVERTAKEN;
    } catch (error) {
      said = `It could not learn (${(error as Error).message}). It stays as it is.`;
    }
    this.learning = false;
    this.say(said);
  }

  /** What a lesson has brought. */
  private result({ classes, share, heldBack }: Learning): Teach["learned"] {
    const right = (when: "before" | "after") => heldBack.filter((each) => each[when] === each.label).length;
    const of = (when: "before" | "after") => `${right(when)} of ${heldBack.length}`;
    const text = share
      ? `Learned. On parts it did not learn from: before ${of("before")}, now ${of("after")}.${share < 1 ? ` It keeps ${percent(share)} of what it learned.` : ""}`
      : `It recognizes ${of("before")} parts already, and learning did not help with those that it did not learn from: it stays as it is.`;
    return { text, confusion: confusion(spoken({ ...this.metadata, classes }), heldBack) };
  }

  /** Takes what another phone has learned. */
  async adopt(taught: Taught): Promise<void> {
    const stored = await this.lessons.adopt(taught);
    this.learned = null;
    this.say(stored ? OPENED : `${OPENED} ${unstored("it")}`);
  }

  /** @param doubts Whether what was asked for is to be confirmed. */
  say(text: string, doubts = false): void {
    this.note = { text, doubts };
    this.desk.changed();
  }

  /** Asks once, and forgets everything when it is asked for again. */
  async reset(): Promise<void> {
    if (!this.note.doubts) return this.say(ASKS, true);
    await this.lessons.reset();
    this.deleted = [];
    this.learned = null;
    this.say("All forgotten.");
  }

  private show(progress: Pick<Taking, "kind" | "seconds">, said = ""): void {
    const doing = this.desk.doing();
    if (!("take" in doing)) return;
    const taking = { ...doing, ...progress };
    const asks = taking.asked && isShort(taking) ? `${Math.floor(taking.seconds)} s ${SHORT}: go on, or tap Done again to drop it.` : "";
    this.desk.do({ ...taking, said: said || asks });
  }

  /** Ends what the sensor is needed for, and says why there is none. */
  refuse(why: Refusal): void {
    this.desk.do(NOTHING);
    this.say(REFUSED[why].join(". "));
  }

  private finish(ended: Ended): void {
    // Where the state has ended it, there is nothing left to say.
    if (!("take" in this.desk.doing())) return;
    this.desk.do(NOTHING);
    if (ended.kind === "none") return this.refuse(ended.refusal);
    if (ended.kind === "hidden") return this.say("Nothing was recorded: the page went into the background during the countdown.");
    if (ended.kind !== "made") return this.say("Nothing was recorded.");
    const { activity, samples, seconds } = ended.recorder;
    if (seconds >= LENGTH / 2) return void this.add(activity, samples);
    const length = `${Math.floor(seconds)} s`;
    const why = ended.recorder.done ? `Discarded: the signal stopped after ${length}.` : `${length} ${SHORT}: not kept.`;
    this.say(seconds ? why : "The sensor has stopped sending.");
  }
}

function isShort({ kind, seconds }: Taking): boolean {
  return kind === "recording" && seconds < LENGTH / 2;
}

/** What the windows of each recorded activity that were held back are taken for. */
function confusion(classes: string[], heldBack: HeldBack[]): string[] {
  return [...new Set(heldBack.map(({ label }) => label))].map((row) => {
    const windows = heldBack.filter(({ label }) => label === row);
    const others = [...new Set(windows.map(({ after }) => after))].filter((after) => after !== row);
    const count = (taken: number) => windows.filter(({ after }) => after === taken).length;
    const wrong = others.map((taken) => `, ${count(taken)} ${taken < 0 ? "not sure" : `taken for ${classes[taken]}`}`).join("");
    return `${classes[row]}: ${count(row)} of ${windows.length} recognized${wrong}`;
  });
}
