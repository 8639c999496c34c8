/**
 * The operations of TFLite that the models of the zoo consist of, on 32-bit floats.
 *
 * Each prepares all that depends on shapes once, and returns a function that reads its inputs and writes its outputs.
 */

import type { Table } from "./flatbuffer";

/** Numbers of a fixed shape. Whole numbers and booleans are kept as floats too. */
export interface Tensor {
  shape: number[];
  data: Float32Array;
}

/** An input that is left out is undefined. */
type Operation = (inputs: (Tensor | undefined)[], outputs: Tensor[], options: Table) => () => void;

const ADD = 0;
export const FULLY_CONNECTED = 9;
const MUL = 18;
export const SOFTMAX = 25;
const SUB = 41;

/** Two numbers to one. */
const PAIRS: Record<number, (a: number, b: number) => number> = {
  [ADD]: (a, b) => a + b,
  [MUL]: (a, b) => a * b,
  [SUB]: (a, b) => a - b,
};

/** What follows an operation without being one, by its number in the options. */
const ACTIVATIONS: ((x: number) => number)[] = [
  (x) => x,
  (x) => Math.max(0, x),
  (x) => Math.max(-1, Math.min(1, x)),
  (x) => Math.max(0, Math.min(6, x)),
  Math.tanh,
];

/** Operations by their code in the TFLite schema. */
export const OPERATIONS: Record<number, Operation> = {
  [ADD]: pairs(PAIRS[ADD]!),
  2: concatenation,
  3: convolution(false),
  4: convolution(true),
  // Of constants of 16 bits, which are read as 32.
  6: ([x], [y]) => copy(x!, y!),
  [FULLY_CONNECTED]: fullyConnected,
  14: each(() => (x) => 1 / (1 + Math.exp(-x))),
  [MUL]: pairs(PAIRS[MUL]!),
  22: reshape,
  [SOFTMAX]: softmax,
  28: each(() => Math.tanh),
  36: rows,
  39: transpose,
  40: mean,
  [SUB]: pairs(PAIRS[SUB]!),
  45: stridedSlice,
  48: top,
  49: split,
  55: pairs(Math.max),
  57: pairs(Math.min),
  58: pairs((a, b) => Number(a < b)),
  77: ([x], [y]) => () => y!.data.set(x!.shape),
  83: pack,
  98: each((options) => {
    const alpha = options.float(0);
    return (x) => (x < 0 ? alpha * x : x);
  }),
  123: select,
  150: each((options) => (options.byte(0) ? roughGelu : gelu)),
};

/** What an operation does to the number `x` before it and the constant `c`, or undefined if it is not of this kind. */
export function withConstant(code: number, first: boolean): ((x: number, c: number) => number) | undefined {
  const pair = PAIRS[code];
  return pair && (first ? pair : (x, c) => pair(c, x));
}

export const size = (shape: number[]) => shape.reduce((product, length) => product * length, 1);

function activation(options: Table, field: number): (x: number) => number {
  const found = ACTIVATIONS[options.byte(field)];
  if (!found) throw new Error("an activation that is not known here");
  return found;
}

function each(make: (options: Table) => (x: number) => number): Operation {
  return ([x], [y], options) => {
    const change = make(options);
    return () => {
      for (let i = 0; i < y!.data.length; i += 1) y!.data[i] = change(x!.data[i]!);
    };
  };
}

function pairs(pair: (a: number, b: number) => number): Operation {
  return ([a, b], [y], options) => {
    const change = activation(options, 0);
    const [left, right] = [a!, b!].map((one) => places(y!.shape, steps(one.shape, y!.shape.length), 0));
    return () => {
      for (let i = 0; i < y!.data.length; i += 1) {
        y!.data[i] = change(pair(a!.data[left![i]!]!, b!.data[right![i]!]!));
      }
    };
  };
}

/** Where the first is true the second, elsewhere the third. */
function select(inputs: (Tensor | undefined)[], [y]: Tensor[]): () => void {
  const [condition, yes, no] = inputs.map((one) => {
    const from = places(y!.shape, steps(one!.shape, y!.shape.length), 0);
    return (i: number) => one!.data[from[i]!]!;
  });
  return () => {
    for (let i = 0; i < y!.data.length; i += 1) y!.data[i] = condition!(i) ? yes!(i) : no!(i);
  };
}

const gelu = (x: number) => (x * (1 + erf(x / Math.SQRT2))) / 2;
const roughGelu = (x: number) => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2;

