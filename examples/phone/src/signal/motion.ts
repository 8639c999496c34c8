/**
 * The phone's accelerometer and gyroscope: DeviceMotion events to samples in the model's unit, axes and sign.
 *
 * By the standard and on Android, z is +9.81 for a phone at rest, face up; on iOS it is -9.81. Which of the two a browser
 * follows shows in the direction of gravity: DeviceOrientation tells by its angles which way is up, and means the same
 * on both. Before it has told, or where it is silent, the name of the system decides.
 *
 * Rotation rate comes in degrees per second by the right-hand rule, on all systems. Its alpha, beta and gamma are the rates
 * about x, y and z, in the standard and in all browsers; those of DeviceOrientation are angles about z, x and y.
 */

import { asleep } from "../page/clock";
import { STANDARD_GRAVITY, type Metadata } from "../model/metadata";
import type { Vector } from "./resampler";

export interface Sample {
  time: number;
  value: Vector;
}

/** Converts x, y, z in m/s^2, with a sign of gravity, and rotation rate in rad/s, if any, to the model's input. */
export type Converter = (value: Vector, sign: number) => Vector;

/** Why there are no samples. */
export type Refusal = "insecure" | "refused" | "sensorless" | "gyroless";

interface Permission {
  requestPermission?: () => Promise<"granted" | "denied">;
}

export const CHANNELS = ["x", "y", "z", "gyro_x", "gyro_y", "gyro_z"];

/** Milliseconds in which a phone that has a sensor has sent something. */
const PATIENCE = 2000;

/** Asks for the sensors where the system wants to be asked, which it allows in a tap alone. */
export async function permitted(): Promise<Refusal | null> {
  if (!window.isSecureContext) return "insecure";
  if (!("DeviceMotionEvent" in window)) return "sensorless";
  // Both at once, for a tap allows no second question; the system asks its owner once.
  const [motion] = await Promise.all([ask(DeviceMotionEvent), ask(window.DeviceOrientationEvent)]);
  return motion === undefined || motion === "granted" ? null : "refused";
}

async function ask(event: object): Promise<"granted" | "denied" | undefined> {
  return (event as Permission | undefined)?.requestPermission?.().catch(() => "denied" as const);
}

/** Whether a model reads a gyroscope as well. */
export function turns(metadata: Metadata): boolean {
  return metadata.axes.length > 3;
}

/** What becomes of the events of the sensors. */
export interface Listener {
  sample(sample: Sample): void;
  /** Gravity turns out to have the other sign. */
  signChange(): void;
  /**
   * No sample has arrived for a while after the start; one may still come.
   *
   * @param certain Whether events have come that lack the readings.
   */
  nothing(why: Refusal, certain: boolean): void;
  /** An event lacks the readings of a sensor. */
  empty(why: Refusal): void;
}

/**
 * Listens to the accelerometer, and to the gyroscope where a model reads it.
 *
 * @param gyroscope Whether it does.
 * @param convert To what the model reads, see `converter`.
 * @param listener Is told of samples, and why there are none.
 * @returns A function that stops listening.
 */
export function listen(gyroscope: boolean, convert: Converter, listener: Listener): () => void {
  const gravity = new GravitySign();
  let some = false;
  let certain = false;
  let why: Refusal = "sensorless";
  const onMotion = (event: DeviceMotionEvent) => {
    const { x, y, z } = event.accelerationIncludingGravity ?? {};
    certain = true;
    if (x == null || y == null || z == null) return listener.empty("sensorless");
    why = "gyroless";
    const turning = gyroscope ? radians(event.rotationRate) : [];
    if (!turning) return listener.empty(why);
    some = true;
    if (gravity.update([x, y, z])) listener.signChange();
    listener.sample({ time: (event.timeStamp + asleep()) / 1000, value: convert([x, y, z, ...turning], gravity.sign) });
  };
  const onOrientation = (event: DeviceOrientationEvent) => gravity.orient(event.beta, event.gamma);
  addEventListener("devicemotion", onMotion);
  addEventListener("deviceorientation", onOrientation);
  let timer: ReturnType<typeof setTimeout>;
  // A phone that is locked sends nothing: it has all the time again once it is not.
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => some || document.hidden || listener.nothing(why, certain), PATIENCE);
  };
  document.addEventListener("visibilitychange", wait);
  wait();
  return () => {
    removeEventListener("devicemotion", onMotion);
    removeEventListener("deviceorientation", onOrientation);
    document.removeEventListener("visibilitychange", wait);
    clearTimeout(timer);
  };
}

/** Rotation rate about x, y and z in rad/s, or null where it is not known. */
function radians(rate: DeviceMotionEventRotationRate | null): Vector | null {
  const { alpha, beta, gamma } = rate ?? {};
  if (alpha == null || beta == null || gamma == null) return null;
  return [alpha, beta, gamma].map((degrees) => (degrees * Math.PI) / 180);
}

/**
 * Makes the converter of a model.
 *
 * @throws If the model reads axes or a unit that no phone has.
 */
export function converter(metadata: Pick<Metadata, "axes" | "unit" | "convention">): Converter {
  const { axes, unit, convention } = metadata;
  const order = axes.map((axis) => CHANNELS.indexOf(axis));
  const scale = { "m/s^2": 1, g: 1 / STANDARD_GRAVITY }[unit];
  const wanted = { android: 1, ios: -1 }[convention];
  if (![3, 6].includes(order.length) || order.includes(-1) || !scale || !wanted) {
    throw new Error(`the model reads ${axes.join(", ")} in ${unit} with the sign of ${convention}`);
  }
  return (value, sign) => order.map((channel) => (channel < 3 ? scale * wanted * sign : 1) * value[channel]!);
}

/** Whether gravity counts upwards (+1, as in the standard) or downwards (-1, as on iOS). */
class GravitySign {
  sign = isApple() ? -1 : 1;
  private up: Vector | null = null;
  /** Mean over the last second or so of gravity's share in the direction that is up, from -1 to 1. */
  private share = 0;

  /** Angles in degrees: of the top edge upwards, and of the right edge downwards. */
  orient(beta: number | null, gamma: number | null): void {
    if (beta === null || gamma === null) return;
    const [b, g] = [(beta * Math.PI) / 180, (gamma * Math.PI) / 180];
    this.up = [-Math.cos(b) * Math.sin(g), Math.sin(b), Math.cos(b) * Math.cos(g)];
  }

  /** Whether the sign changes with this acceleration. */
  update(value: Vector): boolean {
    if (!this.up) return false;
    const along = value.reduce((sum, number, axis) => sum + number * this.up![axis]!, 0);
    this.share = 0.95 * this.share + (0.05 * Math.max(-2, Math.min(2, along / STANDARD_GRAVITY)));
    if (Math.abs(this.share) < 0.5 || Math.sign(this.share) === this.sign) return false;
    this.sign = Math.sign(this.share);
    return true;
  }
}

function isApple(): boolean {
  // An iPad says that it is a Mac, but no Mac is touched.
  return /iPhone|iPad|iPod/.test(navigator.userAgent) || (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
}
