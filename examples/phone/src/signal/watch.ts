/**
 * Checks whether the signal can be a phone's, as `zoo.runtime.streaming` does, and explains problems to its owner.
 *
 * An axis that does not move is no problem here: browsers round to 0.1 m/s^2, and a phone on a table reads the same.
 */

import { inUnit, STANDARD_GRAVITY, type Metadata } from "../model/metadata";
import { now } from "../page/clock";
import { type Faults, GRAVITY_LEFT, MOST } from "./faults";
import type { Sample } from "./motion";

/** Milliseconds without a sample after which nothing is claimed. */
const SILENCE = 1000;

/** Calls back when samples stop arriving. */
export class Silence {
  /** Whether no sample has arrived for a while. */
  silent = false;
  /** Milliseconds, on the clock of the page: when the last sample arrived. */
  last = NaN;
  private time = NaN;
  private timer = 0;

  constructor(private readonly begun: () => void) {}

  /**
   * Notes a sample.
   *
   * @param time Its time stamp in seconds.
   * @returns Seconds that were missed before it.
   */
  heard(time: number): number {
    const heard = now();
    const waited = heard - this.last;
    // Where the page was frozen, the first sample may come before the timer. A page that was merely busy gets all samples.
    const frozen = waited > SILENCE && time - this.time > SILENCE / 1000;
    const missed = this.silent || frozen ? waited / 1000 : 0;
    [this.last, this.time] = [heard, time];
    this.silent = false;
    this.timer ||= setTimeout(this.check, SILENCE) as unknown as number;
    return missed;
  }

  /** Stops watching until the next sample. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    this.time = NaN;
  }

  // One timer watches many samples: it looks again when the last of them will be old.
  private check = (): void => {
    const left = SILENCE - (now() - this.last);
    this.timer = left > 0 ? (setTimeout(this.check, left) as unknown as number) : 0;
    if (this.timer) return;
    this.silent = true;
    this.begun();
  };
}

/** Seconds of samples that are checked. */
const WATCHED = 2;

/** A problem with the signal, in few words and in a sentence. */
export interface Complaint {
  title: string;
  text: string;
}

/** Samples of the last seconds. Called ten times a second, it looks at no others. */
export function lately(samples: Sample[], seconds: number): Sample[] {
  const last = samples.at(-1)?.time ?? 0;
  let start = samples.length;
  while (start > 0 && samples[start - 1]!.time > last - seconds) start -= 1;
  return samples.slice(start);
}

/**
 * The problem with the last seconds, or null.
 *
 * @param judged What was made of these samples.
 * @param limited Whether nobody moves as strongly as jumping does. What its owner teaches may.
 */
export function complaint(
  samples: Sample[], { fault, means }: Pick<Faults, "fault" | "means">, metadata: Pick<Metadata, "rate" | "unit">, limited = true,
): Complaint | null {
  const recent = lately(samples, WATCHED);
  const span = (recent.at(-1)?.time ?? 0) - (recent[0]?.time ?? 0);
  if (span < WATCHED / 2) return null;
  if (new Set(recent.map(({ time }) => time)).size < recent.length / 2) {
    return { title: "Sensor clock stands still", text: "Time stamps repeat: expected one per sample, in fractions of a second." };
  }
  const rate = (recent.length - 1) / span;
  if (rate < metadata.rate / 1.25) {
    return {
      title: "Sensor too slow",
      text: `${rate.toFixed(0)} samples per second; the model was trained on ${metadata.rate}. Turn off power saving.`,
    };
  }
  const [x, y, z, magnitude] = means as [number, number, number, number];
  if (fault !== "no signal" || (!limited && magnitude >= MOST)) return null;
  const steady = Math.hypot(x, y, z);
  const words = (found: number) => `${inUnit(found, metadata).toFixed(1)} ${metadata.unit.replace("^2", "²")}`;
  const expected = `expected about ${words(STANDARD_GRAVITY)}`;
  return steady < GRAVITY_LEFT
    ? { title: "Gravity is missing", text: `Acceleration is ${words(steady)} on average; ${expected}, gravity included.` }
    : { title: "Sensor out of range", text: `Acceleration is ${words(magnitude)} on average; ${expected}.` };
}
