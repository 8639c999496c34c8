/** One recording, from the countdown to its end: a labeled minute, or half a minute to teach the page. */

import { Faults } from "../signal/faults";
import { converter, listen, type Refusal, type Sample } from "../signal/motion";
import { inUnit, type Metadata } from "../model/metadata";
import { Recorder } from "./recorder";
import { GAP, impossible } from "../signal/stream";
import { now } from "../page/clock";
import { isHandheld } from "../page/system";
import * as tones from "../page/tones";
import { type Complaint, complaint } from "../signal/watch";

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
export type Outcome = { kind: "made"; recorder: Recorder } | { kind: "canceled" | "hidden" };
export type Ended = Outcome | { kind: "none"; refusal: Refusal };

/** What a take reports. */
export interface Reports {
  countdown(seconds: number): void;
  /** @param problem With the signal, if any. */
  progress(recorder: Recorder, problem: Complaint | null): void;
  /** It has grown by some seconds. */
  checkpoint?(recorder: Recorder): void;
  ended(ended: Ended): void;
}

/** Where a take stands: before the tone, with why there has been no sample so far, or after it, with what was stored. */
type Phase =
  | { kind: "countdown"; left: number; refusal: Refusal | null }
  | { kind: "recording"; recorder: Recorder; stored: number }
  | { kind: "over" };

export class Take {
  private phase: Phase = { kind: "countdown", left: Infinity, refusal: null };
  /** The last seconds, what was made of them, and when the last sample came, if any, in milliseconds on the clock of the page. */
  private signal!: { recent: Sample[]; faults: Faults; heard: number };
  private readonly begun = now();
  private readonly stopSource: () => void;
  private readonly timer: number;

  constructor(readonly wanted: Wanted, private readonly reports: Reports) {
    this.restart();
    this.stopSource = listen(wanted.axes.length > 3, converter(wanted), {
      sample: (sample) => this.add(sample),
      signChange: () => this.restart(),
      nothing: (refusal, certain) => this.lack(refusal, certain),
      empty: () => undefined,
    });
    document.addEventListener("visibilitychange", this.onVisibility);
    this.timer = window.setInterval(() => this.look(), LOOK);
    this.look();
  }

  /** Ends it early, and keeps what was recorded, if anything. */
  stop(): void {
    this.finish();
    this.end();
  }

  /** Ends it, and keeps nothing. */
  end(): void {
    this.close({ kind: "canceled" });
  }

  private add(sample: Sample): void {
    const { phase, signal, signal: { recent, faults } } = this;
    if (phase.kind === "countdown") this.phase = { ...phase, refusal: null };
    if (impossible(sample.time, sample.value, this.wanted)) return;
    signal.heard = now();
    recent.push(sample);
    faults.push(sample.time, sample.value);
    while (Math.abs(recent[0]!.time - sample.time) > RECENT) recent.shift();
    if (phase.kind !== "recording") return;
    phase.recorder.add(sample);
    if (phase.recorder.done) this.finish();
  }

  private lack(refusal: Refusal, certain: boolean): void {
    const { phase } = this;
    // A phone's sensor that is slow to start has until the end of the countdown; a computer has none.
    if (certain || phase.kind !== "countdown" || !isHandheld()) this.close({ kind: "none", refusal });
    else this.phase = { ...phase, refusal };
  }

  /** Also begins again where the sign was wrong until now. */
  private restart(): void {
    this.signal = { recent: [], faults: new Faults(inUnit(1, this.wanted), false), heard: NaN };
    if (this.phase.kind === "recording") this.record();
  }

  private record(): void {
    const { person, activity, axes, length } = this.wanted;
    this.phase = { kind: "recording", recorder: new Recorder(person, activity, axes, length), stored: 0 };
  }

  private look(): void {
    if (this.phase.kind === "countdown") this.countDown(this.phase);
    else if (this.phase.kind === "recording") this.watch(this.phase);
  }

  private countDown(phase: Phase & { kind: "countdown" }): void {
    const left = Math.ceil(this.wanted.countdown - (now() - this.begun) / 1000);
    if (left <= 0 && phase.refusal) return this.close({ kind: "none", refusal: phase.refusal });
    if (left <= 0) {
      tones.begin();
      this.record();
    } else if (left !== phase.left) {
      this.phase = { ...phase, left };
      this.reports.countdown(left);
      if (left <= HEARD) tones.tick();
    }
  }

  private watch(phase: Phase & { kind: "recording" }): void {
    const [{ recorder, stored }, { recent, faults, heard }, { unit, limited }] = [phase, this.signal, this.wanted];
    const grown = recorder.seconds - stored >= CHECKPOINT;
    if (grown) this.phase = { ...phase, stored: recorder.seconds };
    // The rate is what the phone has; it is resampled later.
    this.reports.progress(recorder, complaint(recent, faults, { rate: 0, unit }, limited));
    if (grown) this.reports.checkpoint?.(recorder);
    // A silence as long as a gap ends a recording, also one that was silent at the tone.
    if (!(now() - heard > 1000 * GAP)) return;
    recorder.cut();
    this.finish();
  }

  private onVisibility = (): void => {
    // The countdown would end while the phone is still in the hand.
    if (document.hidden && this.phase.kind === "countdown") this.close({ kind: "hidden" });
  };

  private finish(): void {
    if (this.phase.kind !== "recording") return;
    tones.end();
    this.close({ kind: "made", recorder: this.phase.recorder });
  }

  private close(ended: Ended): void {
    if (this.phase.kind === "over") return;
    this.phase = { kind: "over" };
    clearInterval(this.timer);
    this.stopSource();
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.reports.ended(ended);
  }
}
