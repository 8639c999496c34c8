/** What may follow in the page that records: each state and event has one successor, which alone holds what runs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Recorder } from "../src/collect/recorder";
import { COUNTDOWN, type Event, makingOf, type Making, next, type State } from "../src/collect/state";

const WELCOME = { labels: ["walking"], any_label: true, axes: ["x", "y", "z"], pseudonym: "" };
const making = () => ({ take: {}, release() {} }) as unknown as Making;
const [FIRST, SECOND, recorder] = [making(), making(), new Recorder("Ann", "walking", [], 60)];
const about = { welcome: WELCOME, making: FIRST, sleepy: false };

const STATES: State[] = [
  { kind: "loading" },
  { kind: "problem", problem: "away", welcome: null },
  { kind: "problem", problem: "refused", welcome: WELCOME },
  { kind: "start", welcome: WELCOME, ended: null, asking: false },
  { kind: "start", welcome: WELCOME, ended: null, asking: true },
  { ...about, kind: "countdown", seconds: 5 },
  { ...about, kind: "recording", recorder, complaint: null },
];
const SAME = STATES.map(({ kind }) => kind);
const EVENTS: [event: Event, kinds: State["kind"][]][] = [
  [{ kind: "fail", problem: "busy" }, Array(7).fill("problem")],
  [{ kind: "greet", welcome: WELCOME }, Array(7).fill("start")],
  // These mean something in some states alone.
  [{ kind: "ask" }, SAME],
  [{ kind: "doze" }, SAME],
  [{ kind: "take", making: SECOND }, ["loading", "problem", "problem", "start", "countdown", "countdown", "recording"]],
  [{ kind: "progress", shown: { kind: "countdown", seconds: 3 } }, ["loading", "problem", "problem", "start", "start", "countdown", "countdown"]],
  [{ kind: "progress", shown: { kind: "recording", recorder, complaint: null } }, ["loading", "problem", "problem", "start", "start", "recording", "recording"]],
  [{ kind: "end", ended: { kind: "canceled" } }, ["loading", "problem", "problem", "start", "start", "start", "start"]],
];

test("each event leads from each state to one other, or changes nothing", () => {
  for (const [event, kinds] of EVENTS) {
    for (const [i, state] of STATES.entries()) assert.equal(next(state, event).kind, kinds[i], `${state.kind}, ${event.kind}`);
  }
  const [loading, away, refused, start] = STATES as [State, State, State, State];
  for (const state of [loading, away, refused, start]) {
    for (const [event] of EVENTS.slice(3)) assert.equal(next(state, event), state);
  }
});

test("a state that follows holds no recording of another, and a recording is made after it was asked for alone", () => {
  const held = EVENTS.map(([event]) => STATES.map((state) => makingOf(next(state, event))));
  const none = Array(5).fill(null);
  assert.deepEqual(held[0], [...none, null, null]);
  assert.deepEqual(held[1], [...none, null, null]);
  assert.deepEqual(held[4], [null, null, null, null, SECOND, FIRST, FIRST]);
  assert.deepEqual(held[7], [...none, null, null]);
  for (const each of [2, 3, 5, 6]) assert.deepEqual(held[each], [...none, FIRST, FIRST]);
});

test("after a problem that was no fault of the computer, recording can begin again", () => {
  const welcomes = STATES.map((state) => next(state, { kind: "fail", problem: "refused" })).map((state) => state.kind === "problem" && state.welcome);
  assert.deepEqual(welcomes, [null, null, WELCOME, WELCOME, WELCOME, WELCOME, WELCOME]);
});

test("a recording begins with the countdown, and what is said of the screen holds up to its end", () => {
  const [, , , start, asking] = STATES as [State, State, State, State, State];
  assert.deepEqual(next(start, { kind: "ask" }), asking);
  const begun = next(asking, { kind: "take", making: SECOND });
  assert.deepEqual(begun, { kind: "countdown", seconds: COUNTDOWN, welcome: WELCOME, making: SECOND, sleepy: false });
  const complaint = { title: "Gravity is missing", text: "" };
  const recording = next(next(begun, { kind: "doze" }), { kind: "progress", shown: { kind: "recording", recorder, complaint } });
  assert.deepEqual(recording, { kind: "recording", recorder, complaint, welcome: WELCOME, making: SECOND, sleepy: true });
  const ended = { kind: "made", recorder } as const;
  assert.deepEqual(next(recording, { kind: "end", ended }), { kind: "start", welcome: WELCOME, ended, asking: false });
});
