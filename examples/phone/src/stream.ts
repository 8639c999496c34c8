/**
 * A signal without end: samples as they come in, a label that can be shown out.
 *
 * It follows `zoo.runtime.streaming` line by line, where the reasons are; on the same samples both give the same
 * probabilities.
 */

import type { Metadata } from "./metadata";
import { Resampler, type Vector } from "./resampler";

export type States = Record<string, Float32Array>;

/** What a recognizer must offer: one step of its cells. */
export interface Stepper {
  readonly metadata: Metadata;
  step(frame: Float32Array, states: States): Promise<{ probabilities: Float32Array; states: States }>;
}

export interface Answer {
  /** Seconds, in the time of the samples: of the last row that was read. */
  time: number;
  /** Place in the classes, or null where the network is not sure enough. */
  label: number | null;
  /** Of that label, or of the most probable one, averaged over the past. */
  probability: number;
  /** Of all classes, averaged over the past. */
  probabilities: number[];
}

/** Seconds without a sample after which the signal begins anew. */
const GAP = 1;

/** Frames in, probabilities out, of the oldest of a few states that start anew in turns. */
class Follower {
  private readonly period: number;
  private readonly copies: number;
  private readonly warmup: number;
  private frames = 0;
  private states: (States | null)[];
  private ages: number[];

  constructor(private readonly network: Stepper) {
    const { streaming, frame } = network.metadata;
    this.period = streaming.restart ? Math.max(1, Math.floor(streaming.restart / frame)) : 0;
    this.copies = this.period ? streaming.copies : 1;
    this.warmup = Math.ceil(streaming.warmup / frame);
    this.states = Array(this.copies).fill(null);
    this.ages = Array(this.copies).fill(0);
  }

  /** Probabilities, or null where no state has read enough. */
  async read(frame: Float32Array): Promise<Float32Array | null> {
    let oldest = 0;
    let answer: Float32Array | null = null;
    for (let copy = 0; copy < this.copies; copy += 1) {
      const since = this.frames - Math.floor((copy * this.period) / this.copies);
      if (since === 0 || (since > 0 && this.period && since % this.period === 0)) {
        this.states[copy] = zeros(this.network.metadata);
        this.ages[copy] = 0;
      }
      const state = this.states[copy];
      if (!state) continue;
      const found = await this.network.step(frame, state);
      this.states[copy] = found.states;
      const age = (this.ages[copy] = this.ages[copy]! + 1);
      if (age >= oldest) [oldest, answer] = [age, found.probabilities];
    }
    this.frames += 1;
    return oldest >= this.warmup ? answer : null;
  }
}

function zeros(metadata: Metadata): States {
  return Object.fromEntries(Object.entries(metadata.states).map(([name, size]) => [name, new Float32Array(size)]));
}

/** Samples as they come in, answers out. A sample that is not finite or not later than the one before is left out. */
export class Stream {
  private readonly forget: number;
  private resampler!: Resampler;
  private follower!: Follower;
  private rows: number[] = [];
  private mean: number[] | null = null;
  private shown: number | null = null;

  constructor(private readonly network: Stepper) {
    const { frame, rate, streaming } = network.metadata;
    this.forget = streaming.smoothing ? Math.exp(-frame / rate / streaming.smoothing) : 0;
    this.restart();
  }

  /** Forgets the signal. */
  restart(): void {
    this.resampler = new Resampler(this.network.metadata.rate);
    this.follower = new Follower(this.network);
    this.rows = [];
    this.mean = null;
    this.shown = null;
  }

  /** Hz of the samples, or NaN before the second one. */
  get rate(): number {
    return 1 / this.resampler.interval;
  }

  /**
   * Takes one sample; calls must not overlap.
   *
   * @param time Seconds, on any clock that does not run backwards.
   * @param value In the unit and convention of the metadata.
   */
  async push(time: number, value: Vector): Promise<Answer[]> {
    if (![time, ...value].every(Number.isFinite) || time <= this.resampler.last) return [];
    if (time - this.resampler.last > GAP) this.restart();
    const { frame, axes } = this.network.metadata;
    const answers: Answer[] = [];
    for (const row of this.resampler.push(time, value)) {
      this.rows.push(...row.value);
      if (this.rows.length < frame * axes.length) continue;
      const probabilities = await this.follower.read(Float32Array.from(this.rows));
      this.rows = [];
      if (probabilities) answers.push(this.answer(row.time, [...probabilities]));
    }
    return answers;
  }

  private answer(time: number, probabilities: number[]): Answer {
    const { margin, threshold } = this.network.metadata.streaming;
    const past = this.mean;
    const mean = past ? probabilities.map((p, i) => p + this.forget * (past[i]! - p)) : probabilities;
    const best = mean.indexOf(Math.max(...mean));
    if (this.shown === null || mean[best]! - mean[this.shown]! >= margin) this.shown = best;
    this.mean = mean;
    const sure = mean[this.shown]! >= threshold;
    return {
      time,
      label: sure ? this.shown : null,
      probability: mean[sure ? this.shown : best]!,
      probabilities: mean,
    };
  }
}
