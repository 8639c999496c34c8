/** One run from Start to Stop: takes samples, and reports what the page believes of them. */

import { isOfPockets, looks } from "../show/activities";
import { SIGNAL } from "../show/charts";
import { now } from "./clock";
import { Announcer } from "./ears";
import { Windows } from "../show/how";
import { inUnit } from "../model/metadata";
import type { Refusal, Sample } from "../signal/motion";
import { isHeld } from "../signal/placement";
import type { Recognizer } from "../model/recognizer";
import type { Replay } from "../signal/replay";
import { believed, type Signal, type Silent, words } from "../signal/signal";
import { StepCounter } from "../signal/steps";
import { GAP, Stream, type Prediction } from "../signal/stream";
import { Timeline } from "../signal/timeline";
import { complaint, Silence } from "../signal/watch";

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

/** What a run reports, as it changes. */
export interface Report {
  signal: Signal;
  /** Seconds that were missed a moment ago, while the phone was locked or showed another app. */
  missed: number | null;
  /** Of the sensor in Hz, and of a run of the network. */
  measured: { rate: number; milliseconds: number };
  /** Counted where one takes steps, and their number per minute. */
  steps: { count: number; cadence: number };
}

export class Session {
  readonly timeline: Timeline;
  /** What plays a recording, if any, and what ends it, or the listening to the sensor. */
  replay: Replay | null = null;
  stopSource: () => void = () => {};
  /** What was recognized, with times on the clock of the timeline: the last minutes of it. */
  readonly history: Sample[] = [];
  private readonly stream: Stream;
  private readonly windows: Windows;
  /** Whether the model knows phones in pockets alone. What its owner taught it may be done elsewhere. */
  private readonly pocket: boolean;
  private readonly announcer: Announcer;
  private readonly silence = new Silence(() => this.update());
  private readonly counter = new StepCounter();
  private readonly gaits: boolean[];
  /** Counted where one takes steps. */
  steps = 0;
  private walks = false;
  private samples: Sample[] = [];
  private work: Promise<void> = Promise.resolve();
  private prediction: Prediction | null = null;
  /** When the network was sure last, or began, on the clock of the samples. */
  private sure = 0;
  private drawn = -Infinity;
  private timer = 0;
  private updated = -Infinity;
  /** When it was paused, in milliseconds on the clock of the page. */
  private paused: number | null = null;
  private running = true;
  /** What explains a silence, if one begins now. */
  private reason: Silent = "stopped";
  /** Events without readings since the last sample. */
  private empties = 0;
  /** What was missed in the background, and until when that is said. */
  private missed: { seconds: number; until: number } | null = null;

  /**
   * @param threshold Probability below which no label is shown.
   * @param simulated Whether nobody carries the phone.
   * @param say Is told of changes that are to be read out.
   */
  constructor(
    private readonly recognizer: Recognizer, threshold: number, readonly simulated: boolean,
    private readonly reports: {
      changed(report: Report): void; failed(error: Error): void; say(text: string): void; draw(samples: Sample[], now: number): void;
    },
  ) {
    this.pocket = !recognizer.isTaught && isOfPockets(recognizer.metadata.classes);
    this.stream = new Stream(recognizer, threshold, this.pocket);
    this.stream.onRead = (time, value) => this.remember(time, value);
    this.gaits = looks(recognizer.metadata.classes).map(({ gait }) => gait);
    this.windows = new Windows(recognizer.metadata);
    this.timeline = new Timeline(this.stream.interval);
    this.announcer = new Announcer(reports.say);
    document.addEventListener("visibilitychange", this.onVisibility);
    this.draw();
  }

  /** Adds a sample; samples are processed in order. */
  add = (sample: Sample): void => {
    this.paused = this.timeline.paused = null;
    const missed = this.silence.heard(sample.time);
    if (missed) this.resume(missed);
    [this.reason, this.empties] = ["stopped", 0];
    this.samples.push(sample);
    while (Math.abs(this.samples[0]!.time - sample.time) > SIGNAL) this.samples.shift();
    this.work = this.work.then(() => this.process(sample)).catch((error: Error) => {
      if (this.running) this.reports.failed(error);
    });
  };

  /** Stands still until the next sample. */
  pause = (): void => {
    this.paused = this.timeline.paused = this.paused ?? now();
    this.silence.stop();
  };

  /** Notes an event without readings. */
  empty = (why: Refusal): void => {
    this.empties += 1;
    if (this.empties > FEW) this.reason = why === "gyroless" ? "gyroless" : "empty";
  };

