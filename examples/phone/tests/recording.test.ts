/** Signals and clocks: what a phone can do wrong, and what becomes of it. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { hide } from "./browser";
import { fileName, forFile } from "../src/collect/recorder";
import { asleep, now } from "../src/page/clock";
import { impossible, Stream } from "../src/signal/stream";
import { Timeline } from "../src/signal/timeline";
import { Faults } from "../src/signal/faults";
import { complaint, Silence } from "../src/signal/watch";

const clocks = { now: performance.now, date: Date.now };

afterEach(() => {
  performance.now = clocks.now;
  Date.now = clocks.date;
});

/** Sets the clock of the page and the date, in seconds. */
function at(page: number, date: number): void {
  performance.now = () => 1000 * page;
  Date.now = () => 1000 * date;
}

test("after a freeze the gap is noticed although the first sample beats the timer", () => {
  const silence = new Silence(() => assert.fail("the timer never fires"));
  at(10, 1000);
  assert.equal(silence.heard(10), 0);
  at(130, 1120);
  assert.equal(silence.heard(130), 120);
  silence.stop();
});

test("a page that was busy missed nothing", () => {
  const silence = new Silence(() => undefined);
  at(10, 1000);
  silence.heard(10);
  at(13, 1003);
  assert.equal(silence.heard(10.02), 0);
  silence.stop();
});

test("where the clocks of page and sensor sleep while a phone is locked, the date counts", () => {
  const before = asleep();
  at(10, 1000);
  hide(true);
  at(10.02, 1600);
  hide(false);
  assert.ok(Math.abs(asleep() - before - 599_980) < 1);
});

test("a date that is set while the page is in view moves no clock", () => {
  at(10, 1000);
  const [before, silence] = [now(), new Silence(() => undefined)];
  silence.heard(10);
  at(10.02, 1001.52);
  assert.equal(silence.heard(10.02), 0);
  assert.ok(Math.abs(now() - before - 20) < 1e-6);
  silence.stop();
});

test("times of the CSV file are right after a pause without samples", () => {
  const timeline = new Timeline(0.5);
  at(0, 1_000_000);
  for (let time = 0; time < 10; time += 0.5) timeline.add(time, 0);
  for (let time = 610; time < 620; time += 0.5) timeline.add(time, 0);
  const starts = timeline.csv(["walking"]).split("\n").slice(1, -1).map((row) => Date.parse(row.split(",")[0]!) / 1000);
  assert.deepEqual(starts, [1_000_000, 1_000_610]);
  assert.equal(timeline.seconds(0), 19);
});

test("names in other scripts stay what they are", () => {
  assert.match(fileName("ходьба 走る"), /^ходьба_走る-\d{4}-.*\.csv$/);
  assert.equal(forFile("zu Fuß/../x"), "zu_Fuß_.._x");
});

/** What is complained of after four seconds of a phone whose acceleration has a size. */
function doubted(size: number, limited?: boolean): boolean {
  const faults = new Faults(1, true);
  const samples = Array.from({ length: 200 }, (_, i) => ({ time: i / 50, value: [0, size, 0.01 * (i % 2)] }));
  for (const { time, value } of samples) faults.push(time, value);
  return complaint(samples, faults, { rate: 50, unit: "m/s^2" }, limited) !== null;
}

test("a signal is too weak or too strong where Python finds so", () => {
  assert.deepEqual([1.9, 4.9, 5.1, 24.6, 24.9, 25.1].map((size) => doubted(size)), [true, true, false, false, false, true]);
});

test("what its owner taught may be stronger than steps are, but not weaker than gravity", () => {
  assert.deepEqual([4.9, 9.8, 40].map((size) => doubted(size, false)), [true, false, false]);
});

test("a sample that no phone can have measured is none", () => {
  const metadata = { unit: "m/s^2" };
  assert.equal(impossible(1, [0, 9.8, 0], metadata), null);
  for (const value of [[1e30, 0, 0], [NaN, 0, 0], [0, 9.8, 0, 0, 101, 0]]) assert.ok(impossible(1, value, metadata));
});

test("a stream says which samples it reads: of repeated stamps, spikes and clocks that lie, none", async () => {
  const metadata = {
    classes: ["any"], rate: 50, frame: 1, window: 1, hop: 1, states: {}, unit: "m/s^2",
    streaming: { restart: 0, copies: 1, warmup: 0, margin: 0, groups: [] },
  };
  const network = { metadata, step: async () => ({ probabilities: Float32Array.of(1), states: {} }) };
  const stream = new Stream(network as never, 0);
  const read: number[] = [];
  stream.onRead = (time) => read.push(time);
  for (const [time, x] of [[1, 0], [1.02, 0], [1.02, 0], [1.04, 1e30], [3600, 0], [1.06, 0]]) await stream.push(time!, [x!, 9.8, 0]);
  assert.deepEqual(read, [1, 1.02, 1.06]);
});
