/** Words of a text: what a language model reads, and what is still being typed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { complete, tokenize } from "../src/cards/words";

const WORDS = ["he", "is", "here", "not", ".", "her"];
const SHARES = [0.1, 0.2, 0.3, 0.05, 0.25, 0.1];

function completed(text: string) {
  const read: number[][] = [];
  const found = complete(text, WORDS, 3, 2, (numbers) => {
    read.push(numbers);
    return SHARES;
  });
  return { ...found, read, next: found.next.map(({ word }) => word) };
}

test("sentences are split as the trained text was", () => {
  assert.deepEqual(tokenize("It's Dr. Smith’s well-known play; I don't know ."), [
    "it", "'s", "dr.", "smith", "'s", "well-known", "play", ";", "i", "do", "nt", "know", ".",
  ]);
});

test("invisible characters are part of no word", () => {
  assert.deepEqual(tokenize("\ufeffhe\u00ad is\u200b he\u200dre\u2028now"), ["he", "is", "here", "now"]);
});

test("after whole words the most probable ones follow, in their order", () => {
  assert.deepEqual(completed("not he is here"), { context: ["he", "is", "here"], begun: "", unknown: [], read: [[0, 1, 2]], next: ["here", "."] });
});

test("a word that is being typed is completed with what begins like it", () => {
  const { begun, next, read } = completed("he is not hE");
  assert.deepEqual([begun, next, read], ["", ["here", "."], [[1, 3, 0]]]);
  assert.deepEqual(completed("he is not i").next, ["is"]);
  assert.deepEqual(completed("he is not z").next, []);
});

test("nothing is predicted from too few words, or from one that is not known", () => {
  assert.deepEqual(completed("he is ").read, []);
  assert.deepEqual(completed("he is away ").unknown, ["away"]);
  assert.deepEqual(completed("away he is here ").next, ["here", "."]);
});
