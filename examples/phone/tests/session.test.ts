/** A run reports what can be believed of a signal, begins anew after a gap, and leaves nothing running. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { device, hide, page, timers } from "./browser";
import { type Report, Session } from "../src/page/session";
import { now } from "../src/page/clock";

const METADATA = {
  classes: ["standing", "walking"], rate: 50, frame: 25, window: 25, hop: 25, states: {}, unit: "m/s^2", axes: ["x", "y", "z"],
  threshold: 0.4, streaming: { restart: 0, copies: 1, warmup: 0, margin: 0, groups: [] },
};

/** The clock of the page and the date, in milliseconds. */
let [clock, date] = [0, 0];
/** What the network answers, and which frames it has read. */
let answer: () => Promise<number[]>;
let frames: Float32Array[];
let reports: Report[];
let failures: string[];
let predictions: number;

const count = () => (predictions += 1);
beforeEach(() => {
  [answer, frames, reports, failures, predictions] = [async () => [0.1, 0.9], [], [], [], 0];
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => clock);
  mock.method(Date, "now", () => date);
  hide(false);
  page.addEventListener("prediction", count);
});
afterEach(() => {
  page.removeEventListener("prediction", count);
  mock.restoreAll();
  mock.timers.reset();
});

function begin(about: object = {}, isTaught = true): Session {
  const recognizer = {
    metadata: { ...METADATA, ...about }, isTaught, milliseconds: 0.5,
    step: async (frame: Float32Array) => {
      frames.push(frame);
      return { probabilities: Float32Array.from(await answer()), states: {} };
    },
  };
  return new Session(recognizer as never, 0.4, false, {
    changed: (report) => reports.push(report), failed: ({ message }) => failures.push(message), say: () => undefined, draw: () => undefined,
  });
}

/** Lets seconds pass, in which somebody walks, two steps a second. */
async function wait(session: Session, seconds: number, sends = true): Promise<void> {
  for (let i = 0; i < Math.round(50 * seconds); i += 1) {
    [clock, date] = [clock + 20, date + 20];
    const swing = Math.sin((4 * Math.PI * clock) / 1000);
    if (sends) session.add({ time: clock / 1000, value: [0.5 * swing, 9.8 + 4 * swing, 1] });
    mock.timers.tick(20);
    await new Promise((done) => setImmediate(done));
  }
}

const last = () => reports.at(-1)!;
const kinds = () => reports.map(({ signal }) => signal.kind).filter((kind, i, all) => kind !== all[i - 1]);

test("somebody who walks is recognized, with the sensor's rate, and has walked so many steps", async () => {
  const session = begin();
  await wait(session, 20);
  const { signal, measured, steps, missed } = last();
  assert.ok(signal.kind === "recognized");
  assert.deepEqual([signal.label, signal.probability > 0.9, missed], [1, true, null]);
  assert.deepEqual([Math.round(measured.rate), measured.milliseconds], [50, 0.5]);
  assert.ok(Math.abs(steps.count - 38) <= 4, `${steps.count}`);
  assert.ok(Math.abs(steps.cadence - 120) < 5, `${steps.cadence}`);
  assert.deepEqual([kinds(), session.timeline.segments.map(({ label }) => label)], [["recognized"], [1]]);
  assert.deepEqual([session.steps, predictions, session.history.length], [steps.count, frames.length, 1000]);
  session.end();
});

test("steps are counted where one walks alone", async () => {
  const session = begin();
  answer = async () => [0.9, 0.1];
  await wait(session, 5);
  assert.deepEqual([last().signal.kind, last().steps], ["recognized", { count: 0, cadence: 0 }]);
  session.end();
});

test("what is not sure has no label, and what is not sure for long is something else", async () => {
  const session = begin();
  answer = async () => [0.5, 0.5];
  session.threshold = 0.9;
  const lasting = () => {
    const { signal } = last();
    assert.ok(signal.kind === "unsure");
    return signal.lasting;
  };
  await wait(session, 3);
  assert.equal(lasting(), false);
  await wait(session, 3);
  assert.deepEqual([lasting(), session.timeline.segments.map(({ label }) => label)], [true, [null]]);
  session.end();
});

test("a signal that falls silent has no label after a second, and the reason", async () => {
  const session = begin();
  await wait(session, 5);
  await wait(session, 0.9, false);
  assert.equal(last().signal.kind, "recognized");
  await wait(session, 0.3, false);
  assert.deepEqual(last().signal, { kind: "silent", why: "stopped" });
  await wait(session, 2);
  session.empty("gyroless");
  session.empty("gyroless");
  await wait(session, 1.2, false);
  assert.deepEqual(last().signal, { kind: "silent", why: "stopped" });
  await wait(session, 2);
  for (let i = 0; i < 3; i += 1) session.empty("gyroless");
  await wait(session, 1.2, false);
  assert.deepEqual(last().signal, { kind: "silent", why: "gyroless" });
  await wait(session, 2);
  await wait(session, 1.2, false);
  assert.deepEqual(last().signal, { kind: "silent", why: "stopped" });
  session.end();
});