  /** Restarts the signal, as when its sign was wrong until now. */
  restart = (): void => {
    this.samples = [];
    this.work = this.work.then(() => {
      this.stream.restart();
      this.prediction = null;
    });
  };

  set threshold(threshold: number) {
    this.stream.threshold = threshold;
  }

  end(): void {
    this.running = false;
    this.stopSource();
    clearTimeout(this.timer);
    this.silence.stop();
    document.removeEventListener("visibilitychange", this.onVisibility);
  }

  private resume(missed: number): void {
    if (this.reason === "hidden") this.missed = { seconds: missed, until: now() + EXPLAINED };
    // Of what was said before the silence, nothing holds.
    this.prediction = null;
    this.update();
  }

  private onVisibility = (): void => {
    if (document.hidden) this.reason = "hidden";
  };

  private async process(sample: Sample): Promise<void> {
    if (!this.running) return;
    const size = Math.hypot(...sample.value.slice(0, 3)) / inUnit(1, this.recognizer.metadata);
    if (this.counter.push(sample.time, size) && this.walks) this.steps += 1;
    for (const prediction of await this.stream.push(sample.time, sample.value)) {
      if (!this.running) return;
      const elapsed = prediction.time - (this.prediction?.time ?? NaN);
      // After a gap, nobody has been unsure for long.
      const follows = elapsed >= 0 && elapsed <= Math.max(GAP, 1.5 * this.stream.interval);
      if (prediction.label !== null || !follows) this.sure = prediction.time;
      this.prediction = prediction;
      const { kind } = this.update();
      // What is not believed counts as not sure.
      this.timeline.add(prediction.time, kind === "recognized" ? prediction.label : null);
      this.windows.add(prediction, this.samples);
      // For code that builds on this page.
      const detail = { ...prediction, milliseconds: this.recognizer.milliseconds };
      document.dispatchEvent(new CustomEvent<Prediction>("prediction", { detail }));
      this.draw();
    }
  }

  /** Reports what is believed now. */
  private update(): Signal {
    const { metadata, milliseconds } = this.recognizer;
    const { faults } = this.stream;
    const place = faults.fault === "at rest" || faults.fault === "shaken" ? faults.fault : isHeld(this.samples, faults, metadata) ? "hand" : null;
    const signal = believed({
      silent: this.silence.silent ? this.reason : null,
      complaint: complaint(this.samples, faults, metadata, !this.recognizer.isTaught),
      place: this.pocket ? place : null,
      prediction: this.prediction,
      unsure: (this.prediction?.time ?? NaN) - this.sure,
    });
    this.walks = signal.kind === "recognized" && this.gaits[signal.label]!;
    if (!this.running) return signal;
    this.updated = now();
    if (this.missed && this.updated > this.missed.until) this.missed = null;
    const { label, detail } = words(signal, metadata);
    this.announcer.update(this.prediction?.time ?? this.samples.at(-1)?.time ?? 0, label, detail, signal.kind === "silent");
    this.reports.changed({
      signal, missed: this.missed?.seconds ?? null, measured: { rate: this.stream.rate, milliseconds },
      steps: { count: this.steps, cadence: this.walks ? this.counter.cadence : 0 },
    });
    return signal;
  }

  private remember(time: number, value: Sample["value"]): void {
    const last = time + this.timeline.shift;
    this.history.push({ time: last, value });
    // In blocks, since taking from the start of a long list takes time.
    if ((this.history[FORGOTTEN]?.time ?? last) < last - HISTORY) this.history.splice(0, FORGOTTEN);
  }

  /** Draws in the frame that shows what was recognized, or after a while: each frame costs more than what is drawn in it. */
  private draw = (): void => {
    const moment = now();
    const pause = matchMedia("(prefers-reduced-motion: reduce)").matches ? SLOW : DRAWN;
    if (!this.running || moment - this.drawn < 0.75 * pause) return;
    this.drawn = moment;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(this.draw, 1.25 * pause);
    const last = this.samples.at(-1);
    if (this.paused === null && last && moment - this.updated > SLOW) {
      // Where all samples are dropped, no prediction comes that would take the last one back.
      if (last.time - (this.prediction?.time ?? NaN) > 2 * Math.max(GAP, this.stream.interval)) this.prediction = null;
      this.update();
    }
    // The charts go on without a signal.
    const silence = ((this.paused ?? moment) - this.silence.last) / 1000;
    if (last) this.reports.draw(this.samples, last.time + silence);
  };
}
