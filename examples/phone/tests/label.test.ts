/** The page of zoo label: which key does what, what is shown, and where the next question is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  acceptText, around, clockText, type Day, details, edgeAt, following, headline, isUnread, lengthText, moved, type Recording, type Stretch, stretchAt,
  ticks, toChange, toDo, undecided, zoomed,
} from "../src/label/day";
import { commandOf, type Key } from "../src/label/keys";
import { envelopeOf, marksOf, partsOf } from "../src/label/signal";

function stretch(start: number, end: number, facts: Partial<Stretch> = {}): Stretch {
  return { start, end, guess: "walking", confidence: 0.8, note: "", label: null, sure: false, contradicts: false, disputed: false, ...facts };
}

function day(stretches: Stretch[], queue: number[]): Day {
  return { version: 1, subject: "ann", words: [], state: "", missing: 0, undo: false, threshold: 0.6, stretches, whole: [], queue };
}

function key(pressed: Partial<Key>): Key {
  return { key: "", code: "", shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, altGraph: false, ...pressed };
}

test("digits are known by their place, whatever the keyboard writes there", () => {
  for (const pressed of [{ key: "1", code: "Digit1" }, { key: "&", code: "Digit1" }, { key: "1", code: "Numpad1" }]) {
    assert.deepEqual(commandOf(key(pressed), true), { name: "label", number: 0 });
  }
  assert.deepEqual(commandOf(key({ key: "0", code: "Digit0" }), true), { name: "leave" });
});

test("edges move by a second, and with Shift by a tenth, also by brackets that need AltGr", () => {
  assert.deepEqual(commandOf(key({ key: ",", code: "Comma" }), true), { name: "edge", by: -1 });
  assert.deepEqual(commandOf(key({ key: ":", code: "Period", shiftKey: true }), true), { name: "edge", by: 0.1 });
  const bracket = { key: "]", code: "Digit9", ctrlKey: true, altKey: true, altGraph: true };
  assert.deepEqual(commandOf(key(bracket), true), { name: "edge", by: 1 });
});

test("keys that write nothing work without those of one letter", () => {
  for (const pressed of ["a", "c", "k", "n", "s", "z", "+", "1", ","]) {
    assert.equal(commandOf(key({ key: pressed, code: pressed === "1" ? "Digit1" : "" }), false), null);
  }
  assert.deepEqual(commandOf(key({ key: "Enter" }), false), { name: "accept" });
  assert.deepEqual(commandOf(key({ key: "Enter", shiftKey: true }), false), { name: "accept_all" });
  assert.deepEqual(commandOf(key({ key: "ArrowLeft" }), false), { name: "previous" });
});

test("what belongs to the browser or to a screen reader is left to it", () => {
  for (const held of ["ctrlKey", "altKey", "metaKey"] as const) {
    assert.equal(commandOf(key({ key: "s", [held]: true }), true), null);
    assert.equal(commandOf(key({ key: "ArrowRight", [held]: true }), true), null);
  }
});

test("after an answer comes the rest of what was divided, the next question, or the next stretch without a label", () => {
  const stretches = [stretch(0, 10), stretch(10, 20), stretch(20, 30)];
  const decided = stretches.map((each, i) => (i === 0 ? { ...each, label: "walking" } : each));
  assert.equal(following(day(stretches, [0, 2]), day(decided, [2]), 0), 2);
  assert.equal(following(day(stretches, [2]), day(decided, [2]), 0), 1);
  assert.equal(following(day(stretches, [0, 2]), day(decided, [2]), 0, true), 1);
  const last = stretches.map((each, i) => (i === 2 ? { ...each, label: "walking" } : each));
  assert.equal(following(day(stretches, [2]), day(last, []), 2), 0);
  const all = stretches.map((each) => ({ ...each, label: "" }));
  assert.equal(following(day(stretches, []), day(all, []), 2), 2);
});

test("an end moves to the nearest other change of the model, over a stretch without a label, and over no label", () => {
  const noted = [stretch(0, 100), stretch(100, 110), stretch(110, 200)];
  const at = (changes: number[], stretches = noted) => toChange({ ...day(stretches, []), whole: changes.map((start) => stretch(start, start)) }, 0);
  assert.deepEqual(commandOf(key({ key: "c" }), true), { name: "change" });
  assert.deepEqual(at([0, 60, 100, 107.5, 150]), { do: "edge", at: 0, by: 7.5 });
  assert.deepEqual(at([0, 93, 110]), { do: "edge", at: 0, by: -7 });
  assert.deepEqual(at([0, 110]), { do: "join", at: 0 });
  const labeled = noted.map((each, i) => (i === 1 ? { ...each, label: "sitting" } : each));
  assert.equal(at([0, 100, 110], labeled), null);
  assert.equal(at([0, 105], [stretch(0, 100), stretch(101, 110)]), null);
});

test("an end moves over no other note, and then to the nearest change within the two stretches", () => {
  const noted = [stretch(0, 100, { note: "walking" }), stretch(100, 110, { note: "sitting" }), stretch(110, 200)];
  const at = (changes: number[]) => toChange({ ...day(noted, []), whole: changes.map((start) => stretch(start, start)) }, 0);
  assert.deepEqual(at([0, 60, 110]), { do: "edge", at: 0, by: -40 });
  assert.equal(at([0, 110]), null);
});

test("nothing is read where the model has proposed nothing yet, until it has read all or cannot", () => {
  const found: Day = { ...day([stretch(0, 100)], []), state: "reading recording 1 of 1", whole: [stretch(0, 40), stretch(40, 100, { guess: "" })] };
  assert.deepEqual([[0, 40], [30, 50], [60, 70]].map(([start, end]) => isUnread(found, { start: start!, end: end! })), [false, true, true]);
  for (const state of ["", "no proposals: no such model"]) assert.equal(isUnread({ ...found, state }, { start: 60, end: 70 }), false);
});

test("the button says what Enter will do", () => {
  assert.equal(acceptText(stretch(0, 9)), "Take walking");
  assert.equal(acceptText(stretch(0, 9, { note: "bike" })), "Take bike");
  assert.equal(acceptText(stretch(0, 9, { label: "walking" })), "Keep walking");
  assert.equal(acceptText(stretch(0, 9, { label: "sitting", disputed: true })), "Take walking");
  assert.equal(acceptText(stretch(0, 9, { guess: "" })), "Accept");
});

test("an edge is taken near it, and none at a gap", () => {
  const stretches = [stretch(0, 10), stretch(10, 20), stretch(25, 30)];
  assert.deepEqual([9.5, 10.4, 14, 20].map((moment) => edgeAt(stretches, moment, 0.5)), [0, 0, null, null]);
});

test("the list counts what has no label, also what the model is sure of, and comes to it", () => {
  const three = [stretch(0, 10, { label: "walking" }), stretch(10, 30, { sure: true }), stretch(30, 40)];
  assert.deepEqual(undecided(day(three, [2])), [2, 1]);
  assert.equal(toDo(day(three, [2]), 8), "1 to check, 1 sure · 75% has no label");
  assert.equal(toDo(day(three, [2]), 1), "First 1 of 2: 1 to check, 1 sure · 75% has no label");
  assert.equal(toDo(day([stretch(0, 10), stretch(10, 20)], [0, 1]), 1), "First 1 of 2 to check · 100% has no label");
  const decided = three.map((each) => ({ ...each, label: "walking" }));
  assert.equal(toDo(day(decided, []), 8), "All decided");
  assert.equal(toDo(day(decided.map((each) => ({ ...each, disputed: true })), [0]), 8), "1 to check");
});

/** A recording of 50 Hz, whose parts begin at some seconds, and its rows in cm/s^2. */
function recorded(parts: [number, [number, number, number][]][]): [Recording, ArrayBuffer] {
  const shapes = parts.map(([start, rows]): [number, number, number] => [start, 50, rows.length]);
  const facts = { file: "", subject: "ann", line: "", date: "", clock: null, seconds: 0, doubtful: null, parts: shapes };
  return [facts, new Int16Array(parts.flatMap(([, rows]) => rows).flat()).buffer];
}