test("after a gap the network begins anew, nothing holds of what was said before, and what was missed in the background is said for a while", async () => {
  const session = begin();
  await wait(session, 5);
  const { length } = frames;
  hide(true);
  await wait(session, 60, false);
  assert.deepEqual(last().signal, { kind: "silent", why: "hidden" });
  hide(false);
  reports = [];
  await wait(session, 0.3);
  assert.deepEqual([kinds(), last().missed! > 59 && last().missed! < 62, frames.length], [["listening"], true, length]);
  await wait(session, 5);
  assert.equal(last().signal.kind, "recognized");
  // The first frame after the gap has no row from before it.
  assert.equal(frames[length]!.length, 75);
  const segments = session.timeline.segments.map(({ label, start, end }) => [label, Math.round(end - start)]);
  assert.deepEqual(segments, [[1, 5], [1, 5]]);
  assert.ok(last().missed);
  await wait(session, 11);
  assert.equal(last().missed, null);
  session.end();
});

test("a gap in view is no time in the background", async () => {
  const session = begin();
  await wait(session, 5);
  await wait(session, 3, false);
  await wait(session, 2);
  assert.deepEqual([last().missed, last().signal.kind], [null, "recognized"]);
  session.end();
});

test("nobody has been unsure for as long as a gap was", async () => {
  const session = begin();
  answer = async () => [0.5, 0.5];
  session.threshold = 0.9;
  await wait(session, 3);
  await wait(session, 30, false);
  await wait(session, 2);
  const { signal } = last();
  assert.ok(signal.kind === "unsure" && !signal.lasting);
  session.end();
});

test("where the sign was wrong, what was read so far is forgotten", async () => {
  const session = begin();
  await wait(session, 5.3);
  const { length } = frames;
  session.restart();
  await wait(session, 0.4);
  assert.equal(frames.length, length);
  await wait(session, 0.4);
  assert.equal(frames.length, length + 1);
  session.end();
});

test("a pause is no silence", async () => {
  const session = begin();
  await wait(session, 5);
  session.pause();
  const { now: paused } = session.timeline;
  await wait(session, 60, false);
  assert.deepEqual([last().signal.kind, session.timeline.now], ["recognized", paused]);
  await wait(session, 2);
  assert.equal(last().signal.kind, "recognized");
  session.end();
});

test("a pocket is asked for where a model of pockets sees another place, and of no model that was taught", async () => {
  const classes = ["downstairs", "jogging", "sitting", "standing", "upstairs", "walking"];
  const lying = async (isTaught: boolean) => {
    const session = begin({ classes }, isTaught);
    answer = async () => [0, 0, 0, 1, 0, 0];
    for (let i = 0; i < 600; i += 1) {
      clock += 20;
      session.add({ time: clock / 1000, value: [0, 0, 9.8] });
      await new Promise((done) => setImmediate(done));
    }
    session.end();
    return last().signal;
  };
  assert.deepEqual(await lying(false), { kind: "away", place: "at rest" });
  assert.equal((await lying(true)).kind, "recognized");
});

test("a network that fails is reported, as long as there is a run", async () => {
  const session = begin();
  answer = async () => Promise.reject(new Error("no memory"));
  await wait(session, 0.6);
  assert.deepEqual(failures, ["no memory"]);
  let fail!: (error: Error) => void;
  answer = () => new Promise((_, reject) => (fail = reject));
  await wait(session, 0.6);
  session.end();
  fail(new Error("no memory"));
  await wait(session, 1, false);
  assert.deepEqual(failures, ["no memory"]);
});

test("samples wait for the network, in their order", async () => {
  const session = begin();
  let done!: (probabilities: number[]) => void;
  answer = () => new Promise((resolve) => (done = resolve));
  await wait(session, 2);
  assert.deepEqual([frames.length, predictions], [1, 0]);
  answer = async () => [0.1, 0.9];
  done([0.1, 0.9]);
  await wait(session, 1);
  assert.deepEqual([frames.length, predictions, session.timeline.segments.length], [6, 6, 1]);
  session.end();
});

test("of a sensor that is too slow no answer is believed, nor counted", async () => {
  const session = begin({ rate: 100, window: 50, frame: 50, hop: 50 });
  await wait(session, 6);
  const { signal } = last();
  assert.ok(signal.kind === "doubtful" && signal.complaint.title === "Sensor too slow");
  assert.deepEqual(session.timeline.segments.map(({ label }) => label).at(-1), null);
  session.end();
});

test("what has ended reports nothing, adds nothing to its summary, and listens to nothing", async () => {
  const listening = () => device.listening.length + page.listening.length;
  const before = now() && listening();
  const running = timers("setTimeout", "clearTimeout");
  const session = begin();
  await wait(session, 5);
  let done!: (probabilities: number[]) => void;
  answer = () => new Promise((resolve) => (done = resolve));
  await wait(session, 0.6);
  session.end();
  assert.equal(running.size, 0);
  const ended = [reports.length, predictions, session.timeline.segments.length, session.timeline.length];
  // The network answers late.
  done([1, 0]);
  hide(true);
  await wait(session, 5, false);
  hide(false);
  assert.deepEqual([reports.length, predictions, session.timeline.segments.length, session.timeline.length], ended);
  assert.deepEqual([listening(), failures], [before, []]);
});
