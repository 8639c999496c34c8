/** A simulated person who stands and walks in turn. The stride is an average one, `walk.json`, made by `walk.py`. */

import type { Sample } from "./motion";
import type { Vector } from "./resampler";
import stride from "./walk.json";

/** Hz of the samples, as of most phones. */
const RATE = 60;
const STANDING = 5;
const WALKING = 15;
const NOISE = 0.2;

/** Radians by which the thigh swings forward and back, and rad/s of noise, as in `zoo/data/gait.py`. */
const SWING = (20 * Math.PI) / 180;
const TREMOR = 0.05;

/** Acceleration of the phone `time` seconds after the start; Android's convention. */
export function acceleration(time: number): Vector {
  const moment = time % (STANDING + WALKING);
  const noise = () => NOISE * (Math.random() + Math.random() - 1);
  if (moment < STANDING) {
    const scale = 9.81 / Math.hypot(...stride.mean);
    return axes((axis) => scale * stride.mean[axis]! + noise() / 2);
  }
  // The length of a stride varies.
  const phase = 2 * Math.PI * stride.strides_a_second * moment + 0.1 * Math.sin(time);
  return axes((axis) =>
    stride.cosines.reduce(
      (sum, cosine, k) =>
        sum + cosine[axis]! * Math.cos((k + 1) * phase) + stride.sines[k]![axis]! * Math.sin((k + 1) * phase),
      stride.mean[axis]! + noise(),
    ),
  );
}

/** Rotation rate of the phone in rad/s: the thigh swings about x, once a stride. */
export function rotation(time: number): Vector {
  const moment = time % (STANDING + WALKING);
  const noise = () => TREMOR * (Math.random() + Math.random() - 1);
  const hertz = 2 * Math.PI * stride.strides_a_second;
  const swing = moment < STANDING ? 0 : SWING * hertz * Math.cos(hertz * moment + 0.1 * Math.sin(time));
  return axes((axis) => (axis === 0 ? swing : 0) + noise());
}

/** Sends samples as a phone would, in Android's convention; returns a function that stops it. */
export function simulate(onSample: (sample: Sample) => void): () => void {
  const start = performance.now() / 1000;
  let sent = 0;
  // Timers fire late: overdue samples are sent at once, each with the time at which it was due.
  const timer = setInterval(() => {
    for (const now = performance.now() / 1000; start + sent / RATE <= now; sent += 1) {
      onSample({ time: start + sent / RATE, value: [...acceleration(sent / RATE), ...rotation(sent / RATE)] });
    }
  }, 1000 / RATE);
  return () => clearInterval(timer);
}

function axes(number: (axis: number) => number): Vector {
  return [number(0), number(1), number(2)];
}
