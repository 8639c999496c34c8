/** Notices what a phone's signal cannot be, as `zoo.runtime.streaming` does, and says it in words for its owner. */

import type { Metadata } from "./metadata";
import type { Sample } from "./motion";

/** Seconds of samples that are looked at. */
const WATCHED = 2;

/** What is wrong with the last seconds, or null. */
export function complaint(samples: Sample[], metadata: Metadata): string | null {
  const last = samples.at(-1)?.time ?? 0;
  const recent = samples.filter(({ time }) => time > last - WATCHED);
  const span = last - (recent[0]?.time ?? last);
  if (span < WATCHED / 2) return null;
  const rate = (recent.length - 1) / span;
  if (rate < metadata.rate / 1.25) {
    return `Too slow: the sensor sends ${rate.toFixed(0)} samples a second, the model was trained on ${metadata.rate}. Switch energy saving off.`;
  }
  const still = metadata.axes.filter((_, i) => recent.every(({ value }) => value[i] === recent[0]!.value[i]));
  if (still.length) return `The sensor stands still on ${still.join(", ")}: start the page again.`;
  const magnitude = recent.reduce((sum, { value }) => sum + Math.hypot(...value), 0) / recent.length;
  const gravity = metadata.unit === "g" ? 1 : 9.8;
  if (magnitude < 0.5 * gravity || magnitude > 2.5 * gravity) {
    return `The sensor feels ${magnitude.toFixed(1)} ${metadata.unit} on average; expected about ${gravity}.`;
  }
  return null;
}
