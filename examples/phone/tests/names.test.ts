/** One spelling for one activity, and no name that cannot be shown, said or sent. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isName, named } from "../src/learn/names";
import { looks } from "../src/show/activities";
import { capital } from "../src/show/text";

const KNOWN = ["standing", "walking", "Élan"];

test("a name is spelled as it is known, whatever its capitals, blanks and accents", () => {
  const cases = [["Standing", "standing"], ["  walking ", "walking"], ["e\u0301lan", "Élan"], ["Bike   ride", "Bike ride"], ["ходьба", "ходьба"]];
  for (const [typed, name] of cases) assert.deepEqual(named(typed!, KNOWN), { name, why: null });
});

test("what is no name is refused with a reason", () => {
  const cases: [string, RegExp][] = [
    ["", /Type a word/], [" \u00a0\t", /Type a word/], ["x".repeat(41), /40 characters/], ["bike, uphill", /commas/],
    ["\ud83d", /cannot be written/], ["a\u0000b", /cannot be written/], ["Other", /^"other" stands for/],
    [" other", /^"other" stands for/], ["OTHER", /^"other" stands for/], ["Something  else", /^"something else" stands for/],
  ];
  for (const [typed, why] of cases) assert.match(named(typed, KNOWN).why!, why, JSON.stringify(typed));
  // Where it stands for nothing else it is a name.
  assert.equal(named("Other", ["other"]).name, "other");
  assert.equal(named("others", KNOWN).name, "others");
});

test("what is stored is checked as what is typed", () => {
  for (const bad of [1, null, "", " ", "\udc00", "x".repeat(41)]) assert.equal(isName(bad), false, JSON.stringify(bad));
  assert.ok(isName("🚣 rowing"));
});

test("a name of any kind has a capital", () => {
  assert.deepEqual(["", "walking", "🚣 rowing", "élan"].map(capital), ["", "Walking", "🚣 rowing", "Élan"]);
});

test("the look of an activity follows from its words, and not from letters in them", () => {
  const cases: Record<string, string[]> = {
    downstairs: ["downstairs", "walking downstairs", "stairs_down", "going down"],
    upstairs: ["upstairs", "stairs", "climbing stairs"], jogging: ["jogging", "running", "fast_run"],
    walking: ["walking", "walk_slow", "hiking"], sitting: ["sitting", "sitting down"], standing: ["standing", "stand"],
    other: ["lying down", "push-ups", "sit ups", "standing up", "crunches", "visiting", "upper body", "rowing"],
  };
  for (const [figure, names] of Object.entries(cases)) {
    for (const name of names) {
      const [look] = looks([name]);
      assert.deepEqual([look!.figure, look!.gait], [figure, ["downstairs", "upstairs", "jogging", "walking"].includes(figure)], name);
    }
  }
});
