/** One run from Start to Stop: takes samples and updates the view. */

import { SIGNAL } from "./charts";
import { Announcer } from "./ears";
import { Windows } from "./how";
import type { Refusal, Sample } from "./motion";
import type { Recognizer } from "./recognizer";
import { Recorder } from "./recorder";
import { Stream, type Prediction } from "./stream";
import { Timeline } from "./timeline";
import { complaint, Silence } from "./watch";
import * as view from "./view";

/** Milliseconds between two drawings, and where motion is reduced. */
const DRAWN = 100;
const SLOW = 1000;

/** Seconds of samples that are remembered, and how many are forgotten at once. */
const HISTORY = 900;
const FORGOTTEN = 6000;

/** Events without readings that mean nothing: browsers send one where there is no sensor at all. */
const FEW = 2;

/** Milliseconds for which the page says afterwards that it was in the background. */
const EXPLAINED = 15_000;

export class Session {
  recorder: Recorder | null = null;
  readonly timeline: Timeline;
  private readonly stream: Stream;
  private readonly windows: Windows;
  private readonly announcer = new Announcer(view.say);
  private readonly silence = new Silence(() => this.fallSilent());
  /** What was recognized, with times on the clock of the timeline: the last minutes of it. */
  readonly history: Sample[] = [];
  private samples: Sample[] = [];
  private work: Promise<void> = Promise.resolve();
  private drawn = -Infinity;
  /** When it was paused, in milliseconds on the clock of the page. */
  private paused: number | null = null;
  private running = true;
  /** What explains a silence, if one begins now. */
  private reason: view.Silent = "stopped";
  /** Events without readings since the last sample. */
  private empties = 0;
  /** What was missed in the background, and until when that is said. */
  private missed: { seconds: number; until: number } | null = null;

  /**
   * @param threshold Probability below which no label is shown.
   * @param simulated Whether nobody carries the phone.
   */
  constructor(
    private readonly recognizer: Recognizer, threshold: number, readonly simulated: boolean,
    private readonly failed: (error: Error) => void,
  ) {
    this.stream = new Stream(recognizer, threshold);
    this.windows = new Windows(recognizer.metadata);
    this.timeline = new Timeline(this.stream.interval);
    document.addEventListener("visibilitychange", this.onVisibility);
    requestAnimationFrame(this.draw);
  }

  /** Adds a sample; samples are processed in order. */
  add = (sample: Sample): void => {
    this.paused = this.timeline.paused = null;
    if (this.silence.silent) this.resume();
    [this.reason, this.empties] = ["stopped", 0];
    this.silence.heard();
    this.samples.push(sample);
    while (Math.abs(this.samples[0]!.time - sample.time) > SIGNAL) this.samples.shift();
    this.recorder?.add(sample);
    this.work = this.work.then(() => this.process(sample)).catch((error: Error) => {
      if (this.running) this.failed(error);
    });
  };

  /** Stands still until the next sample. */
  pause = (): void => {
    this.paused = this.timeline.paused = this.paused ?? performance.now();
    this.silence.stop();
  };

  /** Notes an event without readings. */
  empty = (why: Refusal): void => {
    this.empties += 1;
    if (this.empties > FEW) this.reason = why === "gyroless" ? "gyroless" : "empty";
  };

  /** Restarts the signal, as when its sign was wrong until now. */
  restart = (): void => {
    this.work = this.work.then(() => this.stream.restart());
    this.samples = [];
    if (this.recorder) this.record(this.recorder.subject, this.recorder.activity);
  };

  set threshold(threshold: number) {
    this.stream.threshold = threshold;
  }

  /** Starts a recording. */
  record(subject: string, activity: string): void {
    this.recorder = new Recorder(subject, activity, this.recognizer.metadata.axes);
  }

  end(): void {
    this.running = false;
    this.silence.stop();
    document.removeEventListener("visibilitychange", this.onVisibility);
  }

  private fallSilent(): void {
    this.recorder?.cut();
    view.showSilence(this.reason);
    // The notice is read out as it appears.
    view.say("");
    this.announcer.aloud("No signal");
  }

  private resume(): void {
    const now = performance.now();
    if (this.reason === "hidden") this.missed = { seconds: (now - this.silence.last) / 1000, until: now + EXPLAINED };
    view.showListening();
  }

  private onVisibility = (): void => {
    if (document.hidden) this.reason = "hidden";
  };

  private async process(sample: Sample): Promise<void> {
    if (!this.running) return;
    this.remember(sample);
    for (const prediction of await this.stream.push(sample.time, sample.value)) {
      const { metadata } = this.recognizer;
      const { time, label } = prediction;
      this.timeline.add(time, label);
      this.windows.add(prediction, this.samples);
      if (!this.silence.silent) {
        view.showPrediction(metadata, prediction);
        this.announcer.update(time, view.labelText(metadata, label));
      }
      // For code that builds on this page.
      const detail = { ...prediction, milliseconds: this.recognizer.milliseconds };
      document.dispatchEvent(new CustomEvent<Prediction>("prediction", { detail }));
    }
  }

  private remember({ time, value }: Sample): void {
    const now = time + this.timeline.shift;
    this.history.push({ time: now, value });
    // In blocks, since taking from the start of a long list takes time.
    if ((this.history[FORGOTTEN]?.time ?? now) < now - HISTORY) this.history.splice(0, FORGOTTEN);
  }

  private draw = (now: number): void => {
    if (!this.running) return;
    requestAnimationFrame(this.draw);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (now - this.drawn < (calm ? SLOW : DRAWN)) return;
    const { metadata, milliseconds } = this.recognizer;
    view.showCharts(metadata, this.samples, ((this.paused ?? now) - this.silence.last) / 1000, this.timeline);
    if (Math.floor(now / SLOW) !== Math.floor(this.drawn / SLOW) && !this.silence.silent && this.paused === null) {
      view.showMeasured(this.stream.rate, milliseconds);
      view.showNotice(complaint(this.samples, metadata) ?? this.explanation(now));
    }
    this.drawn = now;
  };

  private explanation(now: number): string | null {
    if (!this.missed || now > this.missed.until) return null;
    return view.missedText(this.missed.seconds);
  }
}
