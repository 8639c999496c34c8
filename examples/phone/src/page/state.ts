/**
 * What the page does: one value, from which everything that is shown follows, and which holds whatever runs.
 *
 * `next` alone says what may follow. What a state holds and its successor does not is ended by the page.
 */

import type { Metadata } from "../model/metadata";
import type { Refusal } from "../signal/motion";
import type { Report, Session } from "./session";
import type { Signal } from "../signal/signal";
import type { Stretch } from "../learn/teaching";
import type { Take } from "../collect/take";
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

export interface Running extends Report {
  kind: "running";
  model: Model;
  run: Session;
  /** Whether nobody carries the phone. */
  simulated: boolean;
  paused: boolean;
  /** In how many reports there was a label or doubt, and in how many of them the label was the truth. */
  agreed: { right: number; of: number };
  /** Whether the screen may turn off. */
  sleepy: boolean;
  /** What was recognized so far. */
  timeline: Timeline;
}

export interface Summary extends Pick<Running, "model" | "simulated" | "agreed" | "timeline"> {
  kind: "summary";
  steps: number;
  /** Stretches of which their owner can say what they were. */
  stretches: Stretch[];
}

export interface Lesson {
  activity: string;
  seconds: number;
  /** What its windows are taken for, or null while that is not known. */
  believed: [activity: string, windows: number][] | null;
  /** Strengths of acceleration in its middle. */
  trace: number[];
}

/** A recording that is made to teach: seconds up to its beginning, or since, and what is said of it. */
export interface Taking {
  kind: "countdown" | "recording";
  take: Take;
  seconds: number;
  said: string;
  /** Whether its owner was asked to go on, as it is too short. */
  asked: boolean;
}

/** What is under way where one teaches, one thing at a time: a recording, or a trial of what was learned. */
export type Doing = { kind: "nothing" | "asking" } | Taking | { kind: "trying"; run: Session; signal: Signal };

export const NOTHING: Doing = { kind: "nothing" };

export interface Teach {
  kind: "teach";
  model: Model;
  doing: Doing;
  /** Whether it learns at the moment. */
  learning: boolean;
  /** Whether to forget everything is to be confirmed. */
  doubts: boolean;
  /** Of which activity a recording that was deleted can be brought back, or null. */
  undoes: string | null;
  /** What became of the last recording. */
  said: string;
  lessons: Lesson[];
  /** What to do before it can learn, or null. */
  missing: string | null;
  learned: { text: string; confusion: string[] } | null;
  /** Whether there is something to save. */
  keeps: boolean;
  /** The address at which another phone finds what was learned, or why there is none. */
  handover: { address: string } | { why: string };
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
  | { kind: "loading"; turn: symbol; what: string; received: number; total: number | null }
  | { kind: "start"; model: Model }
  | { kind: "problem"; problem: Problem; why: string; model: Model | null; run: Session | null }
  | Running
  | Summary
  | Teach
  | Offer;

export type Event =
  | { kind: "load"; turn: symbol }
  | { kind: "receive"; turn: symbol; what: string; received: number; total: number | null }
  | { kind: "greet"; model: Model }
  /** A sensor may be slow to start: a run that waits for it goes on. */
  | { kind: "fail"; problem: Problem; why: string; model: Model | null; waits: boolean }
  /** Where one teaches, it tries what was learned. */
  | { kind: "run"; model: Model; run: Session }
  | { kind: "report"; report: Report }
  | { kind: "change"; part: Partial<Pick<Running, "paused" | "sleepy">> }
  | { kind: "stop"; stretches: Stretch[] }
  | { kind: "teach"; shown: Omit<Teach, "kind" | "doing"> }
  | { kind: "do"; doing: Doing }
  | Offer;

/** The state that follows; where an event means nothing, the state itself. */
export function next(state: State, event: Event): State {
  switch (event.kind) {
    case "load":
      return { kind: "loading", turn: event.turn, what: "", received: 0, total: null };
    case "receive":
      // The last one chosen counts.
      return state.kind === "loading" && state.turn === event.turn ? { ...event, kind: "loading" } : state;
    case "greet":
      return { kind: "start", model: event.model };
    case "fail":
      return { kind: "problem", problem: event.problem, why: event.why, model: event.model, run: event.waits ? runOf(state) : null };
    case "run":
      if (state.kind !== "teach") return begun(event.model, event.run);
      return { ...state, doing: { kind: "trying", run: event.run, signal: { kind: "listening" } } };
    case "report":
      if (state.kind === "running") return { ...state, ...event.report, agreed: counted(state, event.report.signal) };
      return state.kind === "teach" && state.doing.kind === "trying" ? { ...state, doing: { ...state.doing, signal: event.report.signal } } : state;
    case "change":
      return state.kind === "running" ? { ...state, ...event.part } : state;
    case "stop":
      return state.kind === "running" ? ended(state, event.stretches) : state;
    case "teach":
      return { ...event.shown, kind: "teach", doing: doingOf(state) };
    case "do":
      return state.kind === "teach" && state.doing !== event.doing ? { ...state, doing: event.doing } : state;
    case "offer":
      return event;
  }
}

/** What is done where one teaches. */
export function doingOf(state: State): Doing {
  return state.kind === "teach" ? state.doing : NOTHING;
}

/** What recognizes in a state. */
export function runOf(state: State): Session | null {
  const holder = state.kind === "teach" ? state.doing : state;
  return "run" in holder ? holder.run : null;
}

/** What runs in a state, whatever it is: it ends with it. */
export function heldBy(state: State): Session | Take | null {
  const doing = doingOf(state);
  return "take" in doing ? doing.take : runOf(state);
}

function begun(model: Model, run: Session): Running {
  const { simulated, timeline } = run;
  return {
    kind: "running", model, run, simulated, timeline, paused: false, agreed: { right: 0, of: 0 }, sleepy: false,
    signal: { kind: "listening" }, missed: null, measured: { rate: NaN, milliseconds: NaN }, steps: { count: 0, cadence: 0 },
  };
}

/** Counts how often the label is what the person of a recording does. */
function counted({ timeline, agreed, model }: Running, signal: Signal): Running["agreed"] {
  // When it was recognized, which is a moment ago.
  const truth = timeline.truths.filter(({ start }) => start <= timeline.start + timeline.length).at(-1)?.name;
  if (!truth || (signal.kind !== "recognized" && signal.kind !== "unsure")) return agreed;
  const right = signal.kind === "recognized" && model.metadata.classes[signal.label] === truth;
  return { right: agreed.right + Number(right), of: agreed.of + 1 };
}

function ended({ model, run: { steps }, simulated, agreed, timeline }: Running, stretches: Stretch[]): State {
  if (!timeline.length) return { kind: "start", model };
  return { kind: "summary", model, simulated, agreed, timeline, steps, stretches };
}
