/** The one door to LiteRT.js. */

import { Environment, loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import { download, type Progress } from "./download";
import type { Arrays, Engine } from "./recognizer";

/** Of the four builds of the runtime, the one that every browser runs: no relaxed SIMD, no threads, no JSPI. */
const RUNTIME = `litert/${__LITERT_VERSION__}/litert_wasm_compat_internal`;

const FILES = [`${RUNTIME}.js`, `${RUNTIME}.wasm`];

let loaded: Promise<void> | null = null;

/**
 * Compiles a file for the CPU.
 *
 * @throws If the file is damaged.
 */
export async function openLiteRt(file: Uint8Array, signature: string, progress: Progress): Promise<Engine> {
  await (loaded ??= load(progress).catch((error) => {
    loaded = null;
    throw error;
  }));
  const model = await loadAndCompile(file, { accelerator: "wasm", cpuOptions: { numThreads: 1 } });
  const details = model.signatures[signature]!.getInputDetails();
  const shapes = Object.fromEntries(details.map(({ name, shape }) => [name, [...shape]]));
  const run = async (arrays: Arrays): Promise<Arrays> => {
    const inputs = Object.fromEntries(
      Object.entries(arrays).map(([name, array]) => [name, new Tensor(array, shapes[name]!)]),
    );
    const outputs = await model.run(signature, inputs);
    const results = Object.entries(outputs).map(([name, tensor]) => [name, tensor.toTypedArray()]);
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
    return Object.fromEntries(results) as Arrays;
  };
  return { name: "LiteRT.js", files: FILES, run };
}

async function load(progress: Progress): Promise<void> {
  const [script, wasm] = FILES.map((name) => new URL(name, document.baseURI).href);
  // Fetched here, so that the page can show how far it is; the script takes it from where it looks for its settings.
  const settings = self as unknown as { Module?: { wasmBinary: Uint8Array } };
  settings.Module = { wasmBinary: await download(wasm!, "LiteRT.js", progress, __LITERT_BYTES__) };
  const runtime = await loadLiteRt(script!);
  // LiteRT.js takes hold of a graphics device where there is one; a network of this size needs none.
  runtime.getWebGpuDevice()?.destroy();
  runtime.setDefaultEnvironment(new Environment({ webGpuDevice: null }));
}
