/** Renders the page; makes no decisions. */

import {
  ACCELERATION, ACCELERATION_G, AXES, describeMinute, drawLanes, drawSignal, MINUTE, ROTATION, type Sensor,
} from "./charts";
import { showAddress } from "./code";
import { byId, capital, element, percent, write } from "./dom";
import { chosen, ears } from "./ears";
import type { Metadata } from "./metadata";
import { turns, type Refusal, type Sample } from "./motion";
import type { Recognizer } from "./recognizer";
import { type Recorder, shares } from "./recorder";
import type { Prediction } from "./stream";
import { isHandheld } from "./system";
import type { Timeline } from "./timeline";

export type State = "loading" | "start" | "running" | "summary" | "problem" | "teach";
export type Problem = Refusal | "model" | "recording";

export const REFUSED: Record<Refusal, [title: string, text: string]> = {
  insecure: [
    "This address is not secure",
    "Browsers allow motion sensors over HTTPS only. Open the address that starts with https://, as printed by zoo serve.",
  ],
  refused: [
    "Access to the motion sensor was refused",
    "Allow motion sensors in the browser's settings for this site, then reload the page. On an iPhone, close the page, open it again, tap Start and then Allow.",
  ],
  sensorless: [
    "No motion sensor",
    "This device reports no acceleration. Open the page on a phone, or watch the simulated recording.",
  ],
  gyroless: [
    "No gyroscope",
    "This model also reads a gyroscope, and this device reports no rotation rate. Open the page on another phone, watch the simulated recording, or cut windows with zoo data windows --channels x,y,z and train a model that reads acceleration alone.",
  ],
};

const PROBLEMS: Record<Problem, [title: string, text: string]> = {
  ...REFUSED,
  model: ["The model cannot be loaded", "Put a file written by zoo export next to the page, as model.tflite, or list it in models.json."],
  recording: ["The simulated recording cannot be loaded", "Reload the page when you are online."],
};

/** Why a signal that was there has ended. */
export type Silent = "stopped" | "hidden" | "empty" | "gyroless";

const SILENT: Record<Silent, string> = {
  stopped: "The sensor has stopped sending.",
  hidden: "The phone is locked or shows another app, which stops the sensor.",
  empty: "The sensor sends events without acceleration.",
  gyroless: "The sensor sends events without rotation rate, which this model reads.",
};

export function showState(state: State): void {
  document.body.dataset.state = state;
  const visible: Record<string, boolean> = {
    live: state === "running",
    known: state === "start",
    summary: state === "summary",
    stop: state === "running",
    start: state !== "running" && state !== "teach",
    simulate: state !== "running" && state !== "teach",
    pause: false,
    lessons: state === "teach",
    "lessons-done": state === "teach",
    fix: false,
    "teach-row": state === "start" || state === "summary",
    settings: state !== "loading" && state !== "teach",
    how: state === "running" || state === "summary" || state === "start",
    "ears-row": (state === "start" || state === "running") && ears().length > 1,
    elsewhere: false,
    notice: false,
    problem: state === "problem",
    progress: state === "loading",
  };
  for (const [id, shown] of Object.entries(visible)) byId(id).hidden = !shown;
  for (const id of ["start", "simulate"]) byId<HTMLButtonElement>(id).disabled = state === "loading";
  write("start", state === "summary" ? "Start again" : "Start");
  if (state !== "running" && state !== "summary") byId("simulated").hidden = true;
  for (const id of ["probability", "detail", "hint", "said"]) write(id, "");
  byId("label").style.minHeight = "";
  scrollTo(0, 0);
}

/** Shows how much of what has arrived; of what is compressed on its way the total is not known. */
export function showProgress(what: string, received: number, total: number | null): void {
  const progress = byId<HTMLProgressElement>("progress");
  if (total) [progress.max, progress.value] = [total, received];
  else progress.removeAttribute("value");
  write("detail", `${what}: ${total ? `${Math.round(received / 1000).toLocaleString("en")} of ${size(total)}` : size(received)}`);
}

export function showLoading(): void {
  showState("loading");
  write("label", "Loading…");
}

function origin(source: string): string {
  return source === "not stated" ? "training data not stated" : `trained on ${source}`;
}

function size(bytes: number): string {
  return `${Math.round(bytes / 1000).toLocaleString("en")} kB`;
}

export function showStart({ metadata, bytes, engine }: Recognizer): void {
  showState("start");
  write("label", "What am I doing?");
  write("detail", "Tap Start and put the phone in your pants pocket. Sensor data never leaves your phone.");
  write("hint", "Leave the screen on: most phones stop the sensor when they are locked.");
  byId("known").replaceChildren(...metadata.classes.map((name) => element("li", "chip", name)));
  byId("ears").replaceChildren(...ears().map(([value, text]) => new Option(text, value, false, value === chosen())));
  write("unit", metadata.unit.replace("^2", "²"));
  const made = metadata.simulated ? "trained on SIMULATED people" : origin(metadata.source);
  write("about", `Model ${metadata.preset}, ${size(bytes)}, run by ${engine.name}; ${made}; license ${metadata.license}.`);
  if (!isHandheld()) showAddress();
}

