/** The charts: activities of the last minute, and acceleration and rotation rate of the last seconds. */

import type { Sample } from "./motion";

/** Seconds that each chart spans. */
export const MINUTE = 60;
export const SIGNAL = 5;

/** What a chart of a signal shows: three channels from the first one on, and the value at its edges. */
export interface Sensor {
  first: number;
  reach: number;
}

/** m/s^2, and rad/s. */
export const ACCELERATION: Sensor = { first: 0, reach: 25 };
export const ROTATION: Sensor = { first: 3, reach: 10 };

export const AXES = ["x", "y", "z"];

export interface Moment {
  time: number;
  label: number | null;
}

/** One labeled lane a class, so that color alone carries no meaning. */
export function drawMinute(canvas: HTMLCanvasElement, moments: Moment[], classes: string[], now: number): void {
  const { context, width, height, color, rem } = prepare(canvas);
  const lane = height / classes.length;
  const left = 5.75 * rem;
  context.font = `${0.875 * rem}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  classes.forEach((name, i) => {
    context.fillStyle = color("--soft");
    context.fillText(name, 0, (i + 0.5) * lane, left - 0.5 * rem);
    context.fillStyle = color("--line");
    context.fillRect(left, (i + 0.5) * lane - 0.5, width - left, 1);
  });
  context.fillStyle = color("--accent");
  const x = (time: number) => left + ((time - now + MINUTE) / MINUTE) * (width - left);
  moments.forEach(({ time, label }, i) => {
    if (label === null) return;
    const end = moments[i + 1]?.time ?? now;
    const start = Math.max(left, x(time));
    context.fillRect(start, label * lane + 0.15 * lane, Math.max(1, x(end) - start), 0.7 * lane);
  });
}

/** One line an axis. */
export function drawSignal(canvas: HTMLCanvasElement, { first, reach }: Sensor, samples: Sample[], now: number): void {
  const { context, width, height, color } = prepare(canvas);
  const y = (value: number) => height * (0.5 - Math.max(-1, Math.min(1, value / reach)) / 2);
  context.fillStyle = color("--line");
  context.fillRect(0, y(0), width, 1);
  context.lineWidth = 1.5;
  AXES.forEach((axis, i) => {
    context.strokeStyle = color(`--${axis}`);
    context.beginPath();
    for (const { time, value } of samples) {
      context.lineTo(((time - now + SIGNAL) / SIGNAL) * width, y(value[first + i]!));
    }
    context.stroke();
  });
}

/** The chart of the last minute in words. */
export function describeMinute(moments: Moment[], classes: string[], now: number): string {
  const seconds = classes.map(() => 0);
  moments.forEach(({ time, label }, i) => {
    if (label !== null) seconds[label]! += (moments[i + 1]?.time ?? now) - time;
  });
  const parts = classes.flatMap((name, i) => (seconds[i]! >= 0.5 ? [`${name} ${Math.round(seconds[i]!)} seconds`] : []));
  return parts.join(", ") || "Nothing yet";
}

function prepare(canvas: HTMLCanvasElement) {
  const { width, height } = canvas.getBoundingClientRect();
  const scale = window.devicePixelRatio;
  [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  const context = canvas.getContext("2d")!;
  context.scale(scale, scale);
  const style = getComputedStyle(document.documentElement);
  return {
    context, width, height,
    color: (name: string) => style.getPropertyValue(name),
    rem: parseFloat(style.fontSize),
  };
}
