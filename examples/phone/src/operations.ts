/**
 * The operations of TFLite that one step of a recurrent network of the zoo consists of, on 32-bit floats.
 *
 * Each prepares all that depends on shapes once, and returns a function that reads its inputs and writes its outputs.
 */

import type { Table } from "./flatbuffer";

/** Numbers of a fixed shape. Whole numbers, which only constants are, are kept as floats too. */
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
  3: convolution,
  // Of constants of 16 bits, which are read as 32.
  6: ([x], [y]) => copy(x!, y!),
  [FULLY_CONNECTED]: fullyConnected,
  14: each(() => (x) => 1 / (1 + Math.exp(-x))),
  [MUL]: pairs(PAIRS[MUL]!),
  22: ([x], [y]) => copy(x!, y!),
  [SOFTMAX]: softmax,
  28: each(() => Math.tanh),
  [SUB]: pairs(PAIRS[SUB]!),
  45: stridedSlice,
  49: split,
  98: each((options) => {
    const alpha = options.float(0);
    return (x) => (x < 0 ? alpha * x : x);
  }),
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

function fullyConnected([x, weights, bias]: (Tensor | undefined)[], [y]: Tensor[], options: Table): () => void {
  const change = activation(options, 0);
  const [units, width] = weights!.shape as [number, number];
  return () => {
    for (let row = 0; row * units < y!.data.length; row += 1) {
      for (let unit = 0; unit < units; unit += 1) {
        let sum = bias?.data[unit] ?? 0;
        for (let i = 0; i < width; i += 1) sum += x!.data[row * width + i]! * weights!.data[unit * width + i]!;
        y!.data[row * units + unit] = change(sum);
      }
    }
  };
}

/** Of one image `(1, height, width, channels)`, without padding. */
function convolution([x, filter, bias]: (Tensor | undefined)[], [y]: Tensor[], options: Table): () => void {
  const VALID = 1;
  const [padding, across, down] = [options.byte(0), options.integer(1), options.integer(2)];
  const change = activation(options, 3);
  if (padding !== VALID || options.integer(4, 1) !== 1 || options.integer(5, 1) !== 1) throw new Error("a padding");
  const [, , width, channels] = x!.shape as [number, number, number, number];
  const [filters, tall, wide] = filter!.shape as [number, number, number];
  const [, rows, columns] = y!.shape as [number, number, number];
  return () => {
    for (let place = 0; place < rows * columns; place += 1) {
      const [top, left] = [Math.floor(place / columns) * down, (place % columns) * across];
      for (let unit = 0; unit < filters; unit += 1) {
        let sum = bias?.data[unit] ?? 0;
        for (let row = 0; row < tall; row += 1) {
          const from = ((top + row) * width + left) * channels;
          const weight = (unit * tall + row) * wide * channels;
          for (let i = 0; i < wide * channels; i += 1) sum += x!.data[from + i]! * filter!.data[weight + i]!;
        }
        y!.data[place * filters + unit] = change(sum);
      }
    }
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
  const rank = y!.shape.length;
  const axis = (options.integer(0) + rank) % rank;
  const inner = steps(y!.shape, rank);
  let offset = 0;
  const parts = inputs.map((one) => {
    const to = places(one!.shape, inner, offset);
    offset += one!.shape[axis]! * inner[axis]!;
    return () => to.forEach((place, i) => (y!.data[place] = one!.data[i]!));
  });
  return () => parts.forEach((part) => part());
}

function split([axis, x]: (Tensor | undefined)[], outputs: Tensor[]): () => void {
  const along = (axis!.data[0]! + x!.shape.length) % x!.shape.length;
  const inner = steps(x!.shape, x!.shape.length);
  let offset = 0;
  const parts = outputs.map((one) => {
    const part = gather(x!, one, places(one.shape, inner, offset));
    offset += one.shape[along]! * inner[along]!;
    return part;
  });
  return () => parts.forEach((part) => part());
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
