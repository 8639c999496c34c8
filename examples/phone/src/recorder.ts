/** A labelled minute as the CSV file that `zoo data import csv` reads. */

import type { Sample } from "./motion";

/** Seconds of a recording. */
export const LENGTH = 60;

export class Recorder {
  private samples: Sample[] = [];

  constructor(readonly subject: string, readonly activity: string, private readonly axes: string[]) {}

  add(sample: Sample): void {
    if (this.seconds < LENGTH) this.samples.push(sample);
  }

  /** Length of the recording so far. */
  get seconds(): number {
    return this.samples.length ? this.samples.at(-1)!.time - this.samples[0]!.time : 0;
  }

  get fileName(): string {
    const stamp = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
    return `${this.activity}-${stamp}.csv`.replace(/[^\w.-]/g, "_");
  }

  csv(): string {
    const rows = this.samples.map(
      ({ time, value }) =>
        `${[time.toFixed(4), ...value.map((number) => number.toFixed(4))].join(",")},${quoted(this.subject)},${quoted(this.activity)}`,
    );
    return [`time,${this.axes.join(",")},subject,activity`, ...rows, ""].join("\n");
  }
}

function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Downloads a text file. */
export function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  // Some browsers read the address only after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
