/** Where a phone is: a model of phones in pockets knows nothing about one on a table, or in the hand. */

import { inUnit, type Metadata } from "../model/metadata";
import type { Sample } from "./motion";
import { lately, mean } from "./watch";

export type Place = "table" | "hand" | "shaken";

/** Of people who sit with the phone in a front pocket, 0.3 % of 4 s are taken for a table: see benchmarks/pocket.py. */
const LIES = { seconds: 4, tilt: Math.cos((6 * Math.PI) / 180), range: 0.15 };

/** The screen faces upwards and its reader; a hand is never quite still. Measured by the same script. */
const HELD = { seconds: 2, top: [0.25, 0.9], screen: 0.35, side: 0.4, range: 0.5 } as const;

/** Back and forth faster than anybody steps: as in `zoo.runtime.faults`. Seconds, m/s^2 and a correlation. */
const SHAKEN = { seconds: 2, strong: 6, back: [0.12, 0.28], forth: 0.16, repeated: 0.5 } as const;

/** Where the phone is, if that can be told and is no pocket. Ranges are in m/s^2, directions shares of gravity. */
export function placement(samples: Sample[], metadata: Pick<Metadata, "unit" | "axes" | "convention">): Place | null {
  if (shaken(samples, metadata)) return "shaken";
  const lying = summary(samples, LIES.seconds, metadata);
  if (lying && Math.abs(lying.gravity[2]!) > LIES.tilt && lying.range <= inUnit(LIES.range, metadata)) return "table";
  const held = summary(samples, HELD.seconds, metadata);
  if (!held || held.range < inUnit(HELD.range, metadata)) return null;
  const [x, y, z] = held.gravity as [number, number, number];
  return Math.abs(x) < HELD.side && y > HELD.top[0] && y < HELD.top[1] && z > HELD.screen ? "hand" : null;
}

/** The direction of gravity with Android's sign, and the widest range of an axis, in the last seconds; null where there are fewer. */
function summary(
  samples: Sample[], seconds: number, { axes, convention }: Pick<Metadata, "axes" | "convention">,
): { gravity: number[]; range: number } | null {
  const recent = lately(samples, seconds);
  if (recent.length < 2 || recent.length === samples.length) return null;
  const numbers = ["x", "y", "z"].map((axis) => axes.indexOf(axis));
  const means = numbers.map((axis) => mean(recent, axis));
  const size = Math.hypot(...means) * (convention === "ios" ? -1 : 1);
  return {
    gravity: means.map((each) => each / size),
    range: Math.max(...numbers.map((axis) => range(recent, axis))),
  };
}

function range(samples: Sample[], axis: number): number {
  let [least, most] = [Infinity, -Infinity];
  for (const { value } of samples) [least, most] = [Math.min(least, value[axis]!), Math.max(most, value[axis]!)];
  return most - least;
}

function shaken(samples: Sample[], metadata: Pick<Metadata, "unit" | "axes">): boolean {
  const recent = lately(samples, SHAKEN.seconds);
  const span = (recent.at(-1)?.time ?? 0) - (recent[0]?.time ?? 0);
  if (span < SHAKEN.seconds / 2) return false;
  const moves = ["x", "y", "z"].map((name) => {
    const axis = metadata.axes.indexOf(name);
    const usual = mean(recent, axis);
    return recent.map(({ value }) => value[axis]! - usual);
  });
  // The mean product of samples and those some places later.
  const repeats = (lag: number): number => {
    let sum = 0;
    for (const axis of moves) for (let i = lag; i < axis.length; i += 1) sum += axis[i]! * axis[i - lag]!;
    return sum / (recent.length - lag);
  };
  const power = repeats(0);
  if (power < inUnit(SHAKEN.strong, metadata) ** 2) return false;
  const interval = span / (recent.length - 1);
  let [back, forth] = [0, 0];
  for (let lag = 1; lag * interval <= SHAKEN.back[1] + 1e-9; lag += 1) {
    const seconds = lag * interval;
    const share = repeats(lag) / power;
    if (seconds >= SHAKEN.back[0] - 1e-9) back = Math.max(back, share);
    if (seconds <= SHAKEN.forth + 1e-9) forth = Math.min(forth, share);
  }
  return back >= SHAKEN.repeated && forth < 0;
}
