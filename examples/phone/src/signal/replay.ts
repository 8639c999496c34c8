/** Replays a recording: of a simulated person, which `recording.py` makes, or of a real one. */

import type { Sample } from "./motion";
import { now } from "../page/clock";
import recording from "./recording.json";

/** Reads a recording in Android's convention: stretches of so many seconds, and rows of whole numbers of 16 bits, of some unit. */
export function track({ rate, seconds, activities, channels, unit, rows }: typeof recording) {
  const numbers = new Int16Array(Uint8Array.from(atob(rows), (letter) => letter.charCodeAt(0)).buffer);
  const row = (_: unknown, i: number) => Array.from(numbers.subarray(i * channels, (i + 1) * channels), (number) => unit * number);
  return { rate, seconds, activities, rows: Array.from({ length: numbers.length / channels }, row) };
}

export const simulated = track(recording);

/** Milliseconds between two looks at the clock, and the most that count where a look is late, as after a sleep. */
const LOOKED = 100;
const LATE = 1000;

export class Replay {
  /** Whether its viewer has paused it. */
  paused = false;
  private clock = 0;
  private sent = 0;
  private looked = 0;
  private timer = 0;

  /**
   * Begins to play, and begins again after the end. It rests while the page is hidden.
   *
   * @param onSample Receives samples, and what the person really does.
   * @param onRest Is told that no samples will come for a while.
   */
  constructor(
    private readonly track: typeof simulated, private readonly onSample: (sample: Sample, activity: string) => void, private readonly onRest: () => void,
  ) {
    document.addEventListener("visibilitychange", this.follow);
    this.follow();
  }

  /** Pauses, or plays on from where it is. */
  toggle(): void {
    this.paused = !this.paused;
    this.follow();
  }

  stop(): void {
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.follow);
  }

  private follow = (): void => {
    clearInterval(this.timer);
    if (this.paused || document.hidden) return this.onRest();
    this.looked = now();
    this.timer = window.setInterval(this.play, LOOKED);
  };

  // Timers fire late: overdue samples are sent at once, each with the time at which it was due.
  private play = (): void => {
    const looked = now();
    this.clock += Math.min(LATE, looked - this.looked) / 1000;
    this.looked = looked;
    const { rate, seconds, activities, rows } = this.track;
    for (; this.sent / rate <= this.clock; this.sent += 1) {
      const row = this.sent % rows.length;
      this.onSample({ time: this.sent / rate, value: rows[row]! }, activities[Math.floor(row / (rate * seconds))]!);
    }
  };
}
