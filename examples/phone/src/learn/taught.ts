/** What a phone has learned, on its way to another one: as a file, or as a code at the end of the page's address. */

import type { Head } from "../model/graph";
import { extended } from "./learn";
import type { Metadata } from "../model/metadata";
import { attempt } from "../page/store";
import { OTHER } from "../signal/stream";
import { folded, isName } from "./names";

/** A learned last layer, as its file has it: `zoo.runtime.PersonalRecognizer` reads it. */
export interface Taught {
  schema: 1;
  preset: string;
  weights_sha256: string;
  classes: string[];
  kernel: number[][];
  bias: number[];
}

/** A model as it comes. */
export interface Untaught {
  head: Head | null;
  metadata: Pick<Metadata, "preset" | "weights_sha256" | "classes">;
}

/** The first field of a code: another one would have other fields. */
const VERSION = "1";

/** Characters of a code at most; an address of more is no QR code that a phone reads easily. */
export const LONGEST = 1200;

/** Characters of the hash of the weights that a code has. */
const HASHED = 16;

/** Digits of numbers in a code. Two of them are 12 bits: rounding to these moves a probability by less than 0.001. */
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const MIDDLE = 2048;

/** The largest change in steps: a few less than the digits allow, since the step itself is rounded. */
const STEPS = 2040;

/** A number of a last layer is far below this; beyond it, probabilities are no numbers. */
const LARGEST = 1e6;

const DAMAGED = "the code is damaged or cut off: scan it again, or open the file that the other phone saved";

/** A learned last layer of a model. */
export function taught({ metadata: { preset, weights_sha256 } }: Untaught, classes: string[], { kernel, bias }: Head): Taught {
  const rows = Array.from({ length: kernel.length / bias.length }, (_, i) => [
    ...kernel.subarray(i * bias.length, (i + 1) * bias.length),
  ]);
  return { schema: 1, preset, weights_sha256, classes, kernel: rows, bias: [...bias] };
}

export function headOf({ kernel, bias }: Taught): Head {
  return { kernel: Float64Array.from(kernel.flat()), bias: Float64Array.from(bias) };
}

/**
 * Reads the document of what was learned with a model, whoever wrote it: its activities are those of the model and others
 * after them, as `zoo.runtime.PersonalRecognizer` reads it.
 *
 * @throws If it is something else.
 */
export function checked(document: unknown, { head, metadata }: Untaught): Taught {
  const found = (typeof document === "object" ? document : null) as Partial<Taught> | null;
  const classes = Array.isArray(found?.classes) && found.classes.every(isName) ? found.classes : [];
  const numbers = [found?.bias, ...(Array.isArray(found?.kernel) ? found.kernel : [])] as unknown[];
  const rows = head ? head.kernel.length / head.bias.length : 0;
  const isNumber = (number: unknown) => typeof number === "number" && Math.abs(number) < LARGEST;
  const isRow = (row: unknown) => Array.isArray(row) && row.length === classes.length && row.every(isNumber);
  if (found?.schema !== 1 || !classes.length || numbers.length !== rows + 1 || !numbers.every(isRow)) {
    throw new Error("This file is not what a phone has learned with this model.");
  }
  if (found.weights_sha256 !== metadata.weights_sha256) {
    const other = isName(found.preset) ? ` (${found.preset})` : "";
    throw new Error(`This was learned with other weights${other}: choose the same model as on the other phone.`);
  }
  if (!continues(classes, metadata.classes)) throw new Error("This file has other activities than the model, or one of them twice.");
  return found as Taught;
}

/**
 * Writes what was learned as a code: new activities, and the changes of the last layer. The probabilities stay the same
 * if a number is added to all classes, so changes are those beyond the first class's, which has none.
 *
 * Returns null for what has no code: a last layer that does not begin with the activities of the model.
 */
export function toCode(learned: Taught, { head, metadata }: Untaught): string | null {
  const { classes } = learned;
  const names = classes.slice(metadata.classes.length);
  if (!head || !continues(classes, metadata.classes)) return null;
  const known = flat(extended(head, classes.length));
  const moved = flat(headOf(learned)).map((number, i) => number - known[i]!);
  const changes = moved.flatMap((number, i) => (i % classes.length ? [number - moved[i - (i % classes.length)]!] : []));
  const step = (Math.max(...changes.map(Math.abs)) / STEPS || 1).toPrecision(4);
  const digits = changes.map((change) => {
    const number = MIDDLE + Math.round(change / Number(step));
    return DIGITS[number >> 6]! + DIGITS[number & 63]!;
  });
  const fields = [VERSION, learned.weights_sha256.slice(0, HASHED), names.map(encodeURIComponent).join(), step, digits.join("")];
  return `${fields.join("/")}/${checksum(fields.join("/"))}`;
}

/**
 * Reads what another phone has learned with the same model from its code.
 *
 * @throws If it is something else.
 */
export function fromCode(code: string, model: Untaught): Taught {
  const { head, metadata } = model;
  if (!head) throw new Error("the page cannot teach this model, nor take over what was taught");
  const [text, sum] = [code.slice(0, code.lastIndexOf("/")), code.slice(code.lastIndexOf("/") + 1)];
  if (code.length > LONGEST || checksum(text) !== sum) throw new Error(DAMAGED);
  const [version, hash, named = "", step, digits = ""] = text.split("/");
  if (version !== VERSION) throw new Error("another version of this page made the code: reload the page on both phones");
  if (hash !== metadata.weights_sha256.slice(0, HASHED)) {
    throw new Error("it was learned with other weights: choose the same model as on the other phone, and scan the code again");
  }
  // Where a text was not escaped, the empty name, which no activity has.
  const names = named ? named.split(",").map((text) => attempt(() => decodeURIComponent(text)) ?? "") : [];
  const classes = [...metadata.classes, ...names];
  const known = flat(extended(head, classes.length));
  const size = Number(step);
  const whole = /^[\w-]*$/.test(digits) && digits.length === 2 * (known.length - known.length / classes.length);
  if (!whole || !(size > 0 && size <= 1) || !areNew(names, metadata.classes)) throw new Error(DAMAGED);
  const numbers = known.map((number, i) => {
    if (i % classes.length === 0) return number;
    const place = 2 * (i - Math.floor(i / classes.length) - 1);
    return number + size * (64 * DIGITS.indexOf(digits[place]!) + DIGITS.indexOf(digits[place + 1]!) - MIDDLE);
  });
  const [kernel, bias] = [numbers.slice(0, -classes.length), numbers.slice(-classes.length)];
  return taught(model, classes, { kernel: Float64Array.from(kernel), bias: Float64Array.from(bias) });
}

/** All numbers of a last layer, row by row; the biases are the last row. */
function flat({ kernel, bias }: Head): number[] {
  return [...kernel, ...bias];
}

/** Whether activities are those of a model, and after them names that are different from all before. */
function continues(classes: string[], known: string[]): boolean {
  const names = classes.slice(known.length);
  return known.every((name, i) => name === classes[i]) && areNew(names, known);
}

/** Whether all are names of activities, different from each other and from those that are known. */
function areNew(names: string[], known: string[]): boolean {
  const all = [...known, ...names].map(folded);
  return names.every((name) => isName(name) && folded(name) !== OTHER) && new Set(all).size === all.length;
}

/** FNV-1a of ASCII. It finds slips, and is no protection: what a code says is checked as well. */
function checksum(text: string): string {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return (sum >>> 0).toString(36);
}
