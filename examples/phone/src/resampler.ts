export type Vector = readonly [number, number, number];

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
  private value: Vector = [0, 0, 0];
  private rows = 0;
  private area: Vector = [0, 0, 0];
  private span = 0;

  constructor(private readonly rate: number) {}

  /** Adds a sample later than the one before; returns the rows that it completes. */
  push(time: number, value: Vector): Row[] {
    if (Number.isNaN(this.first)) {
      this.first = this.last = time;
      this.value = value;
      this.rows = 1;
      return [{ time, value }];
    }
    const [last, from] = [this.last, this.value];
    const elapsed = time - last;
    this.interval = Number.isNaN(this.interval) ? elapsed : 0.9 * this.interval + 0.1 * elapsed;
    const found: Row[] = [];
    for (let moment; (moment = this.first + this.rows / this.rate) <= time + 1e-9; this.rows += 1) {
      const share = Math.min(1, (moment - last) / elapsed);
      const at = each((i) => from[i]! + share * (value[i]! - from[i]!));
      this.integrate(moment, at);
      const mean = this.interval < FASTER / this.rate;
      found.push({ time: moment, value: mean ? each((i) => this.area[i]! / this.span) : at });
      this.area = [0, 0, 0];
      this.span = 0;
    }
    this.integrate(time, value);
    return found;
  }

  /** Adds the area under the line from the last point to this one. */
  private integrate(time: number, value: Vector): void {
    const width = time - this.last;
    this.area = each((i) => this.area[i]! + (width * (this.value[i]! + value[i]!)) / 2);
    this.span += width;
    this.last = time;
    this.value = value;
  }
}

function each(number: (axis: number) => number): Vector {
  return [number(0), number(1), number(2)];
}
