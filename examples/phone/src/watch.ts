/**
 * Notices what a phone's signal cannot be, as `zoo.runtime.streaming` does, and says it in words for its owner.
 *
 * An axis that stands still is no sign here: browsers round to a tenth of m/s^2, and a phone on a table feels the same.
 */

import type { Metadata } from "./metadata";
import type { Sample } from "./motion";

/** Seconds of samples that are looked at. */
const WATCHED = 2;

/** Seconds without a sample after which the sensor is called silent. */
const SILENCE = 3;

/**
 * What is wrong with the last seconds, or null.
 *
 * @param silence Seconds since the last sample came.
 */
export function complaint(samples: Sample[], silence: number, metadata: Metadata): string | null {
  if (silence > SILENCE) return "The sensor has fallen silent: start the page again.";
  const last = samples.at(-1)?.time ?? 0;
  const recent = samples.filter(({ time }) => time > last - WATCHED);
  const span = last - (recent[0]?.time ?? last);
  if (span < WATCHED / 2) return null;
  const rate = (recent.length - 1) / span;
  if (rate < metadata.rate / 1.25) {
    return `Too slow: the sensor sends ${rate.toFixed(0)} samples a second, the model was trained on ${metadata.rate}. Switch energy saving off.`;
  }
  const magnitude = recent.reduce((sum, { value }) => sum + Math.hypot(...value), 0) / recent.length;
  const gravity = metadata.unit === "g" ? 1 : 9.8;
  if (magnitude < 0.5 * gravity || magnitude > 2.5 * gravity) {
    return `The sensor feels ${magnitude.toFixed(1)} ${metadata.unit} on average; expected about ${gravity}.`;
  }
  return null;
}
