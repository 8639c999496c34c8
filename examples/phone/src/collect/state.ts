/**
 * What the recording page does: one value, from which everything that is shown follows, and which holds whatever runs.
 *
 * `next` alone says what may follow. What a state holds and its successor does not is ended by the page.
 */

import type { Refusal } from "../signal/motion";
import type { Complaint } from "../signal/watch";
import type { Recorder } from "./recorder";
import type { Welcome } from "./sender";
import type { Outcome, Take } from "./take";

/** Seconds to put the phone away. */
export const COUNTDOWN = 10;

export type Problem = Refusal | "code" | "away" | "busy";

/** What a recording shows while it is made. */
export type Shown = { kind: "countdown"; seconds: number } | { kind: "recording"; recorder: Recorder; complaint: Complaint | null };

/** What runs while a recording is made: its take listens to the sensor, and a lock keeps other pages from closing it. */
export interface Making {
  readonly take: Take;
  readonly release: () => void;
}

export type State =
  | { kind: "loading" }
  /** @param welcome Without what the computer said there is nothing to record. */
  | { kind: "problem"; problem: Problem; welcome: Welcome | null }
  /** @param ended How the last recording ended. @param asking Whether the system asks for the sensor. */
  | { kind: "start"; welcome: Welcome; ended: Outcome | null; asking: boolean }
  /** @param sleepy Whether the screen may turn off. */
  | (Shown & { welcome: Welcome; making: Making; sleepy: boolean });

export type Event =
  | { kind: "fail"; problem: Problem }
  | { kind: "greet"; welcome: Welcome }
  | { kind: "ask" | "doze" }
  | { kind: "take"; making: Making }
  | { kind: "progress"; shown: Shown }
  | { kind: "end"; ended: Outcome };

/** The state that follows; where an event means nothing, the state itself. */
export function next(state: State, event: Event): State {
  const started = (welcome: Welcome, ended: Outcome | null = null): State => ({ kind: "start", welcome, ended, asking: false });
  switch (event.kind) {
    case "fail":
      return { kind: "problem", problem: event.problem, welcome: "welcome" in state ? state.welcome : null };
    case "greet":
      return started(event.welcome);
    case "ask":
      return state.kind === "start" ? { ...state, asking: true } : state;
    case "take":
      if (state.kind !== "start" || !state.asking) return state;
      return { kind: "countdown", seconds: COUNTDOWN, welcome: state.welcome, making: event.making, sleepy: false };
    case "progress":
      return "making" in state ? { ...event.shown, welcome: state.welcome, making: state.making, sleepy: state.sleepy } : state;
    case "doze":
      return "making" in state ? { ...state, sleepy: true } : state;
    case "end":
      return "making" in state ? started(state.welcome, event.ended) : state;
  }
}

/** What is recorded in a state. */
export function makingOf(state: State): Making | null {
  return "making" in state ? state.making : null;
}
