/** *Gather, train, try*: the owner records activities on the phone, lets the last layer learn them, and sees what it believes. */

import { announce } from "./ears";
import type { HeldBack } from "./learn";
import { Lessons, type Recording } from "./lessons";
import { listen, permitted, type Converter, type Refusal, type Sample, turns } from "./motion";
import type { Recognizer } from "./recognizer";
import { csvName, download, Recorder } from "./recorder";
import { keepAwake, letSleep } from "./system";
import type { Timeline } from "./timeline";
import { Silence } from "./watch";
import { byId, element, percent, write } from "./dom";
import { REFUSED, showState } from "./view";

/** Seconds of a recording, and those before it, in which the phone goes into the pocket. */
const LENGTH = 30;
const BEFORE = 5;

/** Milliseconds between two looks at a recording. */
const LOOKED = 250;

/** Of a stretch that was recognized wrongly: windows at least, seconds left out at both ends, and seconds at most. */
const FEWEST = 2;
const EDGE = 1;
const LONGEST = 60;

export class Teaching {
  private lessons: Lessons | null = null;
  private convert: Converter | null = null;
  private stopRecording = () => {};
  private stretches: { name: string; samples: Sample[] }[] = [];

  /** @param changed Is told of the model with what it has learned. */
  constructor(private readonly changed: (recognizer: Recognizer) => void) {
    byId("lesson").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.record();
    });
    byId("fix").addEventListener("submit", (event) => {
      event.preventDefault();
      this.fix();
    });
    byId("learn").addEventListener("click", () => this.learn());
    byId("lesson-save").addEventListener("click", () => {
      const { lessons } = this;
      if (lessons?.file) download(csvName("taught").replace(/csv$/, "json"), lessons.file, "application/json");
    });
    byId("lesson-reset").addEventListener("click", () => this.reset());
  }

  /** Takes a model as it comes; returns it with what it learned here before. */
  use(untaught: Recognizer, convert: Converter): Recognizer {
    this.lessons = new Lessons(untaught);
    this.convert = convert;
    const { obstacle } = this.lessons;
    byId("teach-open").hidden = obstacle !== null;
    byId("unteachable").hidden = obstacle === null;
    write("unteachable", obstacle ?? "");
    byId("learned").hidden = true;
    return this.lessons.recognizer;
  }

  /** Shows the recordings. */
  show(): void {
    showState("teach");
    write("label", "Teach it");
    write("lesson-said", "");
    const { classes } = this.lessons!.recognizer.metadata;
    byId("activities").replaceChildren(...classes.map((name) => new Option(name)));
    this.list();
  }

  /** Ends a recording that is under way, and keeps nothing of it. */
  leave(): void {
    this.stopRecording();
  }

  /** After a run, offers to say what some of its stretches were. */
  offer({ segments }: Timeline, history: Sample[]): void {
    const { metadata } = this.lessons!.recognizer;
    const least = (FEWEST * metadata.window) / metadata.rate + 2 * EDGE;
    this.stretches = segments
      .filter(({ start, end }) => end - start >= least && start >= (history[0]?.time ?? Infinity))
      .map(({ start, end, label }) => ({
        name: `${clock(start - segments[0]!.start)} to ${clock(end - segments[0]!.start)}, ${label === null ? "not sure" : metadata.classes[label]}`,
        samples: history.filter(({ time }) => time > start + EDGE && time < Math.min(end - EDGE, start + LONGEST)),
      }));
    byId("fix").hidden = this.lessons!.obstacle !== null || !this.stretches.length;
    byId("fix-when").replaceChildren(...this.stretches.map(({ name }, i) => new Option(name, `${i}`)));
    byId("activities").replaceChildren(...metadata.classes.map((name) => new Option(name)));
  }

  private fix(): void {
    const stretch = this.stretches[Number(byId<HTMLSelectElement>("fix-when").value)]!;
    const activity = byId<HTMLInputElement>("fix-activity").value.trim();
    this.show();
    this.add(activity, stretch.samples);
    byId("learn").scrollIntoView({ block: "center" });
  }

  private add(activity: string, samples: Sample[]): void {
    const kept = this.lessons!.add(activity, samples);
    write("lesson-said", kept ? "" : "The browser's storage is full: this recording is lost when the page is closed.");
    this.list();
  }

  private async record(): Promise<void> {
    const button = byId<HTMLButtonElement>("lesson-record");
    if (button.disabled) return;
    button.disabled = true;
    const refusal = await permitted();
    if (refusal) return this.refuse(refusal);
    // Done was tapped while the system asked.
    if (document.body.dataset.state !== "teach") return this.ready();
    const activity = byId<HTMLInputElement>("lesson-activity").value.trim();
    const { metadata } = this.lessons!.recognizer;
    const recorder = new Recorder("", activity, metadata.axes, LENGTH);
    let first = NaN;
    const silence = new Silence(() => {
      recorder.cut();
      if (recorder.done) return;
      stop();
      write("lesson-said", "The sensor has stopped sending.");
    });
    const stopSource = listen(turns(metadata), this.convert!, {
      sample: (sample) => {
        silence.heard();
        if (Number.isNaN(first)) first = sample.time;
        if (sample.time - first >= BEFORE) recorder.add(sample);
        else write("lesson-said", `Put the phone in your pocket: recording begins in ${Math.ceil(BEFORE - sample.time + first)} s.`);
      },
      // The wrong sign until now.
      signChange: () => recorder.samples.splice(0),
      empty: () => {},
      nothing: (why) => {
        stop();
        this.refuse(why);
      },
    });
    const timer = setInterval(() => {
      if (recorder.samples.length) write("lesson-record", `${Math.floor(recorder.seconds)} of ${LENGTH} s`);
      if (!recorder.done) return;
      stop();
      this.finish(recorder);
    }, LOOKED);
    keepAwake(() => {});
    const stop = () => {
      letSleep();
      stopSource();
      silence.stop();
      clearInterval(timer);
      this.ready();
    };
    this.stopRecording = stop;
  }

  private refuse(why: Refusal): void {
    this.ready();
    write("lesson-said", REFUSED[why].join(". "));
  }

  private ready(): void {
    this.stopRecording = () => {};
    byId<HTMLButtonElement>("lesson-record").disabled = false;
    write("lesson-record", "Record half a minute");
  }

  private finish(recorder: Recorder): void {
    announce("vibrate" in navigator ? "vibrate" : "off", "");
    if (recorder.seconds < LENGTH / 2) {
      write("lesson-said", `Discarded: the signal stopped after ${Math.floor(recorder.seconds)} s.`);
    } else this.add(recorder.activity, recorder.samples);
  }

  private learn(): void {
    const { classes, share, heldBack } = this.lessons!.learn();
    this.changed(this.lessons!.recognizer);
    const right = (when: "before" | "after") => heldBack.filter((each) => each[when] === each.label).length;
    write(
      "learned-text",
      share
        ? `Learned. Of ${heldBack.length} windows that were held back, it now recognizes ${right("after")}; before, it recognized ${right("before")}. It keeps ${percent(share)} of what it learned.`
        : `It recognizes ${right("before")} of ${heldBack.length} windows already, and learning did not help with those that were held back: it stays as it is.`,
    );
    showConfusion(classes, heldBack);
    byId("learned").hidden = false;
    this.list();
  }

  private reset(): void {
    this.lessons!.reset();
    this.changed(this.lessons!.recognizer);
    byId("learned").hidden = true;
    this.show();
    write("lesson-said", "All forgotten.");
  }

  /** Shows each recording with what the model takes it for. */
  private list(): void {
    const { recordings, file } = this.lessons!;
    byId("lesson-list").replaceChildren(...recordings.map((recording) => this.row(recording)));
    byId<HTMLButtonElement>("learn").disabled = new Set(recordings.map(({ activity }) => activity)).size < 2;
    byId("lesson-save").hidden = !file;
    byId("lesson-reset").hidden = !recordings.length && !file;
  }

  private row(recording: Recording): HTMLElement {
    const { metadata } = this.lessons!.recognizer;
    const row = element("li", "lesson");
    const [text, remove] = [element("p"), element("button", "", "Delete")];
    const seconds = Math.round(recording.rows.length / metadata.rate);
    const believed = this.lessons!.believed(recording).map(([name, windows]) => `${name} (${windows})`);
    text.append(element("strong", "", `${recording.activity}, ${seconds} s`), element("br"));
    text.append(`Recognized as ${believed.join(", ")}`);
    remove.setAttribute("type", "button");
    remove.setAttribute("aria-label", `Delete ${recording.activity}, ${seconds} s`);
    remove.addEventListener("click", () => {
      this.lessons!.remove(recording);
      this.list();
      byId("lesson-activity").focus();
    });
    row.append(text, remove);
    return row;
  }
}

/** Shows for each recorded activity what its windows that were held back are taken for. */
function showConfusion(classes: string[], heldBack: HeldBack[]): void {
  const rows = [...new Set(heldBack.map(({ label }) => label))].map((row) => {
    const windows = heldBack.filter(({ label }) => label === row);
    const others = [...new Set(windows.map(({ after }) => after))].filter((after) => after !== row);
    const count = (taken: number) => windows.filter(({ after }) => after === taken).length;
    const wrong = others.map((taken) => `, ${count(taken)} ${taken < 0 ? "not sure" : `taken for ${classes[taken]}`}`).join("");
    return element("li", "", `${classes[row]}: ${count(row)} of ${windows.length} recognized${wrong}`);
  });
  byId("confusion").replaceChildren(...rows);
}

function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${`${Math.floor(seconds % 60)}`.padStart(2, "0")}`;
}