test("an envelope holds all samples at any scale, and nothing in a gap", () => {
  const wave = (i: number): [number, number, number] => [Math.round(900 * Math.sin(i / 7)), i % 50, i === 777 ? 5000 : 981];
  const rows = Array.from({ length: 4000 }, (_, i) => wave(i));
  const parts = partsOf(...recorded([[0, rows.slice(0, 2000)], [45, rows.slice(2000)]]));
  for (const [start, end, columns] of [[0, 85, 45], [10, 11, 50], [2, 30, 7], [0, 85, 3]] as const) {
    const found = envelopeOf(parts, { start, end }, columns).columns;
    rows.forEach((row, i) => {
      const moment = i < 2000 ? i / 50 : 5 + i / 50;
      const column = Math.floor(((moment - start) * columns) / (end - start) + 1e-9);
      if (column < 0 || column >= columns) return;
      // A sample before an edge may be in the next column.
      const near = found.slice(column, column + 2).filter((each) => each !== null);
      row.forEach((value, axis) => {
        assert.ok(Math.min(...near.map((each) => each[axis]!)) <= value && Math.max(...near.map((each) => each[axis + 4]!)) >= value);
      });
      assert.ok(Math.max(...near.map((each) => each[7]!)) >= Math.floor(Math.hypot(...row)));
    });
  }
  assert.deepEqual(envelopeOf(parts, { start: 41, end: 44 }, 3).columns, [null, null, null]);
});

