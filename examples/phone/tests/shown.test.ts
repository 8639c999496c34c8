/** What is shown follows from one state: a label and a complaint never stand side by side. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { looks } from "../src/show/activities";
import { isHeld } from "../src/signal/placement";
import { swing } from "../src/show/picture";
import { BUTTONS, HERO, PARTS, TEXTS } from "../src/show/parts";
import { longestWalk, mostly, shown, spentOn } from "../src/show/shown";
import { believed, possible, type Known, type Silent } from "../src/signal/signal";
import { StepCounter } from "../src/signal/steps";
import type { Model, Running, State, Teach } from "../src/page/state";
import { Timeline } from "../src/signal/timeline";

const CLASSES = ["downstairs", "jogging", "sitting", "standing", "upstairs", "walking"];
export const MODEL = {
  metadata: { classes: CLASSES, axes: ["x", "y", "z"], unit: "m/s^2", preset: "one", source: "a study", license: "MIT", simulated: false },
  bytes: 84_000, engine: { name: "the page itself" }, obstacle: null, demonstrates: false,
} as unknown as Model;
const PHONE = { handheld: true, reachable: true, shares: true, heard: true };
const COMPUTER = { ...PHONE, handheld: false };
const PREDICTION = { time: 3, label: 5, probability: 0.82, probabilities: [0, 0.1, 0, 0, 0.08, 0.82], reason: null };

export const RUNNING: Running = {
  kind: "running", model: MODEL, run: null!, simulated: false, paused: false, agreed: { right: 0, of: 0 }, sleepy: false, signal: { kind: "listening" },
  missed: null, measured: { rate: 60, milliseconds: 0.05 }, steps: { count: 0, cadence: 0 }, timeline: new Timeline(0.5),
};

const known = (part: Partial<Known>) => believed({ silent: null, complaint: null, place: null, prediction: PREDICTION, unsure: 0, ...part });
const run = (part: Partial<Known>) => shown({ ...RUNNING, signal: known(part) }, PHONE);

test("every part, text and button is in the page", () => {
  const page = readFileSync("index.html", "utf8");
  for (const id of [...PARTS, ...TEXTS, ...BUTTONS, ...HERO]) assert.ok(page.includes(` id="${id}"`), id);
});

/** A file of the program with all that it loads. */
function loaded(file: string, found = new Set<string>()): Set<string> {
  if (!existsSync(file) || found.has(file)) return found;
  const parts = readFileSync(found.add(file) && file, "utf8").matchAll(/(?:from |import\()"(\.[^"]+)"/g);
  for (const [, path] of parts) loaded(`${join(dirname(file), path!)}.ts`, found);
  return found;
}

