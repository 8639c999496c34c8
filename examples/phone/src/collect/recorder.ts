/** A labeled minute as the CSV file that `zoo data import csv` reads. */

import type { Sample } from "../signal/motion";
import { GAP } from "../signal/stream";
import { quoted } from "../signal/timeline";

/** Seconds of a recording, and of the shortest one that is kept. */
export const LENGTH = 60;
export const SHORTEST = 5;

/** How a recording ended. */
export type Ending = "full" | "stopped" | "cut" | "discarded";

export class Recorder {
  readonly samples: Sample[] = [];
  private broken = false;

  /** @param length Seconds after which it ends. */
  constructor(
    readonly subject: string, readonly activity: string, private readonly axes: string[], readonly length: number,
  ) {}

  /** Adds a sample. A recording is one stretch of signal: a gap ends it. */
  add(sample: Sample): void {
    if (this.done) return;
    const elapsed = sample.time - (this.samples.at(-1)?.time ?? -Infinity);
    if (this.samples.length && Math.abs(elapsed) > GAP) this.cut();
    else if (elapsed > 0) this.samples.push(sample);
  }

  /** Ends the recording where its signal ended. */
  cut(): void {
    this.broken ||= this.samples.length > 0;
  }

  get done(): boolean {
    return this.broken || this.seconds >= this.length;
  }

  /** Length of the recording so far. No two of its samples are further apart than a gap. */
  get seconds(): number {
    if (!this.samples.length) return 0;
    return Math.min(this.length, this.samples.at(-1)!.time - this.samples[0]!.time);
  }

  get ending(): Ending {
    if (this.seconds < SHORTEST) return "discarded";
    if (this.seconds >= this.length) return "full";
    return this.broken ? "cut" : "stopped";
  }

  csv(): string {
    const rows = this.samples.map(
      ({ time, value }) =>
        `${[time.toFixed(4), ...value.map((number) => number.toFixed(4))].join(",")},${quoted(this.subject)},${quoted(this.activity)}`,
    );
    return [`time,${this.axes.join(",")},subject,activity`, ...rows, ""].join("\n");
  }
}

/** A file name with the time of day. */
export function fileName(subject: string, type = "csv"): string {
  const stamp = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
  return forFile(`${subject}-${stamp}.${type}`);
}

/** A name that every system takes for a file. Letters of all scripts are kept. */
export function forFile(name: string): string {
  return name.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}_.-]/gu, "_");
}

/** Downloads a file. */
export function download(name: string, content: string | Blob, type = "text/csv"): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  // Some browsers read the address only after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Whether the system shares files, to mail and messengers. */
export function shares(): boolean {
  return navigator.canShare?.({ files: [new File([""], "activities.csv", { type: "text/csv" })] }) ?? false;
}

export async function share(name: string, text: string, type = "text/csv"): Promise<void> {
  // Rejects where its owner changes their mind.
  await navigator.share({ files: [new File([text], name, { type })] }).catch(() => undefined);
}
