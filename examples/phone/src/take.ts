/** One labeled minute, from the countdown to its end. */

import { converter, listen, type Refusal, type Sample } from "./motion";
import { type Ending, LENGTH, Recorder } from "./recorder";
import * as tones from "./tones";
import { complaint, Silence } from "./watch";

/** Seconds to put the phone away. */
export const COUNTDOWN = 10;

/** Seconds before the start that are heard. */
const HEARD = 3;

/** Milliseconds between two looks at the clock, and seconds of signal after which a recording is stored. */
const LOOK = 100;
const CHECKPOINT = 5;

/** As the recordings of the zoo are, whatever the phone is. */
const UNITS = { unit: "m/s^2", convention: "android" };

/** Seconds of the signal that are checked. */
const RECENT = 3;

export interface Made {
  seconds: number;
  csv: string;
}

/** How it ended. Of one that was canceled, or hidden before it began, nothing is kept. */
export type Ended =
  | ({ ending: Ending } & Made)
  | { ending: "canceled" | "hidden" }
  | { ending: "none"; refusal: Refusal };

/** What a take reports. */
export interface Reports {
  countdown(seconds: number): void;
  /** @param problem With the signal, if any. */
  progress(seconds: number, problem: string | null): void;
  checkpoint(made: Made): void;
  ended(ended: Ended): void;
}

export class Take {
  ended: Ended | null = null;
  private recorder: Recorder | null = null;
  private readonly begun = performance.now();
  private readonly silence = new Silence(() => this.fallSilent());
  private readonly stopSource: () => void;
  private readonly timer = window.setInterval(() => this.look(), LOOK);
  private recent: Sample[] = [];
  private left = COUNTDOWN + 1;
  private stored = 0;

  constructor(
    private readonly what: { person: string; activity: string; axes: string[] },
    private readonly reports: Reports,
  ) {
    this.stopSource = listen(what.axes.length > 3, converter({ axes: what.axes, ...UNITS }), {
      sample: (sample) => this.add(sample),
      signChange: () => this.restart(),
      nothing: (refusal) => this.end({ ending: "none", refusal }),
      empty: () => undefined,
    });
    document.addEventListener("visibilitychange", this.onVisibility);
    this.look();
  }

  /** Ends it before it begins. */
  cancel(): void {
    if (!this.recorder) this.end({ ending: "canceled" });
  }

  /** Ends it early. */
  stop(): void {
    if (this.recorder) this.finish();
  }

  private add(sample: Sample): void {
    this.silence.heard();
    this.recent.push(sample);
    while (Math.abs(this.recent[0]!.time - sample.time) > RECENT) this.recent.shift();
    this.recorder?.add(sample);
    if (this.recorder?.done) this.finish();
  }

  /** The sign was wrong until now. */
  private restart(): void {
    this.recent = [];
    if (this.recorder) this.record();
  }

  private record(): void {
    this.recorder = new Recorder(this.what.person, this.what.activity, this.what.axes);
    this.stored = 0;
  }

  private look(): void {
    if (this.recorder) return this.lookAtRecording(this.recorder);
    const left = COUNTDOWN - (performance.now() - this.begun) / 1000;
    if (left <= 0) {
      tones.begin();
      this.record();
      this.reports.progress(0, null);
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
    this.reports.progress(recorder.seconds, complaint(this.recent, { rate: 0, unit: UNITS.unit }));
    if (recorder.seconds - this.stored < CHECKPOINT) return;
    this.stored = recorder.seconds;
    this.reports.checkpoint({ seconds: recorder.seconds, csv: recorder.csv() });
  }

  private fallSilent(): void {
    this.recorder?.cut();
    if (this.recorder) this.finish();
  }

  private onVisibility = (): void => {
    // The countdown would end while the phone is still in the hand.
    if (document.hidden && !this.recorder) this.end({ ending: "hidden" });
  };

  private finish(): void {
    const { seconds, ending } = this.recorder!;
    tones.end();
    this.end({ ending, seconds: Math.min(seconds, LENGTH), csv: this.recorder!.csv() });
  }

  private end(ended: Ended): void {
    if (this.ended) return;
    this.ended = ended;
    clearInterval(this.timer);
    this.silence.stop();
    this.stopSource();
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.reports.ended(ended);
  }
}
