/** Whether a phone is in a hand: a model of phones in pockets knows nothing about it. */

import type { Faults } from "./faults";
import { inUnit, type Metadata } from "../model/metadata";
import type { Sample } from "./motion";
import { lately } from "./watch";

/** The screen faces upwards and its reader; a hand is never quite still. Measured by benchmarks/pocket.py. */
const HELD = { seconds: 2, top: [0.25, 0.9], screen: 0.35, side: 0.4, range: 0.5 } as const;

/** Whether a hand holds the phone now. Ranges are in m/s^2, directions shares of gravity. */
export function isHeld(
  samples: Sample[], { means }: Pick<Faults, "means">, { unit, axes, convention }: Pick<Metadata, "unit" | "axes" | "convention">,
): boolean {
  const recent = lately(samples, HELD.seconds);
  if (recent.length < 2 || recent.length === samples.length) return false;
  const numbers = ["x", "y", "z"].map((axis) => axes.indexOf(axis));
  const each = numbers.map((axis) => recent.map(({ value }) => value[axis]!));
  if (each.every((axis) => Math.max(...axis) - Math.min(...axis) < inUnit(HELD.range, { unit }))) return false;
  // Gravity, with Android's sign.
  const size = Math.hypot(...means.slice(0, 3)) * (convention === "ios" ? -1 : 1);
  const [x, y, z] = numbers.map((axis) => means[axis]! / size) as [number, number, number];
  return Math.abs(x) < HELD.side && y > HELD.top[0] && y < HELD.top[1] && z > HELD.screen;
}
