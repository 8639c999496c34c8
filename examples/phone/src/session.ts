/** One run from Start to Stop: takes samples and updates the view. */

import { MINUTE, SIGNAL, type Moment } from "./charts";
import type { Sample } from "./motion";
import type { Recognizer } from "./recognizer";
import { Recorder } from "./recorder";
import { Stream, type Prediction } from "./stream";
import { complaint } from "./watch";
import * as view from "./view";

/** Milliseconds between two drawings where motion is reduced. */
const SLOW = 1000;

export class Session {
  recorder: Recorder | null = null;
  private readonly stream: Stream;
  private samples: Sample[] = [];
  private moments: Moment[] = [];
  private work: Promise<void> = Promise.resolve();
  private drawn = -Infinity;
  /** When the last sample arrived, on the clock of the drawings. */
  private lastSample = performance.now();
  private running = true;

  constructor(private readonly recognizer: Recognizer, private readonly failed: (error: Error) => void) {
    this.stream = new Stream(recognizer);
    requestAnimationFrame(this.draw);
  }

  /** Adds a sample; samples are processed in order. */
  add = (sample: Sample): void => {
    this.lastSample = performance.now();
    this.samples.push(sample);
    while (this.samples[0]!.time < sample.time - SIGNAL) this.samples.shift();
    this.recorder?.add(sample);
    this.work = this.work.then(() => this.process(sample)).catch((error: Error) => {
      if (this.running) this.failed(error);
    });
  };

  /** Restarts the signal, as when its sign was wrong until now. */
  restart = (): void => {
    this.work = this.work.then(() => this.stream.restart());
    this.samples = [];
    if (this.recorder) this.record(this.recorder.subject, this.recorder.activity);
  };

  /** Starts a recording. */
  record(subject: string, activity: string): void {
    this.recorder = new Recorder(subject, activity, this.recognizer.metadata.axes);
  }

  end(): void {
    this.running = false;
  }

  private async process(sample: Sample): Promise<void> {
    if (!this.running) return;
    for (const prediction of await this.stream.push(sample.time, sample.value)) {
      const { time, label } = prediction;
      if (label !== this.moments.at(-1)?.label) this.moments.push({ time, label });
      while (this.moments.length > 1 && this.moments[1]!.time < time - MINUTE) this.moments.shift();
      view.showPrediction(this.recognizer.metadata, prediction);
      // For code that builds on this page.
      const detail = { ...prediction, milliseconds: this.recognizer.milliseconds };
      document.dispatchEvent(new CustomEvent<Prediction>("prediction", { detail }));
    }
  }

  private draw = (now: number): void => {
    if (!this.running) return;
    requestAnimationFrame(this.draw);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (now - this.drawn < (calm ? SLOW : 0)) return;
    const { metadata, milliseconds } = this.recognizer;
    view.showCharts(metadata, this.samples, this.moments);
    if (Math.floor(now / SLOW) !== Math.floor(this.drawn / SLOW)) {
      view.showMeasured(this.stream.rate, milliseconds);
      view.showComplaint(complaint(this.samples, (now - this.lastSample) / 1000, metadata));
    }
    this.drawn = now;
  };
}
