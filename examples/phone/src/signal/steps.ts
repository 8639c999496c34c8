/** Counts steps: peaks of the acceleration's size, that are high enough and far enough apart. */

/** Seconds over which the size is smoothed, and over which its mean and its height are followed. */
const SMOOTH = 0.13;
const MEAN = 0.8;
const HEIGHT = 2;

/** m/s^2 that a peak has at least above the mean, and the share of the usual height. */
const LEAST = 0.6;
const SHARE = 0.65;

/** Seconds between two steps: at least, and at most where one goes on. */
const SHORTEST = 0.27;
const LONGEST = 1.5;

/** Steps of which the cadence is the mean. */
const RECENT = 6;

export class StepCounter {
  count = 0;
  private times: number[] = [];
  private last = NaN;
  private smooth = NaN;
  private mean = NaN;
  private height = LEAST;
  /** The highest point since the size last rose above the mean. */
  private peak = { time: NaN, height: 0 };

  /**
   * Takes the size of the acceleration in m/s^2 at a time in seconds.
   *
   * @returns Whether a step has ended.
   */
  push(time: number, size: number): boolean {
    const elapsed = time - this.last;
    this.last = time;
    if (!(elapsed > 0 && elapsed < 1)) {
      [this.smooth, this.mean, this.times, this.peak.height] = [size, size, [], 0];
      return false;
    }
    const towards = (from: number, to: number, seconds: number) => to + (from - to) * Math.exp(-elapsed / seconds);
    this.smooth = towards(this.smooth, size, SMOOTH);
    this.mean = towards(this.mean, this.smooth, MEAN);
    this.height = towards(this.height, LEAST, HEIGHT);
    const above = this.smooth - this.mean;
    if (above > this.peak.height) this.peak = { time, height: above };
    if (above > 0 || !this.peak.height) return false;
    const { time: at, height } = this.peak;
    this.peak.height = 0;
    if (height < LEAST || height < SHARE * this.height || at - (this.times.at(-1) ?? -Infinity) < SHORTEST) return false;
    this.height += (height - this.height) / 4;
    this.times.push(at);
    if (this.times.length > RECENT + 1) this.times.shift();
    this.count += 1;
    return true;
  }

  /** Steps per minute, or 0 where one does not walk. */
  get cadence(): number {
    const { times } = this;
    const pauses = times.flatMap((time, i) => (i > 0 && time - times[i - 1]! > LONGEST ? [i] : []));
    const recent = times.slice(pauses.at(-1) ?? 0);
    if (recent.length < 3 || this.last - recent.at(-1)! > LONGEST) return 0;
    return (60 * (recent.length - 1)) / (recent.at(-1)! - recent[0]!);
  }
}
