/** The charts: activities over time, and acceleration and rotation rate of the last seconds. */

import { type Look, looks } from "./activities";
import { isSeen, prepare } from "./canvas";
import * as clock from "../page/clock";
import { byId, element } from "./dom";
import type { Metadata } from "../model/metadata";
import type { Sample } from "../signal/motion";
import { spoken } from "../signal/stream";
import { stroke, swing } from "./picture";
import type { Timeline } from "../signal/timeline";

/** Seconds that each chart spans. */
const MINUTE = 60;
export const SIGNAL = 5;

/** Milliseconds between two drawings of the last minute, in which a bar moves by a pixel or two: nobody sees more of them. */
const SLOW = 500;

/**
 * What a chart of a signal shows: three channels from the first one on, the value at its edges, and its grid. Reach and
 * grid double as often as a sample in view needs.
 */
interface Sensor {
  first: number;
  reach: number;
  grid: number;
}

/** m/s^2, g, and rad/s. */
const ACCELERATION: Sensor = { first: 0, reach: 25, grid: 10 };
const ACCELERATION_G: Sensor = { first: 0, reach: 2.5, grid: 1 };
const ROTATION: Sensor = { first: 3, reach: 12, grid: 5 };

export const AXES = ["x", "y", "z"];

/** The share of the width that names of classes take, at most, and the space beside numbers, in rem. */
const NAMES = 0.4;
const NUMBERS = 2;

/** When the last minute was drawn in its present size, in milliseconds on the clock of the page, and whether it was in view. */
let [drawn, seen] = [-Infinity, false];
addEventListener("resize", () => (drawn = -Infinity));

/** Draws the signal of the last seconds up to now, and every now and then the last minute and the numbers. */
export function drawLive(metadata: Metadata, samples: Sample[], now: number, timeline: Timeline): void {
  const minute = byId<HTMLCanvasElement>("minute");
  const due = clock.now() - drawn >= SLOW || isSeen(minute) !== seen;
  swing(byId("picture"));
  showSignals(metadata, samples, now, due);
  if (!due) return;
  [drawn, seen] = [clock.now(), isSeen(minute)];
  if (seen) drawLanes(minute, timeline, spoken(metadata), timeline.now - MINUTE, timeline.now);
  minute.setAttribute("aria-label", `The last ${MINUTE} seconds: ${describeMinute(timeline, metadata.classes)}`);
}

/** Draws the signal of the last seconds, by default up to its last sample. */
export function showSignals(metadata: Pick<Metadata, "unit" | "axes">, samples: Sample[], now?: number, numbers = true): void {
  showSignal("signal", sensorOf(metadata), samples, now, numbers);
  if (metadata.axes.length > 3) showSignal("turning", ROTATION, samples, now, numbers);
}

export function sensorOf({ unit }: Pick<Metadata, "unit">): Sensor {
  return unit === "g" ? ACCELERATION_G : ACCELERATION;
}

export function showSignal(id: string, sensor: Sensor, samples: Sample[], now = samples.at(-1)?.time, numbers = true): void {
  const canvas = byId<HTMLCanvasElement>(id);
  if (now === undefined || !isSeen(canvas)) return;
  drawSignal(canvas, sensor, samples, now);
  if (!numbers) return;
  const { value } = samples.at(-1)!;
  const words = AXES.map((axis, i) => `${axis} ${value[sensor.first + i]!.toFixed(1).replace("-", "−")}`);
  byId(`${id}-axes`).replaceChildren(...words.map((text, i) => element("span", `axis-${AXES[i]}`, text)));
}

