/** One recording, from the countdown to its end: a labeled minute, or half a minute to teach the page. */

import { Faults } from "../signal/faults";
import { converter, listen, type Refusal, type Sample } from "../signal/motion";
import { inUnit, type Metadata } from "../model/metadata";
import { Recorder } from "./recorder";
import { impossible } from "../signal/stream";
import { now } from "../page/clock";
import { isHandheld } from "../page/system";
import * as tones from "../page/tones";
import { type Complaint, complaint, Silence } from "../signal/watch";

/** Seconds before the start that are heard. */
const HEARD = 3;

/** Milliseconds between two looks at the clock, and seconds of signal after which a recording is stored. */
const LOOK = 100;
const CHECKPOINT = 5;

/** As the recordings of the zoo are, whatever the phone is. */
export const UNITS = { unit: "m/s^2", convention: "android" };

/** Seconds of the signal that are checked. */
const RECENT = 3;

/** What is recorded. */
export interface Wanted extends Pick<Metadata, "axes" | "unit" | "convention"> {
  person: string;
  activity: string;
  /** Seconds. */
  length: number;
  /** Seconds to put the phone away. */
  countdown: number;
  /** Whether a signal that is stronger than steps is a fault. */
  limited?: boolean;
}

/** How it ended. Of one that was canceled, or hidden before it began, nothing is kept. */
export type Ended =
  | { kind: "made"; recorder: Recorder }
  | { kind: "canceled" | "hidden" }
  | { kind: "none"; refusal: Refusal };

/** What a take reports. */
export interface Reports {
  countdown(seconds: number): void;
  /** @param problem With the signal, if any. */
  progress(recorder: Recorder, problem: Complaint | null): void;
  /** It has grown by some seconds. */
  checkpoint?(recorder: Recorder): void;
  ended(ended: Ended): void;
}

export class Take {
  private recorder: Recorder | null = null;
  private over = false;
  private readonly begun = now();
  private readonly silence = new Silence(() => this.fallSilent());
  private readonly stopSource: () => void;
  private readonly timer: number;
  private recent: Sample[] = [];
  private faults!: Faults;
  private left = Infinity;
  private stored = 0;
  /** Why there has been no sample so far. */
  private refusal: Refusal | null = null;

  constructor(private readonly wanted: Wanted, private readonly reports: Reports) {
    this.restart();
    this.stopSource = listen(wanted.axes.length > 3, converter(wanted), {
      sample: (sample) => this.add(sample),
      signChange: () => this.restart(),
      nothing: (refusal, certain) => {
        this.refusal = refusal;
        // A phone's sensor that is slow to start has until the end of the countdown; a computer has none.
        if (certain || this.recorder || !isHandheld()) this.end({ kind: "none", refusal });
      },
      empty: () => undefined,
    });
    document.addEventListener("visibilitychange", this.onVisibility);
    this.timer = window.setInterval(() => this.look(), LOOK);
    this.look();
  }

  /** Ends it early, and keeps what was recorded. */
  stop(): void {
    if (this.recorder) this.finish();
    else this.drop();
  }

  /** Ends it, and keeps nothing. */
  drop(): void {
    this.end({ kind: "canceled" });
  }

  private add(sample: Sample): void {
    this.refusal = null;
    if (impossible(sample.time, sample.value, this.wanted)) return;
    this.silence.heard(sample.time);
    this.recent.push(sample);
    this.faults.push(sample.time, sample.value);
    while (Math.abs(this.recent[0]!.time - sample.time) > RECENT) this.recent.shift();
    this.recorder?.add(sample);
    if (this.recorder?.done) this.finish();
  }

  /** Also begins again where the sign was wrong until now. */
  private restart(): void {
    this.recent = [];
    this.faults = new Faults(inUnit(1, this.wanted), false);
    if (this.recorder) this.record();
  }

  private record(): void {
    const { person, activity, axes, length } = this.wanted;
    this.recorder = new Recorder(person, activity, axes, length);
    this.stored = 0;
  }

  private look(): void {
    if (this.recorder) return this.lookAtRecording(this.recorder);
    const left = this.wanted.countdown - (now() - this.begun) / 1000;
    if (left <= 0) {
      if (this.refusal) return this.end({ kind: "none", refusal: this.refusal });
      tones.begin();
      this.record();
      this.reports.progress(this.recorder!, null);
      // Nothing would end a recording that never begins.
      if (this.silence.silent) this.finish();
      return;
    }
    if (Math.ceil(left) === this.left) return;
    this.left = Math.ceil(left);
    this.reports.countdown(this.left);
    if (this.left <= HEARD) tones.tick();
  }

  private lookAtRecording(recorder: Recorder): void {
    // The rate is what the phone has; it is resampled later.
    this.reports.progress(recorder, complaint(this.recent, this.faults, { rate: 0, unit: this.wanted.unit }, this.wanted.limited));
    if (recorder.seconds - this.stored < CHECKPOINT) return;
    this.stored = recorder.seconds;
    this.reports.checkpoint?.(recorder);
  }

  private fallSilent(): void {
    this.recorder?.cut();
    if (this.recorder) this.finish();
  }

  private onVisibility = (): void => {
    // The countdown would end while the phone is still in the hand.
    if (document.hidden && !this.recorder) this.end({ kind: "hidden" });
  };

  private finish(): void {
    tones.end();
    this.end({ kind: "made", recorder: this.recorder! });
  }

  private end(ended: Ended): void {
    if (this.over) return;
    this.over = true;
    clearInterval(this.timer);
    this.silence.stop();
    this.stopSource();
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.reports.ended(ended);
  }
}
