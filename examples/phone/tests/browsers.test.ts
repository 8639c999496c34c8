/** The pages start in Safari 15.4, the oldest that they are written for: what came later ends them, or fails when it is called. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

/** What TypeScript lets pass; newer methods of arrays, maps, promises and texts are none of its library of 2022. */
const NEWER = [
  /\(\?<[=!]/, /\bstatic \{/, /AbortSignal\.(timeout|any)\(/, /\bOffscreenCanvas\b/, /\b(Response\.json|URL\.(canParse|parse))\(/,
  /\b(Float16Array|[gs]etFloat16|f16round|(Dec|C)ompressionStream|userActivation|startViewTransition|requestIdleCallback)\b/,
  /\.(roundRect|createConicGradient|checkVisibility|showPicker|showPopover|setHTMLUnsafe)\(/,
];

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts")).map((name) => `src/${name}`);
const sources = [...files, "node_modules/uqr/dist/index.mjs"].map((file) => [file, readFileSync(file, "utf8")] as const);

test("no source of a page has what browsers learned after Safari 15.4", () => {
  assert.ok(files.length > 70);
  for (const [file, text] of sources) for (const newer of NEWER) assert.doesNotMatch(text, newer, file);
});

test("what is built is written for it, and TypeScript knows no later library", () => {
  assert.match(readFileSync("vite.config.ts", "utf8"), /target: \["safari15\.4"/);
  assert.match(readFileSync("tsconfig.json", "utf8"), /"lib": \["ES2022", "DOM"/);
});

test("one clock has the time, but for that of a run of the network", () => {
  const own = sources.filter(([, text]) => text.includes("performance.now()")).map(([file]) => file);
  assert.deepEqual(own.sort(), ["src/model/recognizer.ts", "src/page/clock.ts"]);
});
