/** The rows of a recording: an envelope of them at any scale, and what is worth a look. They are read from plain data. */

import type { Range, Recording } from "./day";

/** Rows of a level that become one of the next level. */
const STEP = 8;
/** Rows of a level in the narrowest column that is drawn of it: one that lies at an edge is a fourth of it. */
const FINE = 4;
/** Seconds of the blocks in which rest and pose are found. */
const BLOCK = 2;
/** Standard deviation of |a| in cm/s^2 below which the phone is at rest, and the seconds for which it is so at least. */
const REST = 15;
const LONG_REST = 20;
/** Radians by which gravity turns from one pose to the next, and seconds between two turns. */
const TURN = 0.8;
const APART = 6;

/** Minima and maxima of x, y, z and |a|, four numbers for each row of a level. */
interface Level {
  low: Int16Array;
  high: Int16Array;
}

/** The rows between two gaps, in seconds since the first row of the recording, and levels of ever fewer rows. */
export interface Part {
  start: number;
  rate: number;
  rows: number;
  levels: Level[];
}

/** Minima and maxima of x, y, z and |a| in cm/s^2, in columns of equal width; null where nothing was recorded. */
export interface Envelope {
  start: number;
  end: number;
  columns: (number[] | null)[];
}

export interface Marks {
  /** Where the phone is at rest. */
  rests: [number, number][];
  /** Where its pose changes. */
  turns: number[];
}

/** The parts of a recording, of x, y and z of all rows in cm/s^2. */
export function partsOf({ parts }: Recording, content: ArrayBuffer): Part[] {
  const numbers = new Int16Array(content);
  let next = 0;
  return parts.map(([start, rate, rows]) => {
    const all = new Int16Array(4 * rows);
    for (let at = 0; at < all.length; at += 4, next += 3) {
      const [x, y, z] = [numbers[next]!, numbers[next + 1]!, numbers[next + 2]!];
      all[at] = x;
      all[at + 1] = y;
      all[at + 2] = z;
      all[at + 3] = Math.round(Math.sqrt(x * x + y * y + z * z));
    }
    const levels: Level[] = [{ low: all, high: all }];
    while (levels.at(-1)!.low.length > 4 * STEP) levels.push(coarser(levels.at(-1)!));
    return { start, rate, rows, levels };
  });
}

function coarser({ low, high }: Level): Level {
  const rows = Math.ceil(low.length / 4 / STEP);
  const made = { low: new Int16Array(4 * rows).fill(32767), high: new Int16Array(4 * rows).fill(-32768) };
  for (let at = 0; at < low.length; at++) {
    const place = 4 * Math.floor(at / (4 * STEP)) + (at % 4);
    if (low[at]! < made.low[place]!) made.low[place] = low[at]!;
    if (high[at]! > made.high[place]!) made.high[place] = high[at]!;
  }
  return made;
}

/** What a view shows in so many columns. */
export function envelopeOf(parts: Part[], { start, end }: Range, columns: number): Envelope {
  const step = (end - start) / columns;
  const found = new Array<number[] | null>(columns).fill(null);
  for (const part of parts) {
    let [rate, number] = [part.rate, 0];
    while (number + 1 < part.levels.length && step * rate >= FINE * STEP) [rate, number] = [rate / STEP, number + 1];
    const level = part.levels[number]!;
    const rows = level.low.length / 4;
    const [begin, stop] = [part.start, part.start + part.rows / part.rate].map((moment) => (moment - start) / step);
    for (let column = Math.max(0, Math.floor(begin!)); column < Math.min(columns, stop!); column++) {
      // A column without a row of its own shows the one before it.
      const first = Math.min(rows - 1, Math.max(0, Math.floor((column - begin!) * step * rate)));
      const last = Math.max(first + 1, Math.min(rows, Math.floor((column + 1 - begin!) * step * rate)));
      const numbers = (found[column] ??= [32767, 32767, 32767, 32767, -32768, -32768, -32768, -32768]);
      for (let at = 4 * first; at < 4 * last; at++) {
        numbers[at % 4] = Math.min(numbers[at % 4]!, level.low[at]!);
        numbers[4 + (at % 4)] = Math.max(numbers[4 + (at % 4)]!, level.high[at]!);
      }
    }
  }
  return { start, end, columns: found };
}

/** Where the phone is at rest for long, and where its pose changes, in seconds. */
export function marksOf(parts: Part[]): Marks {
  const marks: Marks = { rests: [], turns: [] };
  for (const { start, rate, rows, levels } of parts) {
    const count = Math.max(1, Math.round(BLOCK * rate));
    const moment = (block: number) => start + (block * count) / rate;
    const blocks = Array.from({ length: Math.floor(rows / count) }, (_, block) => blockOf(levels[0]!.low, block * count, count));
    for (let from = 0, to = 0; from < blocks.length; from = to + 1) {
      for (to = from; blocks[to]?.still; ) to++;
      if (moment(to) - moment(from) >= LONG_REST) marks.rests.push([moment(from), moment(to)]);
    }
    // Between the blocks before and after one, as a turn may lie within it.
    for (let at = 1; at + 1 < blocks.length; at++) {
      const [before, after] = [blocks[at - 1]!.gravity, blocks[at + 1]!.gravity];
      const cosine = before.reduce((sum, value, axis) => sum + value * after[axis]!, 0) / Math.hypot(...before) / Math.hypot(...after);
      if (Math.acos(Math.min(1, Math.max(-1, cosine))) <= TURN) continue;
      if (moment(at + 0.5) - (marks.turns.at(-1) ?? -Infinity) > APART) marks.turns.push(moment(at + 0.5));
    }
  }
  return marks;
}

/** Whether the phone is at rest in some rows, and where gravity points. */
function blockOf(numbers: Int16Array, first: number, count: number): { still: boolean; gravity: number[] } {
  const gravity = [0, 0, 0];
  let [sum, squares] = [0, 0];
  for (let row = first; row < first + count; row++) {
    for (let axis = 0; axis < 3; axis++) gravity[axis]! += numbers[4 * row + axis]! / count;
    const length = numbers[4 * row + 3]!;
    sum += length / count;
    squares += (length * length) / count;
  }
  return { still: squares - sum * sum < REST * REST, gravity };
}