test("rest for long and changes of pose are marked, also beside a gap", () => {
  const poses = [[0, 0, 981], [0, 981, 0], [981, 0, 0]] as const;
  const still = poses.map(([x, y, z]) => Array.from({ length: 3000 }, (_, i): [number, number, number] => [x + (i % 3), y - (i % 2), z + (i % 5)]));
  const shaken = Array.from({ length: 3000 }, (_, i): [number, number, number] => [450 + 300 * (i % 2), 500, 100 * (i % 3)]);
  const rows = [...still[0]!, ...shaken, ...still[1]!, ...still[2]!];
  const { rests, turns } = marksOf(partsOf(...recorded([[0, rows.slice(0, 1000)], [25, rows.slice(1250)]])));
  const near = (found: number[], wanted: number[]) => found.length === wanted.length && found.every((each, i) => Math.abs(each - wanted[i]!) <= 2);
  assert.ok(near(rests.flat(), [0, 20, 25, 60, 120, 240]), JSON.stringify(rests));
  assert.ok(near(turns, [60, 120, 180]), JSON.stringify(turns));
});

test("a view stays within the recording, and the moment under the cursor stays where it is", () => {
  assert.deepEqual(around(stretch(10, 20), 100), { start: 0, end: 40 });
  assert.deepEqual(zoomed({ start: 0, end: 100 }, 0.5, 80, 100), { start: 40, end: 90 });
  assert.deepEqual(zoomed({ start: 0, end: 40 }, 0.5, 60, 100), { start: 50, end: 70 });
  assert.deepEqual(zoomed({ start: 40, end: 60 }, 1000, 50, 100), { start: 0, end: 100 });
  assert.deepEqual(moved({ start: 60, end: 100 }, 0.8, 100), { start: 60, end: 100 });
});

test("a moment in a gap belongs to the stretch after it", () => {
  const stretches = [stretch(0, 10), stretch(15, 20)];
  assert.deepEqual([5, 12, 17, 99].map((moment) => stretchAt(stretches, moment)), [0, 1, 1, 1]);
});

test("a ruler has round times of day, and as many as fit", () => {
  const shown = ticks({ start: 100, end: 700 }, 900, 8 * 3600 + 40);
  assert.deepEqual(shown.map(({ text }) => text).slice(0, 3), ["8:03", "8:04", "8:05"]);
  assert.ok(shown.length <= 10);
  assert.equal(shown[0]!.moment, 140);
  assert.deepEqual(ticks({ start: 0, end: 3 }, 400, null).map(({ text }) => text), ["0:00:00", "0:00:01", "0:00:02", "0:00:03"]);
});

test("times and lengths are in words, past midnight as well", () => {
  assert.equal(clockText(3600, 23.5 * 3600), "0:30:00");
  assert.deepEqual([12.4, 60, 95, 3700].map(lengthText), ["12 s", "1 min", "1 min 35 s", "1 h 1 min"]);
});

test("a headline asks what is not decided, and doubts what the model is not sure of", () => {
  assert.equal(headline(stretch(0, 9), 0.6), "Walking?");
  assert.equal(headline(stretch(0, 9, { confidence: 0.5 }), 0.6), "Perhaps walking?");
  assert.equal(headline(stretch(0, 9, { note: "bike", confidence: 0.5 }), 0.6), "Bike?");
  assert.equal(headline(stretch(0, 9, { guess: "", confidence: 0 }), 0.6), "What was this?");
  assert.equal(headline(stretch(0, 9, { label: "rowing" }), 0.6), "Rowing");
  assert.equal(headline(stretch(0, 9, { label: "" }), 0.6), "Left out");
  assert.equal(headline(stretch(0, 9, { label: "sitting", disputed: true }), 0.6), "Check: yours says sitting");
  assert.equal(details(stretch(0, 9, { label: "sitting", disputed: true }), 0), "0:00:00 to 0:00:09 · 9 s · without it, the model says walking, 80%");
  // The last note holds by far longest: its author may have stopped to take notes.
  const late = stretch(500, 900, { note: "bike" });
  assert.deepEqual([400, 900, null].map((doubtful) => headline(late, 0.6, doubtful)), ["Still bike?", "Bike?", "Bike?"]);
  assert.match(details(late, 0, 400), /noted: bike, your last note, which may have ended earlier · the model says walking, 80%/);
  assert.equal(details(stretch(0, 9, { note: "bike" }), 0), "0:00:00 to 0:00:09 · 9 s · noted: bike · the model says walking, 80%");
});
