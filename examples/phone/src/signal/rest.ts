/**
 * Whether anybody moves a phone: it follows `zoo.runtime.faults`, which gives the reasons, and both judge the same.
 *
 * A body moves a phone smoothly, if only by its breath. Where nobody does, samples are noise, or all equal. Of 5,400 s that
 * people of MotionSense sat, rounded to 0.1 m/s^2 as browsers do, 0.6 % are taken for rest; of 4,800 s that they stood, none.
 */

import type { Vector } from "./resampler";
import { GAP } from "./stream";

/** Seconds without motion, and what only motion causes: a change of an axis in m/s^2, and a rotation rate in rad/s. */
const STRETCH = 5;
const MOTION = 0.3;
const TURNING = 0.2;

/** The largest deviation of noise in m/s^2, and where samples are rounded, as their least change shows. */
const NOISE = 0.03;
const ROUNDED = { change: 0.05, noise: 0.06 };

/** The change and variance of numbers that are equal. */
const EQUAL = 1e-10;

/** The correlation of successive samples that makes a phone be at rest, and stay so; the interval up to which it is telling. */
const CORRELATION = { begins: 0.1, stays: 0.25 };
const FASTEST = 1 / 45;

export class Rest {
  rests = false;
  private last = NaN;
  private interval = NaN;
  private start = NaN;
  private stretch: Vector[] = [];

  /** Adds a sample: seconds, m/s^2 along x, y and z, and perhaps rad/s about them. */
  push(time: number, value: Vector): void {
    const elapsed = time - this.last;
    this.last = time;
    const follows = elapsed > 0 && elapsed <= GAP;
    this.interval = !follows ? NaN : Number.isNaN(this.interval) ? elapsed : 0.9 * this.interval + 0.1 * elapsed;
    const axes = value.slice(0, 3);
    const moves = !follows || axes.some((each, i) => !(Math.abs(each - this.stretch[0]![i]!) <= MOTION));
    if (moves || value.slice(3).some((rate) => Math.abs(rate) > TURNING)) return this.begin(time, axes, false);
    this.stretch.push(axes);
    if (time - this.start >= STRETCH) this.begin(time, axes, this.isNoise());
  }

  /** A stretch begins at a sample, to which the others are compared. */
  private begin(time: number, axes: Vector, rests: boolean): void {
    [this.rests, this.start, this.stretch] = [rests, time, [axes]];
  }

  private isNoise(): boolean {
    const count = this.stretch.length - 1;
    let step = Infinity;
    const each = [0, 1, 2].map((axis) => {
      const moves = this.stretch.map((value) => value[axis]! - this.stretch[0]![axis]!);
      let [sum, squares, products] = [0, 0, 0];
      for (let i = 1; i <= count; i += 1) {
        const change = Math.abs(moves[i]! - moves[i - 1]!);
        if (change > EQUAL) step = Math.min(step, change);
        [sum, squares, products] = [sum + moves[i]!, squares + moves[i]! ** 2, products + moves[i]! * moves[i - 1]!];
      }
      const squared = (sum / count) ** 2;
      return { variance: squares / count - squared, shared: products / count - squared };
    });
    const most = (step < ROUNDED.change ? NOISE : ROUNDED.noise) ** 2;
    if (each.some(({ variance }) => variance > most)) return false;
    const moving = each.filter(({ variance }) => variance > EQUAL);
    const correlation = moving.reduce((sum, { variance, shared }) => sum + shared / variance, 0) / moving.length;
    const limit = this.rests ? CORRELATION.stays : CORRELATION.begins;
    return !moving.length || (this.interval <= FASTEST && correlation < limit);
  }
}