test("every id that a file of the program names is in a page that loads it", () => {
  const pages = ["index", "class", "collect", "label"].map((name) => readFileSync(`${name}.html`, "utf8"));
  const loads = pages.map((page) => loaded(/src="\.\/(src[^"]+)"/.exec(page)![1]!));
  const named = [...new Set(loads.flatMap((files) => [...files]))].flatMap((file) => {
    const found = readFileSync(file, "utf8").matchAll(/\b(?:byId|write|show|focusOn)(?:<\w+>)?\("([\w-]+)"/g);
    return [...found].map(([, id]) => ({ file, id: id! }));
  });
  assert.ok(named.length > 100);
  const has = ({ file, id }: (typeof named)[number]) => pages.some((page, i) => loads[i]!.has(file) && page.includes(` id="${id}"`));
  assert.deepEqual(named.filter((each) => !has(each)), []);
});

test("while it learns, nothing is forgotten and nothing taken over", () => {
  const teach = { kind: "teach", doing: { kind: "nothing" }, model: MODEL, lessons: [], missing: null, keeps: true, handover: { why: "" } } as unknown as Teach;
  const off = (learning: boolean) => ["lesson-reset", "lesson-open"].filter((id) => (shown({ ...teach, learning }, PHONE).disabled as string[]).includes(id));
  assert.deepEqual([off(true), off(false)], [["lesson-reset", "lesson-open"], []]);
});

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

test("a phone that is in no pocket asks to be put there", () => {
  for (const place of ["at rest", "shaken", "hand"] as const) {
    const { text, picture } = run({ place });
    assert.deepEqual([text.label, text.probability, picture!.name], ["Put me in your pocket", "", "pocket"]);
  }
});

test("taken out of the pocket it shows what it saw there", () => {
  const seen = { ...RUNNING, timeline: timelineOf([5, 42], [null, 3], [4, 12]), steps: { count: 61, cadence: 0 } };
  const { text } = shown({ ...seen, signal: known({ place: "hand" }) }, PHONE);
  assert.deepEqual([text.label, text.detail], ["Out of your pocket", "While in your pocket: walking 42 s, upstairs 12 s, 61 steps."]);
  // In the pocket it says what is done.
  assert.equal(shown({ ...seen, signal: known({}) }, PHONE).text.label, "Walking");
});

const METADATA = { unit: "m/s^2", axes: ["x", "y", "z"], convention: "android" };
/** Six seconds of a phone with gravity in a direction, and a movement. */
const felt = (gravity: number[], size: number) => Array.from({ length: 300 }, (_, i) => ({
  time: i / 50, value: gravity.map((number) => 9.8 * number + size * Math.sin(i / 5)),
}));

test("a hand is told from a pocket, with both signs of gravity", () => {
  const cases: [number[], number, boolean][] = [
    [[0, 0, 1], 1, false], [[0, 0.6, 0.8], 1, true], [[0, 0.6, -0.8], 1, false], [[0, 0.6, 0.8], 0.05, false], [[0, -1, 0.1], 1, false],
  ];
  for (const [gravity, size, held] of cases) {
    const [means, down] = [gravity.map((number) => 9.8 * number), gravity.map((number) => -9.8 * number)];
    assert.equal(isHeld(felt(gravity, size), { means }, METADATA), held, `${gravity}`);
    const ios = { ...METADATA, convention: "ios" };
    assert.equal(isHeld(felt(gravity.map((number) => -number), size), { means: down }, ios), held, `${gravity} downwards`);
  }
  assert.equal(isHeld(felt([0, 0.6, 0.8], 1).slice(-100), { means: [0, 5.9, 7.8] }, METADATA), false);
});

test("only a lost signal can be restarted", () => {
  for (const signal of possible(CLASSES.length)) {
    const { visible } = shown({ ...RUNNING, signal }, PHONE);
    assert.equal(visible.includes("restart"), signal.kind === "silent");
  }
});

test("what is not recognized for long is something else", () => {
  const prediction = { ...PREDICTION, label: null, reason: "not sure" as const };
  const label = (unsure: number) => run({ prediction, unsure }).text.label;
  assert.deepEqual([label(0.5), label(5)], ["Not sure", "Something else"]);
  assert.equal(run({ prediction, unsure: 5 }).text.probability, "perhaps walking");
});

test("a movement outside the labels is something else at once, and no activity to be recognized", () => {
  const metadata = { ...MODEL.metadata, classes: ["sitting", "walking", "other"] };
  const model = { ...MODEL, metadata };
  const signal = known({ prediction: { ...PREDICTION, label: null, probabilities: [0, 0.1, 0.9], reason: "something else" } });
  const { text, bars } = shown({ ...RUNNING, model, signal }, PHONE);
  assert.deepEqual([text.label, text.probability], ["Something else", ""]);
  assert.deepEqual(bars.map(({ name }) => name), ["sitting", "walking", "something else"]);
  assert.deepEqual(shown({ kind: "start", model }, PHONE).known.map(({ name }) => name), ["sitting", "walking"]);
});

test("steps and their cadence are said where one walks, and the figure moves", () => {
  const walking = { ...RUNNING, signal: known({}), steps: { count: 128, cadence: 111.6 } };
  assert.equal(shown(walking, PHONE).text.detail, "128 steps · 112 per minute");
  assert.deepEqual(shown(walking, PHONE).picture, { name: "walking", color: "--activity-0", cadence: 111.6 });
  const standing = { ...walking, signal: known({ prediction: { ...PREDICTION, label: 3 } }) };
  assert.equal(shown(standing, PHONE).text.detail, "128 steps");
  assert.equal(shown(standing, PHONE).picture!.cadence, 0);
});

test("steps are counted at any rate, and none where one stands", () => {
  for (const [hertz, perMinute] of [[50, 90], [60, 110], [100, 120], [60, 170]] as const) {
    const counter = new StepCounter();
    for (let i = 0; i < 60 * hertz; i += 1) counter.push(i / hertz, 9.8 + 4 * Math.sin((2 * Math.PI * perMinute * i) / hertz / 60));
    assert.ok(Math.abs(counter.count - perMinute) <= 2, `${counter.count} of ${perMinute}`);
    assert.ok(Math.abs(counter.cadence - perMinute) < 2, `${counter.cadence} of ${perMinute}`);
  }
  const still = new StepCounter();
  for (let i = 0; i < 3000; i += 1) still.push(i / 50, 9.8 + 0.3 * Math.sin(i));
  assert.deepEqual([still.count, still.cadence], [0, 0]);
});

test("where steps end, there is no cadence", () => {
  const counter = new StepCounter();
  for (let i = 0; i < 1200; i += 1) counter.push(i / 60, 9.8 + (i < 900 ? 4 : 0) * Math.sin(i / 5));
  assert.ok(counter.count > 20);
  assert.equal(counter.cadence, 0);
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

test("the longest walk ends at stairs and where one stands", () => {
  assert.equal(longestWalk(CLASSES, timelineOf([5, 20], [4, 30], [3, 5], [5, 15], [1, 40])), 19.5);
  assert.equal(longestWalk(CLASSES, timelineOf([3, 20])), 0);
});

test("what a file does not state has no words", () => {
  const about = (facts: Partial<Model["metadata"]>) => {
    return shown({ kind: "start", model: { ...MODEL, metadata: { ...MODEL.metadata, ...facts } } }, PHONE).text.about;
  };
  assert.equal(about({}), "Model one, 84 kB, run by the page itself; trained on a study; license MIT.");
  assert.equal(about({ license: "not stated" }), "Model one, 84 kB, run by the page itself; trained on a study.");
  assert.equal(about({ source: "not stated", license: "not stated" }), "Model one, 84 kB, run by the page itself.");
});

test("where no sensor is, recordings can be watched, and a phone is led to the page where it can reach it", () => {
  const lacking = (reachable: boolean) => {
    return shown({ kind: "problem", problem: "sensorless", why: "", model: MODEL, run: null }, { ...COMPUTER, reachable });
  };
  for (const id of ["simulate", "person", "elsewhere"] as const) assert.ok(lacking(true).visible.includes(id), id);
  assert.ok(!lacking(false).visible.includes("elsewhere"));
  assert.match(lacking(false).text["problem-text"]!, /open one that zoo serve prints for phones\.$/);
});

test("on a computer Start again means the recording, which is offered once", () => {
  const summary: State = {
    kind: "summary", model: MODEL, simulated: true, agreed: { right: 0, of: 0 }, timeline: timelineOf([3, 10]), steps: 0, stretches: [],
  };
  assert.ok(shown(summary, PHONE).visible.includes("simulate"));
  assert.ok(!shown(summary, COMPUTER).visible.includes("simulate"));
});

test("a demonstration is called what it is, with the truth, the agreement, and whose it is", () => {
  const model = { ...MODEL, demonstrates: true };
  const timeline = timelineOf([5, 10]);
  timeline.tell(10, "walking");
  const playing: State = { ...RUNNING, model, simulated: true, timeline, agreed: { right: 3, of: 4 } };
  const { text, visible } = shown(playing, COMPUTER);
  assert.deepEqual([text.simulated, text.hint], ["Recording of a real person", "Really: walking · right 75% of the time"]);
  assert.ok(visible.includes("credit") && !visible.includes("person"));
  const summary: State = {
    kind: "summary", model, simulated: true, agreed: { right: 3, of: 4 }, timeline, steps: 0, stretches: [],
  };
  assert.equal(shown(summary, COMPUTER).text.hint, "Right 75% of the time.");
  assert.ok(!shown(summary, COMPUTER).visible.includes("teach-row"));
});

test("the figure swings once a step, and rests where one stands", () => {
  const degrees: number[] = [];
  const place = { dataset: { cadence: "" }, style: { setProperty: (_: string, value: string) => degrees.push(parseFloat(value)) } };
  const { now } = performance;
  for (const [perMinute, from, to] of [[0, 0, 2], [90, 2, 12], [0, 12, 14]] as const) {
    place.dataset.cadence = `${perMinute}`;
    for (let i = 10 * from; i < 10 * to; i += 1) {
      performance.now = () => 100 * i;
      swing(place as unknown as HTMLElement);
    }
  }
  performance.now = now;
  assert.equal(degrees.length, 100);
  assert.equal(degrees.filter((each, i) => i > 0 && Math.sign(each) !== Math.sign(degrees[i - 1]!)).length, 15);
});

test("every activity has a color of its own, and one of the zoo the same in all models", () => {
  const colors = (classes: string[]) => looks(classes).map(({ color }) => color);
  assert.equal(new Set(colors([...CLASSES, "rowing", "cycling"])).size, 8);
  assert.equal(colors(["rowing", "walking"])[1], colors(CLASSES)[5]);
  assert.equal(new Set(colors(["strolling", "walking"])).size, 2);
});