/** The error function to 1.5e-7: Abramowitz and Stegun, 7.1.26. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  return Math.sign(x) * (1 - series.reduce((sum, factor) => (sum + factor) * t, 0) * Math.exp(-x * x));
}

function fullyConnected([x, weights, bias]: (Tensor | undefined)[], [y]: Tensor[], options: Table): () => void {
  const change = activation(options, 0);
  const [units, width] = weights!.shape as [number, number];
  resize(y!, [x!.data.length / width, units]);
  return () => {
    const [from, by, to] = [x!.data, weights!.data, y!.data];
    for (let row = 0; row * units < to.length; row += 1) {
      for (let unit = 0; unit < units; unit += 1) {
        let sum = bias?.data[unit] ?? 0;
        for (let i = 0; i < width; i += 1) sum += from[row * width + i]! * by[unit * width + i]!;
        to[row * units + unit] = change(sum);
      }
    }
  };
}

/** A convolution, or one of each channel for itself, by as many filters as its multiplier says. */
function convolution(each: boolean): Operation {
  return ([x, filter, bias], [y], options) => {
    const change = activation(options, each ? 4 : 3);
    const read = reach(x!, filter!, y!, options, each ? 5 : 4);
    const [channels, filters] = [x!.shape[3]!, y!.shape[3]!];
    // How many channels a filter reads, and how far apart its weights lie from those of the next filter and place.
    const [count, next, along] = each ? [1, 1, filters] : [channels, size(filter!.shape) / filters, channels];
    return () => {
      read.forEach((pairs, place) => {
        for (let unit = 0; unit < filters; unit += 1) {
          const first = each ? Math.floor((unit * channels) / filters) : 0;
          let sum = bias?.data[unit] ?? 0;
          for (let pair = 0; pair < pairs.length; pair += 2) {
            const [from, weight] = [pairs[pair]! * channels + first, unit * next + pairs[pair + 1]! * along];
            for (let i = 0; i < count; i += 1) sum += x!.data[from + i]! * filter!.data[weight + i]!;
          }
          y!.data[place * filters + unit] = change(sum);
        }
      });
    };
  };
}

/**
 * What a convolution of one image `(1, height, width, channels)` reads for each place of its result: pairs of a place of
 * the image and a place of the filter. Beyond the edges of the image are zeros, which are left out.
 */
function reach(x: Tensor, filter: Tensor, y: Tensor, options: Table, dilation: number): Int32Array[] {
  if (options.integer(dilation, 1) !== 1 || options.integer(dilation + 1, 1) !== 1) throw new Error("a dilation");
  const SAME = 0;
  const [height, width, rows, columns] = [...x.shape.slice(1, 3), ...y.shape.slice(1, 3)] as [number, number, number, number];
  const [tall, wide] = filter.shape.slice(1, 3) as [number, number];
  const [across, down] = [options.integer(1), options.integer(2)];
  const before = (length: number, count: number, stride: number, long: number) =>
    options.byte(0) === SAME ? Math.floor(Math.max(0, (count - 1) * stride + long - length) / 2) : 0;
  const [above, left] = [before(height, rows, down, tall), before(width, columns, across, wide)];
  return Array.from({ length: rows * columns }, (_, place) => {
    const [top, start] = [Math.floor(place / columns) * down - above, (place % columns) * across - left];
    const pairs = Array.from({ length: tall * wide }, (_, weight) => {
      const [row, column] = [top + Math.floor(weight / wide), start + (weight % wide)];
      const inside = row >= 0 && row < height && column >= 0 && column < width;
      return inside ? [row * width + column, weight] : [];
    });
    return Int32Array.from(pairs.flat());
  });
}

function mean([x, axes]: (Tensor | undefined)[], [y]: Tensor[]): () => void {
  const rank = x!.shape.length;
  const reduced = Array.from(axes!.data, (axis) => (axis + rank) % rank);
  const kept = x!.shape.map((length, axis) => (reduced.includes(axis) ? 1 : length));
  const to = places(x!.shape, steps(kept, rank), 0);
  const share = y!.data.length / x!.data.length;
  return () => {
    y!.data.fill(0);
    to.forEach((place, i) => (y!.data[place]! += share * x!.data[i]!));
  };
}

function softmax([x]: (Tensor | undefined)[], [y]: Tensor[], options: Table): () => void {
  const [beta, classes] = [options.float(0), x!.shape.at(-1)!];
  return () => {
    for (let row = 0; row < y!.data.length; row += classes) {
      y!.data.set(normalized(x!.data.subarray(row, row + classes), beta), row);
    }
  };
}

