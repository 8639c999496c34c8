/** What was taught is lost by no other page, no full disk, no damage, and no lesson that did not help. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { anew, Database, texts } from "./browser";
import { openKept } from "../src/learn/kept";
import { answerer } from "../src/learn/answers";
import type { Asked } from "../src/learn/learner";
import { Lessons } from "../src/learn/lessons";
import { taught } from "../src/learn/taught";
import { extended } from "../src/learn/learn";
import { Recognizer } from "../src/model/recognizer";

const FILE = new Uint8Array(readFileSync("../../saved_models/activity_gru_pocket/model.float32.tflite"));
const untaught = await Recognizer.open(FILE, () => {});
const { classes, weights_sha256 } = untaught.metadata;
const READS = "50-m/s^2-android-x-y-z";

beforeEach(anew);
afterEach(() => {
  delete (globalThis as { Worker?: unknown }).Worker;
});

/** Waits until a page has heard of the other one. */
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i += 1) await new Promise((done) => setTimeout(done, 4));
}

/** A page that teaches, as another tab or after a reload. */
async function open() {
  return new Lessons(untaught, await openKept(() => {}));
}

/** Half a minute of a phone that goes up and down so fast. */
const moved = (rate: number) => Array.from({ length: 1500 }, (_, i) => ({
  time: i / 50, value: [0.3, -9.7 + 4 * Math.sin((rate * i) / 50), 1 + 2 * Math.cos((rate * i) / 50)],
}));

/** What another phone has learned with this model: an activity more. */
function elsewhere(name = "rowing") {
  const { kernel, bias } = extended(untaught.head!, classes.length + 1);
  return taught(untaught, [...classes, name], { kernel, bias: bias.map((number, i) => (i < classes.length ? number : -20)) });
}

const activities = (lessons: Lessons) => lessons.recordings.map(({ activity }) => activity);

test("what came from another phone is there after a lesson, whether that helped or not", async () => {
  const lessons = await open();
  await lessons.adopt(elsewhere());
  for (const [activity, rate] of [["walking", 11], ["walking", 12], ["standing", 0], ["standing", 0]] as const) await lessons.add(activity, moved(rate));
  assert.ok((await lessons.learn())!.classes.includes("rowing"));
  assert.deepEqual((await open()).recognizer.metadata.classes, [...classes, "rowing"]);
  await lessons.add("swimming", moved(3));
  assert.ok((await lessons.learn())!.share > 0);
  const { classes: learned, bias } = JSON.parse(lessons.file!) as { classes: string[]; bias: number[] };
  assert.deepEqual(learned, [...classes, "rowing", "swimming"]);
  assert.ok(bias[learned.indexOf("rowing")]! < -15);
});

test("a lesson that does not help leaves what was learned before", async () => {
  const lessons = await open();
  await lessons.add("swimming", moved(3));
  await lessons.add("standing", moved(0));
  assert.ok((await lessons.learn())!.share > 0);
  const { file } = lessons;
  for (const recording of lessons.recordings) await lessons.remove(recording);
  // The two are the same movement: nothing can tell them.
  for (const activity of ["standing", "sitting"]) await lessons.add(activity, moved(0));
  assert.equal((await lessons.learn())!.share, 0);
  assert.equal(lessons.file, file);
  assert.equal((await open()).file, file);
});

test("pages that are open at once add to each other's recordings", async () => {
  const [one, two] = [await open(), await open()];
  await one.add("walking", moved(11));
  await two.add("standing", moved(0));
  await until(() => [one, two].every((each) => activities(each).length === 2));
  assert.deepEqual([activities(one), activities(two), activities(await open())].map((all) => all.sort()), Array(3).fill(["standing", "walking"]));
});

test("what one page forgets, another one does not bring back", async () => {
  const [one, two] = [await open(), await open()];
  await two.add("walking", moved(11));
  await until(() => activities(one).length === 1);
  await one.reset();
  await until(() => activities(two).length === 0);
  await two.add("standing", moved(0));
  assert.deepEqual(activities(await open()), ["standing"]);
});

/** A worker of the browser, which answers at once; returns what slows it down, which returns what lets it go on. */
function worker(): () => () => void {
  let free = Promise.resolve();
  class Worker extends EventTarget {
    private answers!: ReturnType<typeof answerer>;

    async postMessage({ asked, number, file }: { asked: Asked<"features">; number: number; file: Uint8Array | null }): Promise<void> {
      if (file) this.answers = answerer(file);
      await free;
      this.dispatchEvent(new MessageEvent("message", { data: { number, answer: this.answers(asked) } }));
    }
  }
  Object.assign(globalThis, { Worker });
  return () => {
    let go!: () => void;
    free = new Promise((done) => (go = done));
    return go;
  };
}

/** A page that has something to learn, and has learned before. */
async function learned() {
  const lessons = await open();
  for (const [activity, rate] of [["swimming", 3], ["standing", 0]] as const) await lessons.add(activity, moved(rate));
  assert.ok((await lessons.learn())!.share > 0);
  await lessons.add("rowing", moved(5));
  return lessons;
}

test("what is forgotten, deleted or replaced while it learns stays so, and nothing of the lesson is kept", async () => {
  const changes: ((lessons: Lessons) => Promise<unknown>)[] = [
    (lessons) => lessons.reset(), (lessons) => lessons.remove(lessons.recordings[0]!), (lessons) => lessons.adopt(elsewhere()),
  ];
  for (const change of changes) {
    for (const elsewhere of [false, true]) {
      anew();
      const slow = worker();
      const lessons = await learned();
      const another = elsewhere ? await open() : lessons;
      const go = slow();
      const learning = lessons.learn();
      await change(another);
      const then = [another.file, activities(another)];
      go();
      assert.equal(await learning, null);
      for (const each of [lessons, await open()]) assert.deepEqual([each.file, activities(each)], then);
    }
  }
});

