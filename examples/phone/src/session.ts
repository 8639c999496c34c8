/** One run from Start to Stop: samples in, what is shown out. */

import { MINUTE, SIGNAL, type Moment } from "./charts";
import type { Sample } from "./motion";
import type { Recognizer } from "./recognizer";
import { Recorder } from "./recorder";
import { Stream, type Answer } from "./stream";
import { complaint } from "./watch";
import * as view from "./view";

/** Milliseconds from a drawing to the next, where motion is reduced. */
const SLOW = 1000;

export class Session {
  recorder: Recorder | null = null;
  private readonly stream: Stream;
  private samples: Sample[] = [];
  private moments: Moment[] = [];
  private work: Promise<void> = Promise.resolve();
  private drawn = -Infinity;
  /** When the last sample came, on the clock of the drawings. */
  private heard = performance.now();
  private running = true;

  constructor(private readonly recognizer: Recognizer, private readonly failed: (error: Error) => void) {
    this.stream = new Stream(recognizer);
    requestAnimationFrame(this.draw);
  }

  /** Takes a sample; they are worked on in their order. */
  hear = (sample: Sample): void => {
    this.heard = performance.now();
    this.samples.push(sample);
    while (this.samples[0]!.time < sample.time - SIGNAL) this.samples.shift();
    this.recorder?.add(sample);
    this.work = this.work.then(() => this.follow(sample)).catch((error: Error) => {
      if (this.running) this.failed(error);
    });
  };

  /** Begins the signal anew, as where its sign was wrong until now. */
  restart = (): void => {
    this.work = this.work.then(() => this.stream.restart());
    this.samples = [];
    if (this.recorder) this.record(this.recorder.subject, this.recorder.activity);
  };

  /** Begins a recording. */
  record(subject: string, activity: string): void {
    this.recorder = new Recorder(subject, activity);
  }

  end(): void {
    this.running = false;
  }

  private async follow(sample: Sample): Promise<void> {
    if (!this.running) return;
    for (const answer of await this.stream.push(sample.time, sample.value)) {
      if (answer.label !== this.moments.at(-1)?.label) this.moments.push({ time: answer.time, label: answer.label });
      while (this.moments.length > 1 && this.moments[1]!.time < answer.time - MINUTE) this.moments.shift();
      view.showAnswer(this.recognizer.metadata, answer);
      // For whoever builds on this page.
      const detail = { ...answer, milliseconds: this.recognizer.milliseconds };
      document.dispatchEvent(new CustomEvent<Answer>("answer", { detail }));
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
      view.showComplaint(complaint(this.samples, (now - this.heard) / 1000, metadata));
    }
    this.drawn = now;
  };
}
