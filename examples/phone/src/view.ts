/** Renders the page; makes no decisions. */

import { ACCELERATION, AXES, describeMinute, drawMinute, drawSignal, MINUTE, type Moment, ROTATION, type Sensor } from "./charts";
import type { Metadata } from "./metadata";
import { turns, type Refusal, type Sample } from "./motion";
import type { Recorder } from "./recorder";
import type { Prediction } from "./stream";

export type State = "loading" | "start" | "running" | "problem";
export type Problem = Refusal | "model";

const PROBLEMS: Record<Problem, [title: string, text: string]> = {
  insecure: [
    "This address is not secure",
    "Browsers allow motion sensors over HTTPS only. Open the address that starts with https://, as printed by `zoo serve`.",
  ],
  refused: [
    "The motion sensor was refused",
    "Allow motion sensors in the browser's settings for this site, then reload the page. On an iPhone, close the page, open it again, tap Start and then Allow.",
  ],
  sensorless: [
    "No motion sensor",
    "This device reports no acceleration. Open the page on a phone, or try the simulated walk.",
  ],
  gyroless: [
    "No gyroscope",
    "This model also reads a gyroscope, and this device reports no rotation rate. Open the page on another phone, try the simulated walk, or train a model of acceleration alone, with `zoo data windows --channels x,y,z`.",
  ],
  model: ["The model cannot be loaded", "Put a file written by `zoo export` next to the page, as model.tflite."],
};

export const byId = <T extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as T;

export function showState(state: State): void {
  document.body.dataset.state = state;
  byId("live").hidden = state !== "running";
  byId("known").hidden = state !== "start";
  byId("start").textContent = state === "running" ? "Stop" : "Start";
  byId<HTMLButtonElement>("start").disabled = state === "loading";
  byId<HTMLButtonElement>("simulate").disabled = state === "loading";
  byId("simulate").hidden = state === "running";
  if (state !== "problem") byId("problem").hidden = true;
  if (state !== "running") byId("simulated").hidden = true;
  for (const id of ["probability", "detail"]) write(id, "");
}

export function showStart(metadata: Metadata, bytes: number): void {
  showState("start");
  write("label", "What am I doing?");
  write("detail", "Tap Start and put the phone in your trouser pocket. Sensor data never leaves your phone.");
  byId("known").replaceChildren(...metadata.classes.map((name) => element("li", "chip", name)));
  write("unit", metadata.unit.replace("^2", "²"));
  const made = metadata.simulated ? "SIMULATED people" : metadata.source;
  write("about", `Model ${metadata.preset}, ${(bytes / 1000).toFixed(0)} kB, trained on ${made}; license ${metadata.license}.`);
}

export function showProblem(problem: Problem, why?: string): void {
  showState("problem");
  const [title, text] = PROBLEMS[problem];
  write("label", title);
  write("problem-title", "");
  write("problem-text", why ? `${capital(why)}. ${text}` : text);
  byId("problem").hidden = false;
  // Without a model there is nothing to start.
  for (const id of ["start", "simulate"]) byId<HTMLButtonElement>(id).disabled = problem === "model";
}

/** Shows a problem with a signal that is still being read. */
export function showComplaint(text: string | null): void {
  byId("problem").hidden = text === null;
  write("problem-title", "Problem with the signal");
  write("problem-text", text ?? "");
}

export function showRunning(metadata: Metadata, simulated: boolean): void {
  showState("running");
  byId("simulated").hidden = !simulated;
  byId("rotation").hidden = !turns(metadata);
  write("label", "Listening…");
  byId("bars").replaceChildren(...metadata.classes.map(bar));
}

export function showPrediction(metadata: Metadata, prediction: Prediction): void {
  write("label", prediction.label === null ? "Not sure" : metadata.classes[prediction.label]!);
  write("probability", `${Math.round(100 * prediction.probability)} %`);
  [...byId("bars").children].forEach((row, i) => {
    const probability = prediction.probabilities[i]!;
    const percent = `${Math.round(100 * probability)}`;
    row.setAttribute("aria-current", String(i === prediction.label));
    row.querySelector("[role=meter]")!.setAttribute("aria-valuenow", percent);
    row.querySelector<HTMLElement>(".fill")!.style.transform = `scaleX(${probability})`;
    row.querySelector(".percent")!.textContent = `${percent} %`;
  });
}

export function showMeasured(rate: number, milliseconds: number): void {
  const parts = [
    Number.isFinite(rate) ? `${rate.toFixed(0)} Hz` : "",
    // The resolution of a browser's clock.
    Number.isFinite(milliseconds) ? `${milliseconds < 0.1 ? "under 0.1" : milliseconds.toFixed(1)} ms a run` : "",
  ];
  write("detail", parts.filter(Boolean).join(" · "));
}

export function showCharts(metadata: Metadata, samples: Sample[], moments: Moment[]): void {
  const last = samples.at(-1);
  if (!last) return;
  const minute = byId<HTMLCanvasElement>("minute");
  drawMinute(minute, moments, metadata.classes, last.time);
  minute.setAttribute("aria-label", `The last ${MINUTE} seconds: ${describeMinute(moments, metadata.classes, last.time)}`);
  showSignal("signal", ACCELERATION, samples, last);
  if (turns(metadata)) showSignal("turning", ROTATION, samples, last);
}

function showSignal(id: string, sensor: Sensor, samples: Sample[], last: Sample): void {
  drawSignal(byId<HTMLCanvasElement>(id), sensor, samples, last.time);
  byId(`${id}-axes`).replaceChildren(...AXES.map((axis, i) => axisValue(axis, last.value[sensor.first + i]!)));
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

export function showRecorded(recorder: Recorder): void {
  byId<HTMLButtonElement>("record").disabled = false;
  write("record", "Record");
  write("recorded", `${recorder.fileName}: ${Math.round(recorder.seconds)} s of ${recorder.activity}.`);
}

export function showOffline(): void {
  byId("offline").hidden = false;
}

export function write(id: string, text: string): void {
  const element = byId(id);
  // Unchanged text is not written again, so that a screen reader reads a label once.
  if (element.textContent !== text) element.textContent = text;
}

function bar(name: string): HTMLElement {
  const row = element("li");
  const meter = element("div", "bar");
  const attributes = { role: "meter", "aria-label": name, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" };
  for (const [key, value] of Object.entries(attributes)) meter.setAttribute(key, value);
  meter.append(element("div", "fill"));
  row.append(element("span", "", name), meter, element("span", "percent"));
  return row;
}

function axisValue(axis: string, value: number): HTMLElement {
  return element("span", `axis-${axis}`, `${axis} ${value.toFixed(1).replace("-", "−")}`);
}

function element(tag: string, className = "", textContent = ""): HTMLElement {
  return Object.assign(document.createElement(tag), { className, textContent });
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
