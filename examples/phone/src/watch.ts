/**
 * Checks whether the signal can be a phone's, as `zoo.runtime.streaming` does, and explains problems to its owner.
 *
 * An axis that does not move is no problem here: browsers round to 0.1 m/s^2, and a phone on a table reads the same.
 */

import { inUnit, STANDARD_GRAVITY, type Metadata } from "./metadata";
import type { Sample } from "./motion";

/** Seconds of samples that are checked. */
const WATCHED = 2;

/** Seconds without a sample after which the sensor counts as silent. */
const SILENCE = 3;

/**
 * The problem with the last seconds, or null.
 *
 * @param silence Seconds since the last sample arrived.
 */
export function complaint(samples: Sample[], silence: number, metadata: Metadata): string | null {
  if (silence > SILENCE) return "The sensor has stopped sending: reload the page.";
  const last = samples.at(-1)?.time ?? 0;
  const recent = samples.filter(({ time }) => time > last - WATCHED);
  const span = last - (recent[0]?.time ?? last);
  if (span < WATCHED / 2) return null;
  if (new Set(recent.map(({ time }) => time)).size < recent.length / 2) {
    return "The sensor's time stamps repeat: expected one a sample, in fractions of a second.";
  }
  const rate = (recent.length - 1) / span;
  if (rate < metadata.rate / 1.25) {
    return `Too slow: the sensor sends ${rate.toFixed(0)} samples a second, the model was trained on ${metadata.rate}. Switch energy saving off.`;
  }
  const magnitude = recent.reduce((sum, { value }) => sum + Math.hypot(...value.slice(0, 3)), 0) / recent.length;
  const gravity = inUnit(STANDARD_GRAVITY, metadata);
  if (magnitude < 0.5 * gravity || magnitude > 2.5 * gravity) {
    return `The sensor reads ${magnitude.toFixed(1)} ${metadata.unit} on average; expected about ${gravity.toFixed(1)}.`;
  }
  const mean = [0, 1, 2].map((axis) => recent.reduce((sum, { value }) => sum + value[axis]!, 0) / recent.length);
  if (Math.hypot(...mean) < 0.2 * gravity) {
    return `The sensor leaves gravity out: mean acceleration ${Math.hypot(...mean).toFixed(1)} ${metadata.unit}; expected about ${gravity.toFixed(1)}.`;
  }
  return null;
}