export function showProblem(problem: Problem, why?: string): void {
  showState("problem");
  const [title, text] = PROBLEMS[problem];
  write("label", title);
  write("problem-text", why ? `${capital(why)}. ${text}` : text);
  // Without a model there is nothing to start; where an address is not secure there is no sensor.
  byId<HTMLButtonElement>("start").disabled = problem === "model" || problem === "insecure";
  byId<HTMLButtonElement>("simulate").disabled = problem === "model";
  if (problem === "sensorless" || problem === "gyroless") showAddress();
}

/** Shows what is wrong with a signal that is still being read, or nothing. */
export function showNotice(text: string | null): void {
  byId("notice").hidden = text === null;
  byId("restart").hidden = true;
  write("notice-text", text ?? "");
}

/** Takes back what was claimed, for there is no signal, and says why. */
export function showSilence(why: Silent): void {
  showNotice(SILENT[why]);
  byId("restart").hidden = false;
  write("label", "No signal");
  clear();
}

/** Shows that samples arrive, of which nothing can be said yet. */
export function showListening(): void {
  showNotice(null);
  write("label", "Listening…");
  clear();
}

function clear(): void {
  for (const id of ["probability", "detail"]) write(id, "");
  for (const row of byId("bars").children) setBar(row, null, false);
}

export function missedText(seconds: number): string {
  return `${duration(seconds)} are missing: while a phone is locked or shows another app, it stops the sensor.`;
}

/** Says that the screen may turn off. */
export function showSleepy(): void {
  write("hint", "The screen may turn off, which stops the sensor: lengthen its timeout in the phone's settings.");
}

/** What a screen reader reads: one sentence a change. */
export function say(text: string): void {
  write("said", text);
}

export function showRunning(metadata: Metadata, simulated: boolean): void {
  showState("running");
  byId("simulated").hidden = byId("pause").hidden = !simulated;
  write("stop", simulated ? "Stop" : "Hold to stop");
  if (simulated) {
    showPaused(false);
    // Keeps its place until the recording is there.
    write("hint", "\u00a0");
    if (!isHandheld()) showAddress();
  }
  byId("rotation").hidden = !turns(metadata);
  byId("bars").replaceChildren(...metadata.classes.map((name) => bar(name, "meter")));
  if (!simulated) write("hint", "Made for a pants pocket, with the screen on. Elsewhere it guesses.");
  showListening();
  reserve(metadata);
}

export function showPaused(paused: boolean): void {
  write("pause", paused ? "Resume" : "Pause");
  if (paused) write("detail", "Paused");
}

/** Shows what the simulated person does, besides what the model says. */
export function showTruth({ classes }: Metadata, activity: string): void {
  write("hint", classes.includes(activity) ? `Simulated activity: ${activity}` : `Simulated: ${activity}, not in this model`);
}

/** Keeps the place of the longest label, so that nothing below jumps. */
export function reserve(metadata: Metadata): void {
  const label = byId("label");
  const shown = label.textContent!;
  label.style.minHeight = "";
  const heights = [shown, "Not sure", ...metadata.classes].map((text) => {
    label.textContent = text;
    return label.getBoundingClientRect().height;
  });
  label.textContent = shown;
  label.style.minHeight = `${Math.max(...heights)}px`;
}

export function labelText(metadata: Metadata, label: number | null): string {
  return label === null ? "Not sure" : capital(metadata.classes[label]!);
}

export function showPrediction(metadata: Metadata, { label, probability, probabilities }: Prediction): void {
  write("label", labelText(metadata, label));
  const guess = metadata.classes[probabilities.indexOf(Math.max(...probabilities))]!;
  write("probability", label === null ? `perhaps ${guess}` : percent(probability));
  [...byId("bars").children].forEach((row, i) => setBar(row, probabilities[i]!, i === label));
}

/** Where time went, after Stop. */
export function showSummary({ classes }: Metadata, timeline: Timeline): void {
  showState("summary");
  const rows = [...classes.map((name, i) => ({ name, label: i as number | null })), { name: "not sure", label: null }];
  const spent = rows.map((row) => ({ ...row, seconds: timeline.seconds(row.label) })).filter(({ seconds }) => seconds > 0);
  spent.sort((a, b) => b.seconds - a.seconds);
  const [most] = spent;
  write("label", most && most.label !== null ? `Mostly ${most.name}` : "Not sure");
  const missed = timeline.length - spent.reduce((sum, { seconds }) => sum + seconds, 0);
  write("detail", `${duration(timeline.length)} in all${missed >= 1 ? `, ${duration(missed)} without a signal` : ""}.`);
  byId("minutes").replaceChildren(
    ...spent.map(({ name, seconds }) => {
      const row = bar(name);
      setBar(row, seconds / timeline.length, false);
      row.querySelector(".percent")!.textContent = duration(seconds);
      return row;
    }),
  );
  showTimeline(classes, timeline);
  byId("timeline").setAttribute("aria-label", spent.map(({ name, seconds }) => `${name} ${duration(seconds)}`).join(", "));
  write("from", "0 s");
  write("to", duration(timeline.length));
  byId("share").hidden = !shares();
}

