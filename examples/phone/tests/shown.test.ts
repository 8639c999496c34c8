/** What is shown follows from one state: a label and a complaint never stand side by side. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { looks } from "../src/activities";
import { longestWalk, mostly, shown, spentOn } from "../src/shown";
import { believed, possible, type Known, type Silent } from "../src/signal";
import type { Model, Running, State } from "../src/state";
import { Timeline } from "../src/timeline";

const CLASSES = ["downstairs", "jogging", "sitting", "standing", "upstairs", "walking"];
export const MODEL = {
  metadata: { classes: CLASSES, axes: ["x", "y", "z"], unit: "m/s^2", preset: "one", source: "a study", license: "MIT", simulated: false },
  bytes: 84_000, engine: { name: "the page itself" }, obstacle: null,
} as unknown as Model;
const PHONE = { handheld: true, reachable: true, shares: true, heard: true };
const COMPUTER = { ...PHONE, handheld: false };
const PREDICTION = { time: 3, label: 5, probability: 0.82, probabilities: [0, 0.1, 0, 0, 0.08, 0.82] };

export const RUNNING: Running = {
  kind: "running", model: MODEL, simulated: false, paused: false, truth: null, sleepy: false, signal: { kind: "listening" },
  missed: null, measured: { rate: 60, milliseconds: 0.05 }, steps: { count: 0, cadence: 0 }, taking: null, saved: null,
};

const known = (part: Partial<Known>) => believed({ silent: null, complaint: null, prediction: PREDICTION, unsure: 0, ...part });
const run = (part: Partial<Known>) => shown({ ...RUNNING, signal: known(part) }, PHONE);

test("a label is shown where nothing speaks against it", () => {
  const { text, bars } = run({});
  assert.deepEqual([text.label, text.probability, text.detail], ["Walking", "82%", ""]);
  assert.deepEqual(bars.map(({ current }) => current), [false, false, false, false, false, true]);
});

test("the label goes whenever there is a complaint or no signal", () => {
  const complaint = { title: "Sensor too slow", text: "20 samples per second." };
  for (const part of [{ complaint }, ...(["stopped", "hidden", "empty", "gyroless"] as Silent[]).map((silent) => ({ silent }))]) {
    const { text, bars } = run({ ...part });
    assert.ok(!CLASSES.includes(text.label!.toLowerCase()));
    assert.equal(text.probability, "");
    assert.notEqual(text.detail, "");
    assert.ok(bars.every(({ share, current }) => share === null && !current));
  }
  assert.equal(run({ complaint, silent: "stopped" }).text.label, "No signal");
});

test("only a lost signal can be restarted", () => {
  for (const signal of possible(CLASSES.length)) {
    const { visible } = shown({ ...RUNNING, signal }, PHONE);
    assert.equal(visible.includes("restart"), signal.kind === "silent");
  }
});

test("what is not recognized for long is something else", () => {
  const prediction = { ...PREDICTION, label: null };
  const label = (unsure: number) => run({ prediction, unsure }).text.label;
  assert.deepEqual([label(0.5), label(5)], ["Not sure", "Something else"]);
  assert.equal(run({ prediction, unsure: 5 }).text.probability, "perhaps walking");
});

function timelineOf(...segments: [label: number | null, seconds: number][]): Timeline {
  const timeline = new Timeline(0.5);
  let time = 0;
  for (const [label, seconds] of segments) {
    for (const end = time + seconds; time < end; time += 0.5) timeline.add(time, label);
  }
  return timeline;
}

test("mostly means more than half", () => {
  const said = (...segments: [number | null, number][]) => mostly(spentOn(CLASSES, timelineOf(...segments)));
  assert.equal(said([3, 40], [2, 35], [5, 25]), "A bit of everything");
  assert.equal(said([3, 60], [2, 40]), "Mostly standing");
  assert.equal(said([null, 60], [2, 40]), "Mostly not sure");
  assert.equal(said(), "Nothing recognized");
});

test("the longest walk goes on over stairs and ends where one stands", () => {
  assert.equal(longestWalk(CLASSES, timelineOf([5, 20], [4, 10], [3, 5], [5, 15])), 29.5);
  assert.equal(longestWalk(CLASSES, timelineOf([3, 20])), 0);
});

test("on a computer Start again means the recording, which is offered once", () => {
  const summary: State = {
    kind: "summary", model: MODEL, simulated: true, timeline: timelineOf([3, 10]), steps: 0, stretches: [], saved: null,
  };
  assert.ok(shown(summary, PHONE).visible.includes("simulate"));
  assert.ok(!shown(summary, COMPUTER).visible.includes("simulate"));
});

test("a recording that Stop ended is said in the summary", () => {
  const saved = { ending: "stopped" as const, seconds: 12.4, activity: "rowing", file: "rowing.csv" };
  const summary: State = {
    kind: "summary", model: MODEL, simulated: false, timeline: timelineOf([3, 10]), steps: 0, stretches: [], saved,
  };
  assert.equal(shown(summary, PHONE).text.hint, "Recording: rowing.csv: 12 s of rowing.");
});

test("every activity has a color of its own, and one of the zoo the same in all models", () => {
  const colors = (classes: string[]) => looks(classes).map(({ color }) => color);
  assert.equal(new Set(colors([...CLASSES, "rowing", "cycling"])).size, 8);
  assert.equal(colors(["rowing", "walking"])[1], colors(CLASSES)[5]);
  assert.equal(new Set(colors(["strolling", "walking"])).size, 2);
});
