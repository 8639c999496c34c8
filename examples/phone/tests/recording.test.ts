/** Recordings, clocks and storage: what a phone can do wrong, and what becomes of it. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { draw, Outbox } from "../src/collect/outbox";
import { fileName, plain } from "../src/collect/recorder";
import { impossible, Stream } from "../src/signal/stream";
import { Timeline } from "../src/signal/timeline";
import { complaint, Silence } from "../src/signal/watch";

const clocks = { now: performance.now, date: Date.now };

afterEach(() => {
  performance.now = clocks.now;
  Date.now = clocks.date;
});

/** Sets the clock of the page and that of the world, in seconds. */
function at(page: number, world: number): void {
  performance.now = () => 1000 * page;
  Date.now = () => 1000 * world;
}

test("after a freeze the gap is noticed although the first sample beats the timer", () => {
  const silence = new Silence(() => assert.fail("the timer never fires"));
  at(10, 1000);
  assert.deepEqual(silence.heard(10), { missed: 0, slept: 0 });
  at(130, 1120);
  assert.deepEqual(silence.heard(130), { missed: 120, slept: 0 });
  silence.stop();
});

test("a page that was busy missed nothing", () => {
  const silence = new Silence(() => undefined);
  at(10, 1000);
  silence.heard(10);
  at(13, 1003);
  assert.deepEqual(silence.heard(10.02), { missed: 0, slept: 0 });
  silence.stop();
});

test("where the clocks of page and sensor sleep, the clock of the world counts", () => {
  const silence = new Silence(() => undefined);
  at(10, 1000);
  silence.heard(10);
  at(10.02, 1600);
  const { missed, slept } = silence.heard(10.02);
  assert.ok(Math.abs(missed - 600) < 0.1 && Math.abs(slept - 600) < 0.1);
  silence.stop();
});

test("times of the CSV file are right after a clock has slept", () => {
  const timeline = new Timeline(0.5);
  at(0, 1_000_000);
  for (let time = 0; time < 10; time += 0.5) timeline.add(time, 0);
  timeline.slept(600);
  for (let time = 10; time < 20; time += 0.5) timeline.add(time, 0);
  const starts = timeline.csv(["walking"]).split("\n").slice(1, -1).map((row) => Date.parse(row.split(",")[0]!) / 1000);
  assert.deepEqual(starts, [1_000_000, 1_000_610]);
  assert.equal(timeline.seconds(0), 19);
});

test("names in other scripts stay what they are", () => {
  assert.match(fileName("ходьба 走る"), /^ходьба_走る-\d{4}-.*\.csv$/);
  assert.equal(plain("zu Fuß/../x"), "zu_Fuß_.._x");
});

const still = (size: number) => Array.from({ length: 200 }, (_, i) => ({ time: i / 50, value: [0, size, 0.01 * (i % 2)] }));

test("a signal is too weak or too strong where Python finds so", () => {
  const doubted = (size: number) => complaint(still(size), { rate: 50, unit: "m/s^2" }) !== null;
  assert.deepEqual([1.9, 4.9, 5.1, 24.6, 24.9, 25.1].map(doubted), [true, true, false, false, false, true]);
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

test("a database that another page blocks is given up, and recordings last as long as the page", async () => {
  const request = {
    get error() { throw new DOMException("not finished", "InvalidStateError"); },
    onblocked: () => {},
  };
  Object.assign(globalThis, { indexedDB: { open: () => request } });
  const opening = Outbox.open();
  request.onblocked();
  assert.equal((await opening).lasting, false);
  assert.match(draw(), /^\d{16}$/);
});
