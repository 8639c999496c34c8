/**
 * Continuous recognition: samples in as they arrive, a stable label out.
 *
 * It follows `zoo.runtime.streaming` line by line, which gives the reasons; on the same samples both return the same
 * probabilities.
 */

import { type Fault, Faults } from "./faults";
import { Filter } from "./filter";
import { isOfPockets } from "../show/activities";
import { inUnit, type Metadata } from "../model/metadata";
import { Resampler, type Vector } from "./resampler";

export type States = Record<string, Float32Array>;

/** A recognizer: one call reads a frame, or a window where the model has no states. */
export interface Network {
  readonly metadata: Metadata;
  step(frame: Float32Array, states: States): Promise<{ probabilities: Float32Array; states: States }>;
}

/** Last class of a model that knows of movements outside its other labels. */
export const OTHER = "other";

/** Whether a class stands for all movements outside the others. A file says it of the one that has the name. */
export function rejects({ classes, other }: Pick<Metadata, "classes" | "other">, label: number): boolean {
  return classes[label] === OTHER && other !== false;
}

/** What the page calls each class. */
export function spoken(metadata: Pick<Metadata, "classes" | "other">): string[] {
  return metadata.classes.map((name, i) => (rejects(metadata, i) ? "something else" : name));
}

export interface Prediction {
  /** Seconds, on the clock of the samples: when the last row was read. */
  time: number;
  /** Index of the class, or null. */
  label: number | null;
  /** Why there is no label. */
  reason: Fault | "not sure" | "something else" | null;
  /** Of that label, or of the most probable one. */
  probability: number;
  /** Of all classes, given the signal so far. */
  probabilities: number[];
}

/** Seconds without a sample after which the signal starts anew. */
export const GAP = 1;

/** m/s^2 per axis: phones measure up to 16 g. */
const LIMIT = 160;

/** rad/s per axis: phones measure up to 70. */
const ROTATION_LIMIT = 100;

/** Why no phone can have measured a sample, or null. */
export function impossible(time: number, value: Vector, metadata: Pick<Metadata, "unit">): string | null {
  const beyond = (most: number) => (number: number) => Math.abs(number) > most;
  if (![time, ...value].every(Number.isFinite)) return "not finite";
  if (value.slice(0, 3).some(beyond(inUnit(LIMIT, metadata)))) return `beyond ${LIMIT} m/s^2`;
  return value.slice(3).some(beyond(ROTATION_LIMIT)) ? `beyond ${ROTATION_LIMIT} rad/s` : null;
}

/** Rows in, probabilities out: of the oldest of several states that restart at staggered times. */
class StaggeredStates {
  /** Rows to the next call; fewer than a call reads where a model without states reads windows. */
  readonly advance: number;
  private readonly size: number;
  private readonly period: number;
  private readonly copies: number;
  private readonly warmup: number;
  private frames = 0;
  private rows: Vector[] = [];
  private states: (States | null)[];
  private ages: number[];

  constructor(private readonly network: Network) {
    const { streaming, frame, window, hop, states } = network.metadata;
    const recurrent = Object.keys(states).length > 0;
    this.size = recurrent ? frame : window;
    this.advance = recurrent ? frame : Math.min(Math.max(1, hop), window);
    this.period = recurrent && streaming.restart ? Math.max(1, Math.floor(streaming.restart / frame)) : 0;
    this.copies = this.period ? streaming.copies : 1;
    this.warmup = recurrent ? Math.ceil(streaming.warmup / frame) : 0;
    this.states = Array(this.copies).fill(null);
    this.ages = Array(this.copies).fill(0);
  }

  /** Probabilities, or null until enough rows have been read. */
  async push(row: Vector): Promise<Float32Array | null> {
    this.rows.push(row);
    if (this.rows.length < this.size) return null;
    const frame = Float32Array.from(this.rows.flat());
    this.rows.splice(0, this.advance);
    let oldest = 0;
    let probabilities: Float32Array | null = null;
    for (let copy = 0; copy < this.copies; copy += 1) {
      const since = this.frames - Math.floor((copy * this.period) / this.copies);
      if (since === 0 || (since > 0 && this.period && since % this.period === 0)) {
        this.states[copy] = Object.fromEntries(Object.entries(this.network.metadata.states).map(([name, size]) => [name, new Float32Array(size)]));
        this.ages[copy] = 0;
      }
      const state = this.states[copy];
      if (!state) continue;
      const found = await this.network.step(frame, state);
      this.states[copy] = found.states;
      const age = (this.ages[copy] = this.ages[copy]! + 1);
      if (age >= oldest) [oldest, probabilities] = [age, found.probabilities];
    }
    this.frames += 1;
    return oldest >= this.warmup ? probabilities : null;
  }
}

