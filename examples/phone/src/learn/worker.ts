/** The worker of the page that teaches. */

import { answerer } from "./answers";

let answer: ReturnType<typeof answerer>;

// The first question brings the model.
addEventListener("message", ({ data: { file, number, asked } }: MessageEvent) => {
  answer ??= answerer(file);
  postMessage({ number, answer: answer(asked) });
});
