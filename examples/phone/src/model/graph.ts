/** Runs one signature of a `.tflite` file in the page itself: weights and operations are read from the flatbuffer. */

import { BUFFER, MODEL, Table } from "./flatbuffer";
import { FULLY_CONNECTED, OPERATIONS, size, SOFTMAX, type Tensor, withConstant } from "./operations";

const GRAPH = { tensors: 0, operators: 3 };
const TENSOR = { shape: 0, type: 1, buffer: 2 };
const OPERATOR = { code: 0, inputs: 1, outputs: 2, options: 4 };
const SIGNATURE = { inputs: 0, outputs: 1, name: 2, graph: 4 };
const NAMED = { name: 0, tensor: 1 };

/** A dense last layer: logits are features times kernel plus bias. */
export interface Head {
  /** `(features, classes)`, row by row. */
  kernel: Float64Array;
  bias: Float64Array;
}

interface Step {
  code: number;
  inputs: number[];
  outputs: number[];
}

/** Names of what a file can be asked. */
export function signatures(file: Uint8Array): string[] {
  return Table.root(file).tables(MODEL.signatures).map((one) => one.text(SIGNATURE.name));
}

export class Graph {
  /**
   * @throws If the file lacks the signature, or needs an operation or a type of number that is not known here.
   */
  constructor(file: Uint8Array, signature: string) {
    const model = Table.root(file);
    const found = model.tables(MODEL.signatures).find((one) => one.text(SIGNATURE.name) === signature);
    if (!found) throw new Error(`no signature ${signature}`);
    const graph = model.tables(MODEL.graphs)[found.integer(SIGNATURE.graph)]!;
    const buffers = model.tables(MODEL.buffers);
    const tensors = graph.tables(GRAPH.tensors);
    this.constant = tensors.map((tensor) => buffers[tensor.integer(TENSOR.buffer)]!.bytes(BUFFER.data).length > 0);
    this.tensors = tensors.map((tensor) => read(tensor, buffers[tensor.integer(TENSOR.buffer)]!));
    const codes = model.tables(MODEL.codes).map((code) => Math.max(code.byte(0), code.integer(3)));
    for (const operator of graph.tables(GRAPH.operators)) {
      const [inputs, outputs] = [operator.integers(OPERATOR.inputs), operator.integers(OPERATOR.outputs)];
      const code = codes[operator.integer(OPERATOR.code)]!;
      const make = OPERATIONS[code];
      if (!make) throw new Error(`operation ${code} is not known here`);
      const [from, to] = [inputs, outputs].map((list) => list.map((number) => this.tensors[number]));
      const run = make(from!, to as Tensor[], operator.table(OPERATOR.options));
      if (inputs.every((number) => this.constant[number])) {
        // Of constants alone, such as weights of 16 bits: once is enough.
        run();
        for (const number of outputs) this.constant[number] = true;
        continue;
      }
      this.run.push(run);
      this.steps.push({ code, inputs, outputs });
    }
    this.inputs = named(found.tables(SIGNATURE.inputs));
    this.outputs = named(found.tables(SIGNATURE.outputs));
  }

  private readonly tensors: Tensor[];
  private readonly constant: boolean[];
  private readonly steps: Step[] = [];
  private readonly run: (() => void)[] = [];
  private readonly inputs: Map<string, number>;
  private readonly outputs: Map<string, number>;

  /** Runs on inputs by name; returns copies of the outputs. */
  call(inputs: Record<string, Float32Array>): Record<string, Float32Array> {
    for (const [name, number] of this.inputs) this.tensors[number]!.data.set(inputs[name]!);
    for (const run of this.run) run();
    return Object.fromEntries([...this.outputs].map(([name, number]) => [name, this.tensors[number]!.data.slice()]));
  }

  /** What the last layer read in the last call. */
  features(): Float64Array {
    return Float64Array.from(this.tensors[this.last().features]!.data);
  }

  /**
   * The last layer, with all that follows it before the softmax, such as a division by a temperature.
   *
   * @throws If the outputs are not the softmax of a dense layer.
   */
  head(): Head {
    const { dense, after } = this.last();
    const [, weights, offsets] = dense.inputs;
    const { shape, data } = this.tensors[weights!]!;
    const [classes, features] = shape as [number, number];
    const kernel = Float64Array.from({ length: features * classes }, (_, i) => {
      return data[(i % classes) * features + Math.floor(i / classes)]!;
    });
    const bias = Float64Array.from({ length: classes }, (_, i) => this.tensors[offsets!]?.data[i] ?? 0);
    const affine = (change: (x: number, place: number) => number) => {
      // An affine function f of a logit: f(0) is added, f(1) - f(0) a factor.
      for (const i of kernel.keys()) kernel[i] = kernel[i]! * (change(1, i % classes) - change(0, i % classes));
      for (const i of bias.keys()) bias[i] = change(bias[i]!, i);
    };
    after.forEach(affine);
    return { kernel, bias };
  }

  /** The dense layer before the softmax, the tensor that it reads, and what is done to its logits afterwards. */
  private last() {
    const after: ((x: number, place: number) => number)[] = [];
    let place = this.steps.map(({ code }) => code).lastIndexOf(SOFTMAX);
    let wanted = this.steps[place]?.inputs[0];
    for (place -= 1; place >= 0; place -= 1) {
      const { code, inputs, outputs } = this.steps[place]!;
      if (outputs[0] !== wanted) continue;
      if (code === FULLY_CONNECTED) return { dense: this.steps[place]!, features: inputs[0]!, after: after.reverse() };
      const first = !this.constant[inputs[0]!];
      const change = withConstant(code, first);
      const { data } = this.tensors[inputs[first ? 1 : 0]!]!;
      if (!change || !this.constant[inputs[first ? 1 : 0]!]) break;
      after.push((x, i) => change(x, data[i % data.length]!));
      wanted = inputs[first ? 0 : 1];
    }
    throw new Error("its last layer is not the softmax of a dense layer");
  }
}

function named(entries: Table[]): Map<string, number> {
  return new Map(entries.map((entry) => [entry.text(NAMED.name), entry.integer(NAMED.tensor)]));
}

/** A tensor with its constant, or with zeros to be written. */
function read(tensor: Table, buffer: Table): Tensor {
  const shape = tensor.integers(TENSOR.shape);
  const type = TYPES[tensor.byte(TENSOR.type)];
  if (!type) throw new Error(`numbers of type ${tensor.byte(TENSOR.type)} are not known here`);
  // A copy, for a list in a file may begin anywhere.
  const bytes = buffer.bytes(BUFFER.data).slice();
  if (bytes.length && bytes.length !== type.bytes * size(shape)) throw new Error("a constant of another size");
  return { shape, data: bytes.length ? type.read(bytes.buffer) : new Float32Array(size(shape)) };
}

/** Types of numbers by their number in the TFLite schema. */
const TYPES: Record<number, { bytes: number; read: (bytes: ArrayBuffer) => Float32Array }> = {
  0: { bytes: 4, read: (bytes) => new Float32Array(bytes) },
  1: { bytes: 2, read: (bytes) => Float32Array.from(new Uint16Array(bytes), half) },
  2: { bytes: 4, read: (bytes) => Float32Array.from(new Int32Array(bytes)) },
  6: { bytes: 1, read: (bytes) => Float32Array.from(new Uint8Array(bytes)) },
};

/** The number that 16 bits stand for. */
function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return exponent === 31 ? (fraction ? NaN : sign * Infinity) : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