/** Samples in, predictions out. Faulty samples are dropped and counted in `skipped`. */
export class Stream {
  /** Dropped samples by reason, and gaps. */
  readonly skipped: Record<string, number> = {};
  /** Is called with each sample that is read. */
  onRead: (time: number, value: Vector) => void = () => {};
  faults!: Faults;
  private resampler!: Resampler;
  private states!: StaggeredStates;
  private filter!: Filter;
  private shown: number | null = null;
  private pending: { time: number; value: Vector } | null = null;

  /**
   * @param threshold Probability below which no label is shown.
   * @param judged Whether a faulty signal has no label: what else a model recognizes may be done at rest, or by shaking.
   */
  constructor(private readonly network: Network, public threshold: number, private readonly judged = true) {
    this.restart();
  }

  /** Forgets the signal. */
  restart(): void {
    this.pending = null;
    const { metadata } = this.network;
    const { classes, rate, streaming } = metadata;
    this.resampler = new Resampler(rate);
    this.faults = new Faults(inUnit(1, metadata), isOfPockets(classes));
    this.states = new StaggeredStates(this.network);
    this.filter = new Filter(classes, streaming.groups ?? [], this.interval);
    this.shown = null;
  }

  /** Seconds from one prediction to the next. */
  get interval(): number {
    return this.states.advance / this.network.metadata.rate;
  }

  /** Hz of the samples, or NaN before the second one. */
  get rate(): number {
    return 1 / this.resampler.interval;
  }

  /**
   * Adds one sample; calls must not overlap.
   *
   * @param time Seconds, on any clock.
   * @param value Of all channels: acceleration in the unit and convention of the metadata, rotation rate in rad/s.
   */
  async push(time: number, value: Vector): Promise<Prediction[]> {
    const reason = impossible(time, value, this.network.metadata);
    if (reason) return this.drop(reason);
    const elapsed = time - this.resampler.last;
    if (elapsed > 0 && elapsed <= GAP) {
      if (this.pending) this.dropPending();
    } else if (!Number.isNaN(elapsed)) {
      return this.unexpected(time, value, elapsed);
    }
    return this.read(time, value);
  }

  /** A sample whose time stamp does not follow the last one. */
  private async unexpected(time: number, value: Vector, elapsed: number): Promise<Prediction[]> {
    const before = this.pending;
    const late = Math.abs(elapsed) <= GAP || !before ? elapsed : time - before.time;
    if (late <= 0 && late >= -GAP) return this.drop("not later than the one before");
    if (before && late > 0 && late <= GAP) {
      // Two samples agree on the new time: it was a gap, or the clock was set.
      this.drop("gaps");
      this.restart();
      return [...(await this.read(before.time, before.value)), ...(await this.read(time, value))];
    }
    if (before) this.dropPending();
    this.pending = { time, value };
    return [];
  }

  private dropPending(): void {
    this.pending = null;
    this.drop("time stamps that no other confirms");
  }

  private drop(reason: string): Prediction[] {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + 1;
    return [];
  }

  private async read(time: number, value: Vector): Promise<Prediction[]> {
    this.onRead(time, value);
    this.faults.push(time, value);
    const predictions: Prediction[] = [];
    for (const row of this.resampler.push(time, value)) {
      const probabilities = await this.states.push(row.value);
      if (probabilities) predictions.push(this.prediction(row.time, probabilities));
    }
    return predictions;
  }

  private prediction(time: number, answer: Float32Array): Prediction {
    const { streaming: { margin } } = this.network.metadata;
    const probabilities = this.filter.update(answer);
    const best = probabilities.indexOf(Math.max(...probabilities));
    if (this.shown === null || probabilities[best]! - probabilities[this.shown]! >= margin) this.shown = best;
    const rejected = rejects(this.network.metadata, this.shown) ? "something else" : null;
    const fault = this.judged ? this.faults.fault : null;
    const reason = fault ?? (probabilities[this.shown]! < this.threshold ? "not sure" : rejected);
    return { time, label: reason ? null : this.shown, probability: probabilities[reason ? best : this.shown]!, probabilities, reason };
  }
}
