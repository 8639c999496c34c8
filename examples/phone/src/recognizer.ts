/** The one door to LiteRT.js: a `.tflite` file of the zoo, ready to run. */

import { Environment, loadAndCompile, loadLiteRt, Tensor, type CompiledModel } from "@litertjs/core";
import { readMetadata, type Metadata } from "./metadata";
import type { Network, States } from "./stream";

/** Of the four builds of the runtime, the one that every browser runs: no relaxed SIMD, no threads, no JSPI. */
const RUNTIME = `litert/${__LITERT_VERSION__}/litert_wasm_compat_internal.js`;

export class Recognizer implements Network {
  /** Milliseconds of the last call. */
  milliseconds = NaN;

  private constructor(readonly metadata: Metadata, readonly bytes: number, private readonly model: CompiledModel) {}

  /**
   * Fetches a file, reads its metadata, and compiles it for the CPU.
   *
   * @throws If the file is not there, is damaged, or lacks the signature.
   */
  static async load(url: string): Promise<Recognizer> {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the file ${url} is missing (status ${response.status})`);
    const file = new Uint8Array(await response.arrayBuffer());
    const metadata = readMetadata(file);
    const runtime = await loadLiteRt(new URL(RUNTIME, document.baseURI).href);
    // LiteRT.js takes hold of a graphics device where there is one; a network of this size needs none.
    runtime.getWebGpuDevice()?.destroy();
    runtime.setDefaultEnvironment(new Environment({ webGpuDevice: null }));
    const model = await loadAndCompile(file, { accelerator: "wasm", cpuOptions: { numThreads: 1 } });
    const recognizer = new Recognizer(metadata, file.length, model);
    if (recognizer.signature in model.signatures) return recognizer;
    throw new Error(`the file has no signature \`${recognizer.signature}\`: export it with \`zoo export\``);
  }

  /** A model without states reads whole windows. */
  get signature(): "step" | "window" {
    return Object.keys(this.metadata.states).length ? "step" : "window";
  }

  async step(frame: Float32Array, states: States): Promise<{ probabilities: Float32Array; states: States }> {
    const { axes } = this.metadata;
    const start = performance.now();
    const rows = new Tensor(frame, [1, frame.length / axes.length, axes.length]);
    const inputs: Record<string, Tensor> = this.signature === "step" ? { frame: rows } : { window: rows };
    for (const [name, state] of Object.entries(states)) inputs[name] = new Tensor(state, [1, state.length]);
    const outputs = await this.model.run(this.signature, inputs);
    const found: States = {};
    for (const [name, tensor] of Object.entries(outputs)) found[name] = tensor.toTypedArray() as Float32Array;
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
    this.milliseconds = performance.now() - start;
    const { probabilities, ...next } = found;
    return { probabilities: probabilities!, states: next };
  }
}
