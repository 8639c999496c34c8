/** A recording is one stretch of signal: it ends where the signal does, says why, and leaves nothing running. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { device, hide, page, timers } from "./browser";
import type { Recorder } from "../src/collect/recorder";
import { type Ended, Take, UNITS } from "../src/collect/take";
import { now } from "../src/page/clock";

/** The clock of the page and the date, in milliseconds. */
let [clock, date] = [0, 0];
/** What a take has reported. */
let counted: number[];
let stored: number[];
let shown: Recorder | null;
let problems: Set<string>;
let ended: Ended | null;
let running: Set<unknown>[];

beforeEach(() => {
  [counted, stored, shown, problems, ended] = [[], [], null, new Set(), null];
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  running = [timers("setTimeout", "clearTimeout"), timers("setInterval", "clearInterval")];
  mock.method(performance, "now", () => clock);
  mock.method(Date, "now", () => date);
  hide(false);
});
afterEach(() => {
  mock.restoreAll();
  mock.timers.reset();
});

function begin(wanted = {}): Take {
  return new Take({ person: "Ann", activity: "walking", axes: ["x", "y", "z"], ...UNITS, length: 60, countdown: 10, ...wanted }, {
    countdown: (seconds) => counted.push(seconds),
    progress: (recorder, problem) => {
      shown = recorder;
      if (problem) problems.add(problem.title);
    },
    checkpoint: ({ seconds }) => stored.push(Math.round(seconds)),
    ended: (found) => (ended = found),
  });
}

/** What the sensor sends now: acceleration along y, and rotation where there is a gyroscope. */
function send(y: number | null = 9.8, rotationRate: object | null = null): void {
  const event = Object.assign(new Event("devicemotion"), { accelerationIncludingGravity: { x: 0, y, z: y && Math.sin(clock / 90) }, rotationRate });
  Object.defineProperty(event, "timeStamp", { value: clock });
  device.dispatchEvent(event);
}

/** Lets seconds pass, in which a sensor sends fifty times a second. */
function wait(seconds: number, sends: () => void = send): void {
  for (let i = 0; i < Math.round(50 * seconds); i += 1) {
    [clock, date] = [clock + 20, date + 20];
    sends();
    mock.timers.tick(20);
  }
}

const nothing = () => undefined;
/** Lets time pass in which no timer runs, as on a phone that is locked: its clock stands still as well. */
function sleep(seconds: number): void {
  hide(true);
  date += 1000 * seconds;
  hide(false);
}

const made = () => (ended?.kind === "made" ? [ended.recorder.ending, Math.round(ended.recorder.seconds)] : ended);
const listening = () => device.listening.length + page.listening.length;
/** What listens for as long as there is a page, such as its clock. */
const LISTENING = now() && listening();
/** Whether nothing runs: no listener, and no timer that would report. */
function atRest(): boolean {
  const before = JSON.stringify([counted, stored, ended]);
  wait(30);
  return JSON.stringify([counted, stored, ended]) === before && listening() === LISTENING && running.every(({ size }) => !size);
}

test("a minute is counted down, stored as it grows, and ends by itself", () => {
  begin();
  wait(9.9);
  assert.deepEqual([counted, shown], [[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], null]);
  wait(0.3);
  assert.equal(Math.round(10 * shown!.seconds), 2);
  wait(29.8);
  assert.deepEqual([stored, ended], [[5, 10, 15, 20, 25], null]);
  wait(31);
  assert.deepEqual([made(), stored.length, problems.size], [["full", 60], 11, 0]);
  assert.ok(atRest());
});

test("a recording that is interrupted ends where its signal did, and keeps what was before", () => {
  begin();
  wait(30);
  clock += 1100;
  send();
  assert.deepEqual(made(), ["cut", 20]);
  assert.ok(atRest());
});

test("a phone that sleeps during a recording ends it, whatever its clocks say", () => {
  begin();
  wait(30);
  sleep(40);
  send();
  assert.deepEqual(made(), ["cut", 20]);
});

