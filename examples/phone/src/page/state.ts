/**
 * What the page does: one value, from which everything that is shown follows, and which holds whatever runs.
 *
 * `next` alone says what may follow. What a state holds and its successor does not is ended by the page.
 */

import type { Metadata } from "../model/metadata";
import type { Refusal } from "../signal/motion";
import type { Replay } from "../signal/replay";
import type { Report, Session } from "./session";
import type { Signal } from "../signal/signal";
import type { Stretch } from "../learn/teaching";
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

/** What is under way from Start to Stop, or while its owner tries what was learned. */
export interface Run {
  readonly session: Session;
  replay: Replay | null;
  stopSource: () => void;
}

export interface Running extends Report {
  kind: "running";
  model: Model;
  run: Run;
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

export interface Teach {
  kind: "teach";
  model: Model;
  taking: Taking | null;
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
  /** While its owner tries what was learned, else null. */
  trial: { run: Run; signal: Signal } | null;
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
  | { kind: "problem"; problem: Problem; why: string; model: Model | null; run: Run | null }
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
  | { kind: "run"; model: Model; run: Run }
  | { kind: "report"; report: Report }
  | { kind: "change"; part: Partial<Pick<Running, "paused" | "sleepy">> }
  | { kind: "stop"; stretches: Stretch[] }
  | { kind: "teach"; shown: Omit<Teach, "kind" | "trial"> }
  | { kind: "leave" }
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
      return state.kind === "teach" ? { ...state, trial: { run: event.run, signal: { kind: "listening" } } } : begun(event.model, event.run);
    case "report":
      if (state.kind === "teach" && state.trial) return { ...state, trial: { ...state.trial, signal: event.report.signal } };
      return state.kind === "running" ? { ...state, ...event.report, agreed: counted(state, event.report.signal) } : state;
    case "change":
      return state.kind === "running" ? { ...state, ...event.part } : state;
    case "stop":
      return state.kind === "running" ? ended(state, event.stretches) : state;
    case "teach":
      return { ...event.shown, kind: "teach", trial: state.kind === "teach" ? state.trial : null };
    case "leave":
      return state.kind === "teach" && state.trial ? { ...state, trial: null } : state;
    case "offer":
      return event;
  }
}

/** What runs in a state. */
export function runOf(state: State): Run | null {
  return state.kind === "running" || state.kind === "problem" ? state.run : state.kind === "teach" && state.trial ? state.trial.run : null;
}

function begun(model: Model, run: Run): Running {
  const { simulated, timeline } = run.session;
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

function ended({ model, run: { session }, simulated, agreed, timeline }: Running, stretches: Stretch[]): State {
  if (!timeline.length) return { kind: "start", model };
  return { kind: "summary", model, simulated, agreed, timeline, steps: session.steps, stretches };
}