test("a recording that another page adds while it learns is kept, and learned the next time", async () => {
  const slow = worker();
  const [lessons, another] = [await learned(), await open()];
  const go = slow();
  const learning = lessons.learn();
  await another.add("climbing", moved(7));
  await until(() => activities(lessons).length === 4);
  go();
  assert.ok(!(await learning)!.classes.includes("climbing"));
  assert.ok((await lessons.learn())!.classes.includes("climbing"));
});

test("what the network has read it does not read again where another page changes something", async () => {
  const [lessons, another] = [await learned(), await open()];
  await lessons.prepare();
  await another.remove(another.recordings[0]!);
  await until(() => activities(lessons).length === 2);
  assert.equal(await lessons.prepare(), false);
});

test("a recording that was removed is restored to its place", async () => {
  const lessons = await open();
  for (const activity of ["walking", "standing"]) {
    await lessons.add(activity, moved(11));
    await new Promise((done) => setTimeout(done, 4));
  }
  const restore = await lessons.remove(lessons.recordings[0]!);
  assert.deepEqual(activities(lessons), ["standing"]);
  await restore();
  assert.deepEqual(activities(await open()), ["walking", "standing"]);
});

test("where there is no room, that is said, and the page goes on with what it has", async () => {
  const lessons = await open();
  await lessons.add("rowing", moved(3));
  Database.full = true;
  assert.equal(await lessons.add("standing", moved(0)), false);
  const { share, stored } = (await lessons.learn())!;
  assert.deepEqual([share > 0, stored], [true, false]);
  assert.ok(lessons.recognizer.metadata.classes.includes("rowing"));
  Database.full = false;
  assert.deepEqual(activities(await open()), ["rowing"]);
});

test("what is stored and damaged is not used, and nothing else is lost by it", async () => {
  const good = elsewhere();
  const bad: unknown[] = [
    { ...good, classes: null }, { ...good, classes: [...classes, ""] }, { ...good, classes: [...classes, "Walking"] },
    { ...good, classes: [...classes, "\ud83d"] }, { ...good, classes: ["a", ...classes.slice(1), "rowing"] }, { ...good, kernel: [[]] },
    { ...good, bias: good.bias.map(() => null) }, { ...good, weights_sha256: "0" }, 3,
  ];
  for (const learned of bad) {
    anew();
    const table = await openKept(() => {});
    await new Lessons(untaught, table).add("walking", moved(11));
    const row = { kind: "recording", reads: READS, activity: "walking" } as const;
    await table.write([
      { id: `learned ${weights_sha256.slice(0, 16)}`, kind: "learned", taken: null, learned: learned as never },
      { id: "recording 1", ...row, rows: null as never }, { id: "recording 2", ...row, rows: [[0, NaN, 0]] },
      { id: "recording 3", ...row, rows: [[0, 1]] }, { id: "recording 4", ...row, rows: [[0, 9.8, 0]], activity: " " },
    ]);
    const lessons = await open();
    assert.equal(lessons.recognizer, untaught);
    assert.deepEqual([lessons.damaged, lessons.file, activities(lessons)], [true, null, ["walking"]], JSON.stringify(learned));
  }
});

/** As version 0.3 kept it. */
function old() {
  const recordings = [{ activity: "Walking", rows: moved(11).map(({ value }) => value) }, { activity: "rowing", rows: moved(3).map(({ value }) => value) }];
  texts.set(`pocket-zoo-recordings-${READS}`, JSON.stringify(recordings));
  texts.set(`pocket-zoo-learned-${weights_sha256.slice(0, 16)}`, JSON.stringify(elsewhere()));
  texts.set("pocket-zoo-ears", "speak");
}

test("what an earlier version kept is moved once, in its order, and spelled as the model does", async () => {
  old();
  for (const lessons of [await open(), await open()]) {
    assert.deepEqual(activities(lessons), ["walking", "rowing"]);
    assert.deepEqual(lessons.recognizer.metadata.classes, [...classes, "rowing"]);
  }
  assert.deepEqual([...texts.keys()], ["pocket-zoo-ears"]);
});

test("without a database memory serves, and what an earlier version kept stays where it is until it is forgotten", async () => {
  old();
  Database.refused = true;
  const lessons = await open();
  assert.deepEqual(activities(lessons), ["walking", "rowing"]);
  assert.equal(await lessons.add("standing", moved(0)), false);
  assert.equal(lessons.recordings.length, 3);
  assert.equal(texts.size, 3);
  await lessons.reset();
  assert.deepEqual([activities(await open()), [...texts.keys()]], [[], ["pocket-zoo-ears"]]);
});

test("what other models read is kept for them, and read by none else", async () => {
  const table = await openKept(() => {});
  await table.write([{ id: "recording 1", kind: "recording", reads: "100-g-ios-x-y-z", activity: "walking", rows: [[0, 1, 0]] }]);
  const lessons = new Lessons(untaught, table);
  assert.deepEqual(activities(lessons), []);
  assert.equal(table.rows.size, 1);
});

test("what is called as all that is not recognized teaches nothing, but for a name that could be typed once", async () => {
  const table = await openKept(() => {});
  const row = (activity: string) => ({ kind: "recording" as const, id: `recording ${activity}`, reads: READS, activity, rows: [[0, 9.8, 0]] });
  await table.write(["Other", "Something else"].map(row));
  assert.deepEqual(activities(await open()), ["something else"]);
});