/** Probabilities of logits. */
export function normalized(logits: ArrayLike<number>, beta = 1): number[] {
  const most = Math.max(...Array.from(logits));
  const powers = Array.from(logits, (logit) => Math.exp(beta * (logit - most)));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function concatenation(inputs: (Tensor | undefined)[], [y]: Tensor[], options: Table): () => void {
  const to = along(y!, options.integer(0), inputs as Tensor[]);
  return () => to.forEach((places, part) => places.forEach((place, i) => (y!.data[place] = inputs[part]!.data[i]!)));
}

function split([axis, x]: (Tensor | undefined)[], outputs: Tensor[]): () => void {
  const parts = along(x!, axis!.data[0]!, outputs).map((from, i) => gather(x!, outputs[i]!, from));
  return () => parts.forEach((part) => part());
}

/** Where the entries of parts lie in the whole that they make up, one after the other along an axis. */
function along({ shape }: Tensor, axis: number, parts: Tensor[]): Int32Array[] {
  const inner = steps(shape, shape.length);
  let offset = 0;
  return parts.map((part) => {
    const found = places(part.shape, inner, offset);
    offset += part.shape.at(axis)! * inner.at(axis)!;
    return found;
  });
}

function stridedSlice([x, begin, end, strides]: (Tensor | undefined)[], [y]: Tensor[], options: Table): () => void {
  const [beginMask, endMask, ellipsis, added, shrink] = [0, 1, 2, 3, 4].map((field) => options.integer(field));
  if (ellipsis || added || [...strides!.data].some((stride) => stride <= 0)) throw new Error("a kind of slice");
  const inner = steps(x!.shape, x!.shape.length);
  const within = (place: number, length: number) => Math.max(0, Math.min(length, place < 0 ? place + length : place));
  let offset = 0;
  const shape = x!.shape.map((length, axis) => {
    const bit = 1 << axis;
    const from = beginMask! & bit ? 0 : within(begin!.data[axis]!, length);
    offset += from * inner[axis]!;
    if (shrink! & bit) return 1;
    const to = endMask! & bit ? length : within(end!.data[axis]!, length);
    return Math.ceil((to - from) / strides!.data[axis]!);
  });
  return gather(x!, y!, places(shape, inner.map((step, axis) => step * strides!.data[axis]!), offset));
}

/** Rows of a table by their numbers, as words of an embedding. */
function rows([table, numbers]: (Tensor | undefined)[], [y]: Tensor[], options: Table): () => void {
  if (options.integer(0) || options.integer(1)) throw new Error("a kind of gathering");
  const width = size(table!.shape.slice(1));
  return () => numbers!.data.forEach((row, i) => y!.data.set(table!.data.subarray(row * width, (row + 1) * width), i * width));
}

function pack(inputs: (Tensor | undefined)[], [y]: Tensor[], options: Table): () => void {
  if (options.integer(1)) throw new Error("a kind of packing");
  return () => inputs.forEach((one, i) => y!.data.set(one!.data, i * one!.data.length));
}

function transpose([x, order]: (Tensor | undefined)[], [y]: Tensor[]): () => void {
  const step = steps(x!.shape, x!.shape.length);
  return gather(x!, y!, places(y!.shape, Array.from(order!.data, (axis) => step[axis]!), 0));
}

/** The greatest of each row, and where they are; of equal ones, the first. */
function top([x, count]: (Tensor | undefined)[], [values, places]: Tensor[]): () => void {
  const [most, width] = [count!.data[0]!, x!.shape.at(-1)!];
  return () => {
    for (let row = 0; row * width < x!.data.length; row += 1) {
      const numbers = x!.data.subarray(row * width, (row + 1) * width);
      const order = Array.from(numbers.keys()).sort((a, b) => numbers[b]! - numbers[a]! || a - b).slice(0, most);
      places!.data.set(order, row * most);
      values!.data.set(order.map((place) => numbers[place]!), row * most);
    }
  };
}

/** Of a shape that is computed, the file states the result. */
function reshape([x, shape]: (Tensor | undefined)[], [y]: Tensor[]): () => void {
  const wanted = [...(shape?.data ?? [])];
  const known = size(wanted.filter((length) => length !== -1));
  if (wanted.includes(-1)) resize(y!, wanted.map((length) => (length === -1 ? x!.data.length / known : length)));
  return copy(x!, y!);
}

/** Gives a result its shape, where the file states that of one row in place of as many as there are. */
function resize(y: Tensor, shape: number[]): void {
  if (size(shape) !== y.data.length) [y.shape, y.data] = [shape, new Float32Array(size(shape))];
}

function copy(source: Tensor, target: Tensor): () => void {
  return () => target.data.set(source.data);
}

function gather(source: Tensor, target: Tensor, from: Int32Array): () => void {
  if (from.length !== target.data.length) throw new Error("a shape that does not follow from its operation");
  return () => from.forEach((place, i) => (target.data[i] = source.data[place]!));
}

/** How far entries of an array lie apart along each axis of a result; 0 along an axis on which it has one entry. */
function steps(shape: number[], rank: number): number[] {
  const whole = [...Array(rank - shape.length).fill(1), ...shape] as number[];
  return whole.map((length, axis) => (length === 1 ? 0 : size(whole.slice(axis + 1))));
}

/** Where the entries of an array of a shape lie in another array, in order. */
function places(shape: number[], step: number[], offset: number): Int32Array {
  return Int32Array.from({ length: size(shape) }, (_, entry) => {
    let [rest, place] = [entry, offset];
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      place += (rest % shape[axis]!) * step[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return place;
  });
}