test("a signal that falls silent ends a recording after a second, and the recorder says how long it was", () => {
  begin();
  wait(22);
  wait(0.9, nothing);
  assert.equal(ended, null);
  wait(0.3, nothing);
  assert.deepEqual(made(), ["cut", 12]);
  assert.ok(atRest());
});

test("a signal that is silent before the tone is too short to keep", () => {
  begin();
  wait(5);
  wait(6.5, nothing);
  assert.deepEqual(made(), ["discarded", 0]);
});

test("a clock that is set ahead by a second and a half cuts no recording", () => {
  begin();
  wait(5);
  date += 1500;
  wait(5);
  assert.deepEqual(counted, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  wait(20);
  date += 1500;
  wait(41);
  assert.deepEqual(made(), ["full", 60]);
});

test("a phone whose sensor is slow has until the tone, and says what is missing after it", () => {
  begin();
  wait(9, nothing);
  assert.equal(ended, null);
  wait(2, nothing);
  assert.deepEqual(ended, { kind: "none", refusal: "sensorless" });
  assert.ok(atRest());
  [ended, counted] = [null, []];
  begin();
  wait(9, nothing);
  wait(62);
  assert.deepEqual(made(), ["full", 60]);
});

test("a sensor that sends events without readings ends it at once, and leaves no listener", () => {
  begin();
  wait(2.1, () => send(null));
  assert.deepEqual(ended, { kind: "none", refusal: "sensorless" });
  assert.ok(atRest());
  begin({ axes: ["x", "y", "z", "gyro_x", "gyro_y", "gyro_z"] });
  wait(2.1);
  assert.deepEqual(ended, { kind: "none", refusal: "gyroless" });
  assert.ok(atRest());
});

test("a computer without a sensor says so, and does not count down for nothing", () => {
  mock.method(globalThis, "matchMedia", () => ({ matches: false }));
  begin();
  wait(2.1, nothing);
  assert.deepEqual(ended, { kind: "none", refusal: "sensorless" });
});

test("what is ended early is kept from the tone on, and nothing of what was dropped or hidden before it", () => {
  begin();
  wait(3);
  hide(true);
  assert.deepEqual([ended, atRest()], [{ kind: "hidden" }, true]);
  hide(false);
  const ends: [(take: Take) => void, number, unknown][] = [
    [(take) => take.stop(), 3, { kind: "canceled" }], [(take) => take.end(), 30, { kind: "canceled" }], [(take) => take.stop(), 30, ["stopped", 20]],
  ];
  for (const [end, seconds, expected] of ends) {
    const take = begin();
    wait(seconds);
    end(take);
    assert.deepEqual([made(), atRest()], [expected, true]);
    const before = ended;
    take.stop();
    take.end();
    assert.equal(ended, before);
  }
});

test("a phone in the background goes on recording for as long as its sensor does", () => {
  begin();
  wait(15);
  hide(true);
  wait(10);
  hide(false);
  wait(46);
  assert.deepEqual(made(), ["full", 60]);
});

test("where gravity turns out to have the other sign, the recording begins again", () => {
  begin();
  wait(20);
  device.dispatchEvent(Object.assign(new Event("deviceorientation"), { beta: -90, gamma: 0 }));
  wait(1);
  assert.ok(shown!.seconds < 1 && shown!.samples.every(({ value }) => value[1]! < 0));
  wait(60);
  assert.deepEqual(made(), ["full", 60]);
});

test("a sample that no phone can measure is not recorded, and what is odd is said while it is", () => {
  begin();
  wait(20, () => send(clock % 1000 ? 1 : 1e30));
  assert.ok(shown!.samples.every(({ value }) => value[1] === 1));
  assert.deepEqual([...problems], ["Gravity is missing"]);
});

test("two samples at one time are one", () => {
  begin();
  wait(20, () => [send(), send()]);
  const times = shown!.samples.map(({ time }) => time);
  assert.equal(new Set(times).size, times.length);
});
