/** What the page does: one value, from which everything that is shown follows. */

import type { Metadata } from "../model/metadata";
import type { Refusal } from "../signal/motion";
import type { Signal } from "../signal/signal";
import type { Taught } from "../learn/taught";
import type { Timeline } from "../signal/timeline";

/** What is said of a model that is open. */
export interface Model {
  readonly metadata: Metadata;
  readonly bytes: number;
  readonly engine: { readonly name: string };
  /** Why it cannot be taught, or null if it can. */
  readonly obstacle: string | null;
  /** Whether it was trained for the demonstration of a real person, without this person. */
  readonly demonstrates: boolean;
}

export type Problem = Refusal | "model" | "recording" | "code";

/** A recording that is being made: seconds up to its beginning, or since. */
export type Taking = { kind: "countdown" | "recording"; seconds: number; length: number; activity: string };

export interface Running {
  kind: "running";
  model: Model;
  /** Whether nobody carries the phone. */
  simulated: boolean;
  paused: boolean;
  /** What the person of a recording does. */
  truth: string | null;
  /** In how many reports there was a label or doubt, and in how many of them the label was the truth. */
  agreed: { right: number; of: number };
  /** Whether the screen may turn off. */
  sleepy: boolean;
  signal: Signal;
  /** Seconds that were missed a moment ago, while the phone was locked or showed another app. */
  missed: number | null;
  /** Of the sensor in Hz, and of a run of the network. */
  measured: { rate: number; milliseconds: number };
  steps: { count: number; cadence: number };
  /** What was recognized so far. */
  timeline: Timeline;
}

export interface Summary {
  kind: "summary";
  model: Model;
  simulated: boolean;
  agreed: { right: number; of: number };
  timeline: Timeline;
  steps: number;
  /** Stretches of which their owner can say what they were. */
  stretches: string[];
}

export interface Lesson {
  activity: string;
  seconds: number;
  /** What its windows are taken for, or null while that is not known. */
  believed: [activity: string, windows: number][] | null;
  /** Strengths of acceleration in its middle. */
  trace: number[];
}

export interface Teach {
  kind: "teach";
  model: Model;
  taking: Taking | null;
  /** Whether it learns at the moment. */
  learning: boolean;
  /** Whether to forget everything is to be confirmed. */
  doubts: boolean;
  /** Whether what was deleted can be brought back. */
  undoes: boolean;
  /** What became of the last recording. */
  said: string;
  lessons: Lesson[];
  /** What to do before it can learn, or null. */
  missing: string | null;
  learned: { text: string; confusion: string[] } | null;
  /** What is recognized while its owner tries it, or null. */
  trying: Signal | null;
  /** Whether there is something to save. */
  keeps: boolean;
  /** The address at which another phone finds what was learned, or why there is none. */
  handover: { address: string; said: string } | { why: string };
}

/** What another phone has learned, and asks to be taken over. */
export interface Offer {
  kind: "offer";
  model: Model;
  taught: Taught;
  /** Whether it replaces what this phone has learned. */
  replaces: boolean;
  /** Whether it was opened where one teaches, and not by an address. */
  opened: boolean;
}

export type State =
  | { kind: "loading"; what: string; received: number; total: number | null }
  | { kind: "start"; model: Model }
  | { kind: "problem"; problem: Problem; why: string; model: Model | null }
  | Running
  | Summary
  | Teach
  | Offer;
