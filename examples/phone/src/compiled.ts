/** Runs a recognizer that `zoo export` compiled to WebAssembly: a file with code, weights and metadata. */

import { ENTRY, type Metadata, parseMetadata } from "./metadata";
import type { Arrays, Engine } from "./recognizer";

/** How a WebAssembly file starts. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const PAGE = 65536;

export function isCompiled(file: Uint8Array): boolean {
  return MAGIC.every((byte, i) => file[i] === byte);
}

/**
 * Compiles a file, which can reach nothing but its own memory.
 *
 * @throws If the file is damaged, has no metadata of the zoo, wants anything of the page, or lacks the function.
 */
export async function openCompiled(file: Uint8Array<ArrayBuffer>): Promise<{ metadata: Metadata; engine: Engine }> {
  const code = await WebAssembly.compile(file).catch((error) => {
    throw new Error(`the file is truncated or damaged, or this browser is too old for it (${error.message})`);
  });
  const [section] = WebAssembly.Module.customSections(code, ENTRY);
  const metadata = parseMetadata(section && new TextDecoder().decode(section));
  const [wanted] = WebAssembly.Module.imports(code);
  if (wanted) throw new Error(`the file wants to import ${wanted.name}, which no model does: export it with zoo export`);
  const { exports } = await WebAssembly.instantiate(code, {});
  return { metadata, engine: { name: "its own WebAssembly code", files: [], run: caller(exports, metadata) } };
}

/** Calls `zoo_step` where there are states, else `zoo_window`, on arrays that lie one after the other. */
function caller(exports: WebAssembly.Exports, { states, frame, window, axes, classes }: Metadata): Engine["run"] {
  const recurrent = Object.keys(states).length > 0;
  const wanted = recurrent ? "zoo_step" : "zoo_window";
  const { memory, [wanted]: call } = exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof call !== "function") {
    throw new Error(`the file has no function ${wanted}: export it with zoo export`);
  }
  const input = recurrent ? "frame" : "window";
  const sizes = { [input]: (recurrent ? frame : window) * axes.length, ...states, probabilities: classes.length };
  const floats = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  // Past the memory that the code uses.
  let place = memory.buffer.byteLength;
  memory.grow(Math.ceil((FLOAT * floats) / PAGE));
  const arrays: Arrays = {};
  for (const [name, size] of Object.entries(sizes)) {
    arrays[name] = new Float32Array(memory.buffer, place, size);
    place += FLOAT * size;
  }
  const { [input]: _, ...outputs } = arrays;
  // The states are the members of a struct, whose address is that of the first.
  const [state] = Object.keys(states);
  const addresses = [input, state, "probabilities"].flatMap((name) => (name ? [arrays[name]!.byteOffset] : []));
  return (inputs) => {
    for (const [name, array] of Object.entries(inputs)) arrays[name]!.set(array);
    call(...addresses);
    return Object.fromEntries(Object.entries(outputs).map(([name, array]) => [name, array.slice()]));
  };
}
