/** A number for each channel. */
export type Vector = readonly number[];

export interface Row {
  time: number;
  value: Vector;
}

/** Share of the model's interval: samples that arrive in less are averaged. */
const FASTER = 0.75;

/** Converts samples of any rate, with jitter, to rows of one rate, as `zoo.runtime.streaming.Resampler` does. */
export class Resampler {
  last = NaN;
  /** Seconds from a sample to the next, averaged over some ten. */
  interval = NaN;
  private first = NaN;
  private value: Vector = [];
  private rows = 0;
  private area: Vector = [];
  private span = 0;

  constructor(private readonly rate: number) {}

  /** Adds a sample later than the one before; returns the rows that it completes. */
  push(time: number, value: Vector): Row[] {
    if (Number.isNaN(this.first)) {
      this.first = this.last = time;
      this.value = value;
      this.area = value.map(() => 0);
      this.rows = 1;
      return [{ time, value }];
    }
    const [last, from] = [this.last, this.value];
    const elapsed = time - last;
    this.interval = Number.isNaN(this.interval) ? elapsed : 0.9 * this.interval + 0.1 * elapsed;
    const found: Row[] = [];
    for (let moment; (moment = this.first + this.rows / this.rate) <= time + 1e-9; this.rows += 1) {
      const share = Math.min(1, (moment - last) / elapsed);
      const at = value.map((number, i) => from[i]! + share * (number - from[i]!));
      this.integrate(moment, at);
      const mean = this.interval < FASTER / this.rate;
      found.push({ time: moment, value: mean ? this.area.map((area) => area / this.span) : at });
      this.area = value.map(() => 0);
      this.span = 0;
    }
    this.integrate(time, value);
    return found;
  }

  /** Adds the area under the line from the last point to this one. */
  private integrate(time: number, value: Vector): void {
    const width = time - this.last;
    this.area = this.area.map((area, i) => area + (width * (this.value[i]! + value[i]!)) / 2);
    this.span += width;
    this.last = time;
    this.value = value;
  }
}
