/** A file of the zoo, ready to run: by the page itself if it can, else by LiteRT.js. */

import { download, type Progress } from "./download";
import { Graph, type Head, signatures } from "./graph";
import { probabilities } from "../learn/learn";
import { readMetadata, type Metadata } from "./metadata";
import { attempt } from "../page/store";
import type { Network, States } from "../signal/stream";

/** Inputs by name to outputs by name. */
export type Arrays = Record<string, Float32Array>;

/** What runs one signature of a file. */
export interface Engine {
  readonly name: string;
  /** What is fetched to run it, besides the page. */
  readonly files: string[];
  /** What computes it, where that is the page. */
  readonly graph?: Graph;
  run(inputs: Arrays): Arrays | Promise<Arrays>;
}

export class Recognizer implements Network {
  /** Milliseconds of the last call. */
  milliseconds = NaN;

  /** @param isTaught Whether its owner taught it. */
  private constructor(
    readonly metadata: Metadata, readonly file: Uint8Array<ArrayBuffer>, readonly engine: Engine, readonly isTaught = false,
  ) {}

  /**
   * Fetches and opens a file, or opens one that its owner chose.
   *
   * @throws If the file is not there, or cannot be opened.
   */
  static async load(source: string | File, progress: Progress): Promise<Recognizer> {
    const file = typeof source === "string" ? download(source, "Model", progress) : source.arrayBuffer();
    return Recognizer.open(new Uint8Array(await file), progress);
  }

  /**
   * Opens a file. With `?engine=litert` in the address of the page, LiteRT.js runs every `.tflite` file.
   *
   * @throws If the file is damaged, or lacks the signature.
   */
  static async open(file: Uint8Array<ArrayBuffer>, progress: Progress): Promise<Recognizer> {
    const metadata = readMetadata(file);
    const signature = Object.keys(metadata.states).length ? "step" : "window";
    if (!signatures(file).includes(signature)) {
      throw new Error(`the file has no signature ${signature}: export it with zoo export`);
    }
    const wanted = new URLSearchParams(location.search).get("engine");
    // A file may need more than the page can do.
    const graph = wanted === "litert" ? null : attempt(() => new Graph(file, signature));
    if (graph) {
      return new Recognizer(metadata, file, { name: "the page itself", files: [], graph, run: (inputs) => graph.call(inputs) });
    }
    // Loaded where it is needed: with its WebAssembly it is many times as large as the page.
    const { openLiteRt } = await import("./litert");
    return new Recognizer(metadata, file, await openLiteRt(file, signature, progress));
  }

  /** The last layer, so that probabilities are the softmax of its logits divided by the temperature, or null. */
  get head(): Head | null {
    const found = attempt(() => this.engine.graph?.head());
    const raw = (array: Float64Array) => array.map((number) => number * this.metadata.temperature);
    return found ? { kernel: raw(found.kernel), bias: raw(found.bias) } : null;
  }

  /** The same network with another last layer. */
  taught(classes: string[], head: Head): Recognizer {
    const graph = this.engine.graph!;
    const { temperature } = this.metadata;
    const run = (inputs: Arrays): Arrays => {
      const outputs = graph.call(inputs);
      return { ...outputs, probabilities: Float32Array.from(probabilities(head, graph.features(), temperature)) };
    };
    const name = `${this.engine.name} with what it learned here`;
    // Labels that the groups of the file lack have no place in them: all are followed in one group.
    const known = this.metadata.streaming;
    const streaming = classes.length > this.metadata.classes.length ? { ...known, groups: [] } : known;
    return new Recognizer({ ...this.metadata, classes, streaming }, this.file, { ...this.engine, name, run }, true);
  }

  async step(frame: Float32Array, states: States): Promise<{ probabilities: Float32Array; states: States }> {
    // The sleep of the phone is no part of a run.
    const start = performance.now();
    // A model without states reads whole windows.
    const rows: Arrays = Object.keys(states).length ? { frame } : { window: frame };
    const { probabilities, ...next } = await this.engine.run({ ...rows, ...states });
    this.milliseconds = performance.now() - start;
    return { probabilities: probabilities!, states: next };
  }
}
