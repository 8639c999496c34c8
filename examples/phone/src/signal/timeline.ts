/** What was recognized when, from Start to Stop. Seconds without a signal belong to no label. */

import { now } from "../page/clock";
import { GAP } from "./stream";

export interface Segment {
  /** Seconds, on a clock that never goes back. */
  start: number;
  end: number;
  /** Index of the class, or null where the network was not sure enough. */
  label: number | null;
}

export class Timeline {
  readonly segments: Segment[] = [];
  /** What the person of a recording really did, which no clock sets back. */
  readonly truths: { start: number; end: number; name: string }[] = [];
  /** Seconds to add to the time of a sample, since its clock was set back. */
  shift = 0;
  /** When the last prediction was added, in milliseconds on the clock of the page. */
  private touched = NaN;
  private first = NaN;
  private pausedAt: number | null = null;

  /** @param interval Seconds from one prediction to the next. */
  constructor(private readonly interval: number) {}

  add(time: number, label: number | null): void {
    this.touched = now();
    const last = this.segments.at(-1);
    if (!last) this.first = Date.now();
    const elapsed = last ? time + this.shift - last.end : Infinity;
    if (elapsed < 0) this.shift -= elapsed;
    const end = time + this.shift;
    const follows = elapsed >= 0 && elapsed <= Math.max(GAP, 1.5 * this.interval);
    if (last && follows && label === last.label) last.end = end;
    else this.segments.push({ start: last && follows ? last.end : end, end, label });
  }

  /** Notes what the person of a recording really does. */
  tell(time: number, name: string): void {
    const last = this.truths.at(-1);
    if (last) last.end = time;
    if (last?.name !== name) this.truths.push({ start: time, end: time, name });
  }

  /** Stops its clock at a moment in milliseconds on the clock of the page, or lets it go on where there is none. */
  set paused(moment: number | null) {
    if (this.pausedAt !== null && moment === null) this.touched += now() - this.pausedAt;
    this.pausedAt = moment;
  }

  /** The present, on the clock of the segments: it goes on without a signal. */
  get now(): number {
    const last = this.segments.at(-1);
    return last ? last.end + ((this.pausedAt ?? now()) - this.touched) / 1000 : 0;
  }

  /** The date of the first prediction. */
  get begun(): Date {
    return new Date(this.first);
  }

  get start(): number {
    return this.segments[0]?.start ?? 0;
  }

  /** Seconds from the first prediction to the last one. */
  get length(): number {
    return (this.segments.at(-1)?.end ?? 0) - this.start;
  }

  /** Seconds of a label since a time. */
  seconds(label: number | null, since = -Infinity): number {
    return this.segments.reduce(
      (sum, segment) => sum + (segment.label === label ? Math.max(0, segment.end - Math.max(segment.start, since)) : 0),
      0,
    );
  }

  /** Rows of start, seconds and activity, which is empty where the network was not sure. */
  csv(classes: string[]): string {
    const rows = this.segments.map(({ start, end, label }) => {
      const at = new Date(this.first + 1000 * (start - this.start)).toISOString();
      return `${at},${(end - start).toFixed(2)},${label === null ? "" : quoted(classes[label]!)}`;
    });
    return ["start,seconds,activity", ...rows, ""].join("\n");
  }
}

/** A cell of a CSV file. */
export function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
