/** A model that was chosen is remembered once it runs. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { page, texts } from "./browser";
import { onModel } from "../src/page/settings";

test("a choice that fails is not remembered: the next visit opens the model that ran", async () => {
  const [models, file] = ["models", "file"].map(() => Object.assign(new EventTarget(), { value: "" })) as [EventTarget & { value: string }, EventTarget];
  mock.method(page, "getElementById", (id: string) => ({ models, file })[id as "file"] as never);
  let opens!: (source: string) => void;
  onModel(() => new Promise((done) => (opens = done)));
  const remembered: unknown[] = [];
  for (const [value, runs] of [["one.tflite", "one.tflite"], ["gone.tflite", "one.tflite"], ["two.tflite", "two.tflite"]] as const) {
    models.value = value;
    models.dispatchEvent(new Event("change"));
    remembered.push(texts.get("pocket-zoo-model"));
    opens(runs);
    await null;
    await null;
  }
  remembered.push(texts.get("pocket-zoo-model"));
  assert.deepEqual(remembered, [undefined, "one.tflite", "one.tflite", "two.tflite"]);
});