/** One labeled lane a class, so that color alone carries no meaning, below one of what the person of a recording really does. */
export function drawLanes(canvas: HTMLCanvasElement, timeline: Timeline, classes: string[], start: number, end: number): void {
  const { context, width, height, color, rem } = prepare(canvas);
  const { segments, truths } = timeline;
  const names = [...new Set([...classes, ...truths.map(({ name }) => name)])];
  const each = looks(names);
  const rows = truths.length ? ["really", ...classes] : classes;
  const first = rows.length - classes.length;
  const lane = height / rows.length;
  context.font = `${Math.min(0.875 * rem, 0.8 * lane)}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  const widest = Math.max(...rows.map((name) => context.measureText(name).width));
  const figure = Math.min(1.25 * rem, 0.95 * lane);
  const left = Math.min(figure + widest + rem, NAMES * width);
  // The scale below starts where the lanes do.
  canvas.parentElement!.style.setProperty("--left", `${left}px`);
  rows.forEach((name, i) => {
    const look = each[i - first];
    context.fillStyle = color("--soft");
    context.fillText(name, figure + 0.25 * rem, (i + 0.5) * lane, left - figure - 0.75 * rem);
    if (look) stroke(context, look.figure, color(look.color), 0, (i + 0.5) * lane - figure / 2, figure);
    context.fillStyle = color("--line");
    context.fillRect(left, (i + 0.5) * lane - 0.5, width - left, 1);
  });
  const x = (time: number) => left + ((time - start) / (end - start)) * (width - left);
  const bar = (row: number, { color: name, figure }: Look, begun: number, ended: number, named: boolean) => {
    if (ended < start) return;
    const [from, to, size] = [x(Math.max(start, begun)), x(ended), 0.7 * lane];
    context.fillStyle = color(name);
    context.fillRect(from, (row + 0.15) * lane, Math.max(1, to - from), size);
    if (named && to - from > size) stroke(context, figure, color("--card"), from, (row + 0.15) * lane, size);
  };
  for (const one of segments) if (one.label !== null) bar(first + one.label, each[one.label]!, one.start, one.end, false);
  for (const one of truths) bar(0, each[names.indexOf(one.name)]!, one.start, one.end, true);
}

/** One line per axis, with gaps where no sample arrived, over a labeled grid. */
export function drawSignal(
  canvas: HTMLCanvasElement, sensor: Sensor, all: Sample[], now: number, seconds = SIGNAL,
): void {
  const { context, width, height, color, rem } = prepare(canvas);
  const samples = all.filter(({ time }) => time >= now - seconds);
  const { first, reach, grid } = fitted(sensor, samples);
  const left = NUMBERS * rem;
  const y = (value: number) => height * (0.5 - value / reach / 2);
  const x = (time: number) => left + ((time - now + seconds) / seconds) * (width - left);
  context.font = `${0.75 * rem}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (let value = -Math.floor(reach / grid) * grid; value <= reach; value += grid) {
    context.fillStyle = color("--line");
    context.fillRect(left, y(value) - 0.5, width - left, 1);
    context.fillStyle = color("--soft");
    context.fillText(`${value}`.replace("-", "−"), left - 0.4 * rem, y(value), left - 0.4 * rem);
  }
  context.beginPath();
  context.rect(left, 0, width - left, height);
  context.clip();
  context.lineWidth = 1.5;
  AXES.forEach((axis, i) => {
    context.strokeStyle = color(`--${axis}`);
    context.beginPath();
    samples.forEach(({ time, value }, n) => {
      const gap = n > 0 && Math.abs(time - samples[n - 1]!.time) > BREAK;
      context[gap ? "moveTo" : "lineTo"](x(time), y(value[first + i]!));
    });
    context.stroke();
  });
}

function fitted({ first, reach, grid }: Sensor, samples: Sample[]): Sensor {
  const largest = Math.max(reach, ...samples.flatMap(({ value }) => value.slice(first, first + AXES.length).map(Math.abs)));
  const times = 2 ** Math.ceil(Math.log2(largest / reach));
  return { first, reach: times * reach, grid: times * grid };
}

/** Seconds between samples over which no line is drawn. */
const BREAK = 0.5;

/** The chart of the last minute in words. */
function describeMinute(timeline: Timeline, classes: string[]): string {
  const since = timeline.now - MINUTE;
  const parts = classes.flatMap((name, i) => {
    const seconds = timeline.seconds(i, since);
    return seconds >= 0.5 ? [`${name} ${Math.round(seconds)} seconds`] : [];
  });
  return parts.join(", ") || "Nothing yet";
}
