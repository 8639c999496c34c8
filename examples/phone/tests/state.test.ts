/** What may follow in the page: each state and event has one successor, which alone holds what runs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Take } from "../src/collect/take";
import type { Session } from "../src/page/session";
import { type Event, heldBy, next, NOTHING, runOf, type State, type Taking, type Teach } from "../src/page/state";
import { Timeline } from "../src/signal/timeline";
import { MODEL, RUNNING } from "./shown.test";

const run = (timeline = new Timeline(0.5)) => ({ simulated: false, timeline, steps: 7 }) as unknown as Session;
const TAKING: Taking = { kind: "countdown", take: {} as Take, seconds: 5, said: "", asked: false };
const [FIRST, SECOND, TURN] = [run(), run(), Symbol("turn")];
const { kind: _, doing, ...TAUGHT } = { kind: "teach", doing: NOTHING, model: MODEL, lessons: [], handover: { why: "" } } as unknown as Teach;

const STATES: State[] = [
  { kind: "loading", turn: TURN, what: "", received: 0, total: null },
  { kind: "start", model: MODEL },
  { kind: "problem", problem: "sensorless", why: "", model: MODEL, run: FIRST },
  { ...RUNNING, run: FIRST },
  { kind: "summary", model: MODEL, simulated: false, agreed: { right: 0, of: 0 }, timeline: new Timeline(0.5), steps: 0, stretches: [] },
  { ...TAUGHT, kind: "teach", doing: { kind: "trying", run: FIRST, signal: { kind: "listening" } } },
];
const REPORT = { signal: { kind: "listening" }, missed: null, measured: { rate: 50, milliseconds: 1 }, steps: { count: 3, cadence: 0 } } as const;
const EVENTS: [event: Event, kinds: State["kind"][]][] = [
  [{ kind: "load", turn: TURN }, ["loading", "loading", "loading", "loading", "loading", "loading"]],
  [{ kind: "greet", model: MODEL }, ["start", "start", "start", "start", "start", "start"]],
  // Where one teaches, it is a trial.
  [{ kind: "run", model: MODEL, run: SECOND }, ["running", "running", "running", "running", "running", "teach"]],
  [{ kind: "teach", shown: TAUGHT }, ["teach", "teach", "teach", "teach", "teach", "teach"]],
  // These mean something in some states alone.
  [{ kind: "receive", turn: TURN, what: "model", received: 1, total: 2 }, ["loading", "start", "problem", "running", "summary", "teach"]],
  [{ kind: "report", report: REPORT }, ["loading", "start", "problem", "running", "summary", "teach"]],
  [{ kind: "change", part: { paused: true } }, ["loading", "start", "problem", "running", "summary", "teach"]],
  [{ kind: "do", doing: TAKING }, ["loading", "start", "problem", "running", "summary", "teach"]],
  // Nothing was recognized yet.
  [{ kind: "stop", stretches: [] }, ["loading", "start", "problem", "start", "summary", "teach"]],
];

test("each event leads from each state to one other, or changes nothing", () => {
  for (const [event, kinds] of EVENTS) {
    for (const [i, state] of STATES.entries()) {
      const after = next(state, event);
      assert.equal(after.kind, kinds[i], `${state.kind}, ${event.kind}`);
    }
  }
  for (const state of STATES.filter(({ kind }) => kind !== "running" && kind !== "teach")) {
    assert.equal(next(state, { kind: "report", report: REPORT }), state);
  }
});

test("a state that follows holds no run and no recording of another", () => {
  const held = EVENTS.map(([event]) => STATES.map((state) => heldBy(next(state, event))));
  const [none, first, second] = [null, FIRST, SECOND];
  assert.deepEqual(held[0], [none, none, none, none, none, none]);
  assert.deepEqual(held[1], [none, none, none, none, none, none]);
  assert.deepEqual(held[2], [second, second, second, second, second, second]);
  assert.deepEqual(held[3], [none, none, none, none, none, first]);
  // A recording ends a trial.
  assert.deepEqual(held[7], [none, none, first, first, none, TAKING.take]);
  const recording = next(STATES[5]!, { kind: "do", doing: TAKING });
  assert.equal(heldBy(next(recording, { kind: "teach", shown: TAUGHT })), TAKING.take);
  assert.equal(heldBy(next(recording, { kind: "do", doing: NOTHING })), none);
  assert.deepEqual(EVENTS.slice(0, 2).map(([event]) => heldBy(next(recording, event))), [none, none]);
});

test("a run whose sensor is slow to start goes on behind the problem, and no other", () => {
  const fails = (waits: boolean) => runOf(next({ ...RUNNING, run: FIRST }, { kind: "fail", problem: "sensorless", why: "", model: MODEL, waits }));
  assert.deepEqual([fails(true), fails(false)], [FIRST, null]);
});

test("only the model that was chosen last is shown as it arrives", () => {
  const [loading] = STATES;
  const received = { kind: "receive", what: "model", received: 5, total: 9 } as const;
  assert.equal(next(loading!, { ...received, turn: Symbol("earlier") }), loading);
  assert.deepEqual(next(loading!, { ...received, turn: TURN }), { kind: "loading", turn: TURN, what: "model", received: 5, total: 9 });
});

test("what ends with something recognized has a summary, with the steps of its run", () => {
  const timeline = new Timeline(0.5);
  for (let time = 0; time < 3; time += 0.5) timeline.add(time, 5);
  const after = next({ ...RUNNING, timeline, run: run(timeline) }, { kind: "stop", stretches: [{ name: "0:00 to 0:03", samples: [] }] });
  assert.ok(after.kind === "summary");
  assert.deepEqual([after.steps, after.stretches.length, after.timeline], [7, 1, timeline]);
});

test("the truth of a recording is counted where there was a label or doubt", () => {
  const signal = (label: number) => ({ kind: "recognized", label, probability: 0.9, probabilities: [] }) as unknown as typeof REPORT.signal;
  const labels = [signal(5), signal(0), { kind: "listening" } as const];
  const timeline = new Timeline(0.5);
  timeline.tell(0, "walking");
  const last = labels.reduce<State>((state, each) => next(state, { kind: "report", report: { ...REPORT, signal: each } }), { ...RUNNING, timeline });
  assert.deepEqual(last.kind === "running" && last.agreed, { right: 1, of: 2 });
});

test("a run begins listening, and each report, pause and trial changes what it names alone", () => {
  const [, start, , running, , teach] = STATES as [State, State, State, State, State, State];
  const begun = next(start, { kind: "run", model: MODEL, run: SECOND });
  assert.deepEqual(begun, { ...RUNNING, run: SECOND, timeline: SECOND.timeline, measured: { rate: NaN, milliseconds: NaN } });
  assert.deepEqual(next(running, { kind: "change", part: { paused: true } }), { ...running, paused: true });
  const unsure = { ...REPORT, signal: { kind: "silent", why: "stopped" } } as unknown as typeof REPORT;
  assert.deepEqual(next(teach, { kind: "report", report: unsure }), { ...teach, doing: { kind: "trying", run: FIRST, signal: unsure.signal } });
});
