/** What was learned goes to another phone as a code, and nothing else comes in by one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Head } from "../src/model/graph";
import { extended, probabilities } from "../src/learn/learn";
import { parsed } from "../src/page/store";
import { checked, fromCode, headOf, LONGEST, taught, toCode, type Untaught } from "../src/learn/taught";

const CLASSES = ["downstairs", "jogging", "sitting", "standing", "upstairs", "walking"];

/** Numbers from -1 to 1, the same every time. */
function numbers(count: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => 2 * ((state = (state * 16807) % 2147483647) / 2147483647) - 1);
}

function model(features: number): Untaught {
  const head: Head = { kernel: numbers(features * CLASSES.length, 1), bias: numbers(CLASSES.length, 2) };
  return { head, metadata: { preset: "a_model", weights_sha256: "0123456789abcdef".repeat(4), classes: CLASSES } };
}

/** What a phone learned: no weight moved by more than half. */
function learned(untaught: Untaught, names: string[]) {
  const classes = [...CLASSES, ...names];
  const { kernel, bias } = extended(untaught.head!, classes.length);
  const moved = (known: Float64Array, seed: number) => numbers(known.length, seed).map((change, i) => known[i]! + change / 2);
  return taught(untaught, classes, { kernel: moved(kernel, 3), bias: moved(bias, 4) });
}

function sealed(text: string): string {
  let sum = 0x811c9dc5;
  for (const letter of text) sum = Math.imul(sum ^ letter.charCodeAt(0), 0x01000193);
  return `${text}/${(sum >>> 0).toString(36)}`;
}

test("a code gives the same activities, and probabilities to less than 0.001", () => {
  for (const [features, names] of [[32, ["rowing"]], [64, []], [64, ["a", "b", "c"]], [12, ["a/b,c", "50% <b>é</b>", "ボート"]]] as const) {
    const untaught = model(features);
    const original = learned(untaught, [...names]);
    const code = toCode(original, untaught)!;
    assert.match(code, /^[\w\-/.%,]+$/);
    assert.ok(code.length < LONGEST, `${code.length}`);
    const found = fromCode(code, untaught);
    assert.deepEqual({ ...found, kernel: 0, bias: 0 }, { ...original, kernel: 0, bias: 0 });
    assert.deepEqual(checked(found, untaught), found);
    for (let seed = 10; seed < 60; seed += 1) {
      const said = [original, found].map((each) => probabilities(headOf(each), numbers(features, seed), 0.7));
      said[0]!.forEach((probability, i) => assert.ok(Math.abs(probability - said[1]![i]!) < 1e-3));
    }
    // What came by a code goes on as a code.
    assert.deepEqual(fromCode(toCode(found, untaught)!, untaught).classes, found.classes);
  }
});

test("what changed nothing has a code as well", () => {
  const untaught = model(8);
  const same = taught(untaught, CLASSES, untaught.head!);
  assert.deepEqual(fromCode(toCode(same, untaught)!, untaught), same);
});

test("a last layer that does not continue the activities of the model has no code", () => {
  const untaught = model(8);
  const original = learned(untaught, ["rowing"]);
  for (const classes of [[...CLASSES].reverse(), [...CLASSES, "x".repeat(41)], [...CLASSES, "walking"], [...CLASSES, ""], [...CLASSES, "\ud83d"]]) {
    assert.equal(toCode({ ...original, classes }, untaught), null);
  }
});

test("a code with any character changed, missing or added is damaged", () => {
  const untaught = model(12);
  const code = toCode(learned(untaught, ["rowing"]), untaught)!;
  for (let i = 0; i < code.length; i += 1) {
    const changed = code[i] === "A" ? "B" : "A";
    for (const bad of [code.slice(0, i), code.slice(0, i) + code.slice(i + 1), code.slice(0, i) + changed + code.slice(i + 1)]) {
      assert.throws(() => fromCode(bad, untaught), /damaged/, bad);
    }
  }
  for (const bad of [`${code}0`, code + code, sealed("1".repeat(1e6)), "<b>1</b>", "%"]) assert.throws(() => fromCode(bad, untaught), /damaged/);
});

test("a whole code that says something else is refused", () => {
  const untaught = model(12);
  const fields = toCode(learned(untaught, ["rowing"]), untaught)!.split("/").slice(0, -1);
  const changed = (number: number, field: string) => sealed(fields.map((each, i) => (i === number ? field : each)).join("/"));
  assert.equal(changed(0, "1"), toCode(learned(untaught, ["rowing"]), untaught));
  assert.throws(() => fromCode(changed(0, "2"), untaught), /another version/);
  assert.throws(() => fromCode(changed(1, "f".repeat(16)), untaught), /other weights/);
  assert.throws(() => fromCode(sealed("1"), untaught), /other weights/);
  const names = ["", "walking", "rowing,rowing", "rowing,,", "%E0%A4%A", "x".repeat(41), "rowing,swimming"];
  for (const named of names) assert.throws(() => fromCode(changed(2, named), untaught), /damaged/, named);
  for (const step of ["", "0", "-1", "1e300", "NaN", "x"]) assert.throws(() => fromCode(changed(3, step), untaught), /damaged/, step);
  for (const digits of ["", fields[4]!.slice(2), `+${fields[4]!.slice(1)}`]) assert.throws(() => fromCode(changed(4, digits), untaught), /damaged/);
  assert.throws(() => fromCode(changed(0, "1"), { ...untaught, head: null }), /cannot teach/);
});

test("a file that is something else is refused", () => {
  const untaught = model(3);
  const original = learned(untaught, ["rowing"]);
  const changes: object[] = [{ schema: 2 }, { classes: "downstai" }, { classes: [1, 2, 3, 4, 5, 6, 7] }, { bias: "abcdefg" }, { kernel: 3 }, { kernel: [[]] }];
  for (const change of changes) assert.throws(() => checked({ ...original, ...change }, untaught), /is not what/, JSON.stringify(change));
  const classes = (names: unknown[]) => ({ ...original, classes: names });
  // Probabilities of them would be no numbers, or stand beside no name.
  for (const bad of ["", " ", "\ud83d", "x".repeat(41)]) assert.throws(() => checked(classes([...CLASSES, bad]), untaught), /is not what/, bad);
  const renamed = ["stairs", ...CLASSES.slice(1), "rowing"];
  for (const names of [renamed, [...CLASSES, "Walking"], [...CLASSES, "other"], [...CLASSES.slice(1), "rowing", "downstairs"]]) {
    assert.throws(() => checked(classes(names), untaught), /other activities/, names.join());
  }
  assert.throws(() => checked({ ...original, bias: original.bias.map(() => 1e300) }, untaught), /is not what/);
  for (const text of ["", "null", "[]", "{", "3", '"x"']) assert.throws(() => checked(parsed(text), untaught), /is not what/, text);
  assert.throws(() => checked({ ...original, weights_sha256: "0" }, untaught), /other weights \(a_model\)/);
});