/** Draws the timeline of the summary. */
export function showTimeline(classes: string[], timeline: Timeline): void {
  drawLanes(byId<HTMLCanvasElement>("timeline"), timeline, classes, timeline.start, timeline.start + timeline.length);
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export function showMeasured(rate: number, milliseconds: number): void {
  const parts = [
    Number.isFinite(rate) ? `${rate.toFixed(0)} Hz` : "",
    // The resolution of a browser's clock.
    Number.isFinite(milliseconds) ? `${milliseconds < 0.1 ? "under 0.1" : milliseconds.toFixed(1)} ms per run` : "",
  ];
  write("detail", parts.filter(Boolean).join(" · "));
}

/** @param silence Seconds since the last sample: the charts go on without one. */
export function showCharts(metadata: Metadata, samples: Sample[], silence: number, timeline: Timeline): void {
  const last = samples.at(-1);
  if (!last) return;
  const minute = byId<HTMLCanvasElement>("minute");
  drawLanes(minute, timeline, metadata.classes, timeline.now - MINUTE, timeline.now);
  minute.setAttribute("aria-label", `The last ${MINUTE} seconds: ${describeMinute(timeline, metadata.classes)}`);
  const now = last.time + silence;
  showSignal("signal", sensorOf(metadata), samples, now);
  if (turns(metadata)) showSignal("turning", ROTATION, samples, now);
}

export function sensorOf(metadata: Metadata): Sensor {
  return metadata.unit === "g" ? ACCELERATION_G : ACCELERATION;
}

function showSignal(id: string, sensor: Sensor, samples: Sample[], now: number): void {
  drawSignal(byId<HTMLCanvasElement>(id), sensor, samples, now);
  const { value } = samples.at(-1)!;
  byId(`${id}-axes`).replaceChildren(...AXES.map((axis, i) => axisValue(axis, value[sensor.first + i]!)));
}

export function showRecorder(metadata: Metadata, ready: boolean): void {
  byId("teach").hidden = !ready;
  // Labels of the model are suggested, and any other is taken: it may be of the next model.
  byId("activities").replaceChildren(...metadata.classes.map((name) => new Option(name)));
}

export function showRecording(seconds: number, length: number): void {
  byId<HTMLButtonElement>("record").disabled = true;
  write("record", `${Math.floor(seconds)} of ${length} s`);
  write("recorded", "Recording. Stop ends it early.");
}

/** Says what became of a recording. */
export function showRecorded(recorder: Recorder): void {
  byId<HTMLButtonElement>("record").disabled = false;
  write("record", "Record");
  const seconds = `${Math.floor(recorder.seconds)} s`;
  const texts = {
    full: `${recorder.fileName}: ${seconds} of ${recorder.activity}.`,
    stopped: `${recorder.fileName}: ${seconds} of ${recorder.activity}.`,
    cut: `${recorder.fileName}: ${seconds} of ${recorder.activity}, cut where the signal broke off.`,
    discarded: `Discarded: ${seconds} of signal is too short to keep.`,
  };
  write("recorded", texts[recorder.ending]);
}

export function showOffline(): void {
  byId("offline").hidden = false;
}

function bar(name: string, role?: string): HTMLElement {
  const row = element("li");
  const box = element("div", "bar");
  if (role) {
    const attributes = { role, "aria-label": name, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" };
    for (const [key, value] of Object.entries(attributes)) box.setAttribute(key, value);
  }
  box.append(element("div", "fill"));
  row.append(element("span", "name", name), box, element("span", "percent"));
  return row;
}

/** Sets a bar to a share from 0 to 1, or to none. */
function setBar(row: Element, share: number | null, current: boolean): void {
  row.setAttribute("aria-current", String(current));
  row.querySelector("[role=meter]")?.setAttribute("aria-valuenow", `${Math.round(100 * (share ?? 0))}`);
  row.querySelector<HTMLElement>(".fill")!.style.transform = `scaleX(${share ?? 0})`;
  row.querySelector(".percent")!.textContent = share === null ? "" : percent(share);
}

function axisValue(axis: string, value: number): HTMLElement {
  return element("span", `axis-${axis}`, `${axis} ${value.toFixed(1).replace("-", "−")}`);
}
