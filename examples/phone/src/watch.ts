/**
 * Checks whether the signal can be a phone's, as `zoo.runtime.streaming` does, and explains problems to its owner.
 *
 * An axis that does not move is no problem here: browsers round to 0.1 m/s^2, and a phone on a table reads the same.
 */

import { inUnit, STANDARD_GRAVITY, type Metadata } from "./metadata";
import type { Sample } from "./motion";

/** Milliseconds without a sample after which nothing is claimed. */
const SILENCE = 1000;

/** Calls back when samples stop arriving. */
export class Silence {
  /** Whether no sample has arrived for a while. */
  silent = false;
  /** Milliseconds, on the clock of the page: when the last sample arrived. */
  last = NaN;
  private timer = 0;

  constructor(private readonly begun: () => void) {}

  /** Notes a sample. */
  heard(): void {
    this.last = performance.now();
    this.silent = false;
    this.timer ||= window.setTimeout(this.check, SILENCE);
  }

  /** Stops watching until the next sample. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = 0;
  }

  // One timer watches many samples: it looks again when the last of them will be old.
  private check = (): void => {
    const left = SILENCE - (performance.now() - this.last);
    this.timer = left > 0 ? window.setTimeout(this.check, left) : 0;
    if (this.timer) return;
    this.silent = true;
    this.begun();
  };
}

/** Seconds of samples that are checked. */
const WATCHED = 2;

/** The problem with the last seconds, or null. */
export function complaint(samples: Sample[], metadata: Pick<Metadata, "rate" | "unit">): string | null {
  const last = samples.at(-1)?.time ?? 0;
  const recent = samples.filter(({ time }) => time > last - WATCHED);
  const span = last - (recent[0]?.time ?? last);
  if (span < WATCHED / 2) return null;
  if (new Set(recent.map(({ time }) => time)).size < recent.length / 2) {
    return "The sensor's time stamps repeat: expected one per sample, in fractions of a second.";
  }
  const rate = (recent.length - 1) / span;
  if (rate < metadata.rate / 1.25) {
    return `Too slow: ${rate.toFixed(0)} samples per second; the model was trained on ${metadata.rate}. Turn off power saving.`;
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
