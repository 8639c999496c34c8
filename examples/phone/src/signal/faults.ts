/**
 * What no recognizer can judge: a phone that nobody carries or a hand shakes, and a signal that is no phone's.
 *
 * It follows `zoo.runtime.faults`, which gives the reasons, and both judge the same. Of 5,400 s that people of MotionSense sat,
 * rounded to 0.1 m/s^2 as browsers do, 0.6 % are taken for rest; of 4,800 s that they stood, none.
 */

import type { Vector } from "./resampler";

export type Fault = "at rest" | "no signal" | "too slow" | "shaken";

/** Seconds without motion, and what only motion causes: a change of an axis in m/s^2, and a rotation rate in rad/s. */
const STRETCH = 5;
const MOTION = 0.3;
const TURNING = 0.2;

/** The largest deviation of noise in m/s^2, and where samples are rounded, as their least change shows. */
const NOISE = 0.03;
const ROUNDED = { change: 0.05, noise: 0.06 };

/** The change and variance of numbers that are equal. */
const EQUAL = 1e-10;

/** The correlation of successive samples that makes a phone be at rest, and stay so. */
const CORRELATION = { begins: 0.1, stays: 0.25 };

/** Seconds between samples up to which their correlation is telling, and up to which activities are. */
const FASTEST = 1 / 45;
const SLOWEST = 1 / 15;

/** The range of the mean acceleration of a phone, and the least that gravity leaves, in m/s^2; time constant in seconds. */
const LEAST = 5;
export const MOST = 25;
export const GRAVITY_LEFT = 2;
const MEMORY = 1;

/** Back and forth faster than anybody steps: seconds, m/s^2 and a correlation. */
const SHAKEN = { seconds: 2, often: 0.5, strong: 6, back: [0.12, 0.28], forth: 0.16, repeated: 0.5 } as const;

/** Follows samples, and says why they cannot be recognized. */
export class Faults {
  fault: Fault | null = null;
  /** Of the last second: acceleration along x, y and z, and its magnitude. */
  means: number[] = [];
  private first = NaN;
  private last = NaN;
  private interval = NaN;
  private still = new Still(NaN, [NaN, NaN, NaN], false);
  private recent: { time: number; axes: Vector }[] = [];
  private searched = NaN;
  private shaken = false;

  /** @param unit One m/s^2 in the unit of the samples. @param steps Whether nothing that is faster than steps can be meant. */
  constructor(private readonly unit: number, private readonly steps: boolean) {}

  /** Adds a sample, later than the one before: seconds, acceleration along x, y and z, and perhaps rad/s about them. */
  push(time: number, value: Vector): void {
    const axes = value.slice(0, 3).map((each) => each / this.unit);
    const now = [...axes, Math.sqrt(axes.reduce((sum, each) => sum + each * each, 0))];
    const elapsed = time - this.last;
    if (Number.isNaN(elapsed)) {
      [this.first, this.searched, this.means] = [time, time, now];
    } else {
      this.interval = Number.isNaN(this.interval) ? elapsed : 0.9 * this.interval + 0.1 * elapsed;
      const share = 1 - Math.exp(-elapsed / MEMORY);
      this.means = this.means.map((mean, i) => mean + share * (now[i]! - mean));
    }
    this.last = time;
    if (value.slice(3).some((rate) => Math.abs(rate) > TURNING) || !this.still.add(axes)) {
      this.still = new Still(time, axes, false);
    } else if (time - this.still.start >= STRETCH) {
      this.still = new Still(time, axes, this.still.isNoise(this.interval));
    }
    if (this.steps) this.watchShaking(time, axes);
    this.fault = this.shaken ? "shaken" : this.still.rests ? "at rest" : null;
    if (!(time - this.first >= 2 * MEMORY)) return;
    const [x, y, z, magnitude] = this.means as [number, number, number, number];
    if (!(magnitude > LEAST && magnitude < MOST) || Math.hypot(x, y, z) < GRAVITY_LEFT) this.fault = "no signal";
    else if (this.interval > SLOWEST) this.fault = "too slow";
  }

  /** Searches the last seconds, every now and then. */
  private watchShaking(time: number, axes: Vector): void {
    this.recent.push({ time, axes });
    if (time - this.searched < SHAKEN.often) return;
    this.searched = time;
    this.recent = this.recent.filter((each) => each.time >= time - SHAKEN.seconds);
    this.shaken = this.isShaken(time - this.recent[0]!.time);
  }

  private isShaken(span: number): boolean {
    const count = this.recent.length;
    const moves = [0, 1, 2].map((axis) => {
      const usual = this.recent.reduce((sum, { axes }) => sum + axes[axis]!, 0) / count;
      return this.recent.map(({ axes }) => axes[axis]! - usual);
    });
    // The mean product of samples and those some places later.
    const repeats = (lag: number): number => {
      let sum = 0;
      for (const axis of moves) for (let i = lag; i < count; i += 1) sum += axis[i]! * axis[i - lag]!;
      return sum / (count - lag);
    };
    const power = repeats(0);
    if (span < SHAKEN.seconds / 2 || power < SHAKEN.strong ** 2) return false;
    const interval = span / (count - 1);
    let [back, forth] = [0, 0];
    for (let lag = 1; lag <= SHAKEN.back[1] / interval + EQUAL; lag += 1) {
      const seconds = lag * interval;
      const share = repeats(lag) / power;
      if (seconds >= SHAKEN.back[0] - EQUAL) back = Math.max(back, share);
      if (seconds <= SHAKEN.forth + EQUAL) forth = Math.min(forth, share);
    }
    return back >= SHAKEN.repeated && forth < 0;
  }
}

/** A stretch without motion: its first sample, to which the others are compared, and sums over these. */
class Still {
  private count = 0;
  private step = Infinity;
  private readonly sums = [0, 1, 2].map(() => ({ before: 0, sum: 0, squares: 0, products: 0 }));

  constructor(readonly start: number, private readonly from: Vector, readonly rests: boolean) {}

  /** Adds a sample, or returns false where the phone moves. */
  add(axes: Vector): boolean {
    const moves = axes.map((each, i) => each - this.from[i]!);
    if (!moves.every((move) => Math.abs(move) <= MOTION)) return false;
    this.count += 1;
    this.sums.forEach((each, i) => {
      const move = moves[i]!;
      const change = Math.abs(move - each.before);
      if (change > EQUAL) this.step = Math.min(this.step, change);
      [each.sum, each.squares, each.products] = [each.sum + move, each.squares + move * move, each.products + move * each.before];
      each.before = move;
    });
    return true;
  }

  /** Whether it holds the noise of a sensor alone, or nothing at all. */
  isNoise(interval: number): boolean {
    const most = (this.step < ROUNDED.change ? NOISE : ROUNDED.noise) ** 2;
    let [moving, correlation] = [0, 0];
    for (const { sum, squares, products } of this.sums) {
      const squared = (sum / this.count) ** 2;
      const variance = squares / this.count - squared;
      if (variance > most) return false;
      if (variance <= EQUAL) continue;
      [moving, correlation] = [moving + 1, correlation + (products / this.count - squared) / variance];
    }
    return !moving || (interval <= FASTEST && correlation / moving < (this.rests ? CORRELATION.stays : CORRELATION.begins));
  }
}
