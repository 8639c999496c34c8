/** Patches to choose from, with the code and the reconstruction that an autoencoder gives them, and its filters. */

import { element, set } from "../show/dom";
import { Graph } from "../model/graph";
import { bar } from "./language";
import { embedded } from "../model/metadata";

/** Colored patches, `(3, size, size)` each, by channel, column and row, in 0 to 255. */
export interface Patches {
  patches: number[][];
}

interface Metadata {
  size: number;
  hidden_units: number;
  /** Limit, low and high of the preprocessing. */
  scale: [number, number, number];
}

const SHOWN = 5;
/** Activations below it are as good as none. */
const ACTIVE = 0.1;

export function autoencoder(place: HTMLElement, file: Uint8Array, { patches }: Patches): void {
  const { size, hidden_units: units, scale } = embedded<Metadata>(file);
  const [encoder, reconstructor] = ["encode", "reconstruct"].map((signature) => new Graph(file, signature)) as [Graph, Graph];
  const filters = filtersOf(new Graph(file, "decode"), units).map((filter) => gray(filter, size));

  const buttons = patches.map((patch, i) => {
    const button = Object.assign(document.createElement("button"), { type: "button", ariaLabel: `Patch ${i + 1}` });
    button.append(picture(size, (at) => [0, 1, 2].map((channel) => patch[channel * size * size + at]!)));
    button.addEventListener("click", () => show(i));
    return button;
  });
  const [bars, said] = [element("ul", "bars"), element("p")];
  bars.ariaLabel = "The strongest units of the code";
  said.role = "status";
  const [before, after] = [element("div"), element("div")];
  const all = set(element("div", "filters", ...filters.map((paint) => paint())), { role: "img" });

  const show = (chosen: number) => {
    buttons.forEach((button, i) => (button.ariaPressed = String(i === chosen)));
    const rgb = Float32Array.from(patches[chosen]!, (value) => value / 255);
    const code = encoder.call({ rgb }).code!;
    const { luminance, patch } = reconstructor.call({ rgb });
    const read = preprocessed(rgb, scale);
    const error = read.reduce((sum, value, at) => sum + (value - patch![at]!) ** 2, 0) / read.length;
    // Gray next to gray, on one scale.
    before.replaceChildren(picture(size, (at) => Array(3).fill(255 * read[at]!)));
    after.replaceChildren(picture(size, (at) => Array(3).fill(255 * patch![at]!)));
    const order = [...code.keys()].sort((a, b) => code[b]! - code[a]!);
    bars.replaceChildren(...order.slice(0, SHOWN).map((unit) => bar(filters[unit]!(), code[unit]!, code[unit]!.toFixed(2))));
    [...all.children].forEach((one, unit) => (one as HTMLElement).style.setProperty("--active", `${code[unit]!}`));
    const active = order.filter((unit) => code[unit]! > ACTIVE).length;
    said.textContent = `${active} of ${units} units are above ${ACTIVE}. Error ${error.toFixed(4)}: the mean square of the differences of gray, which goes from 0.1 to 0.9.`;
    all.ariaLabel = `The filters of all ${units} units; those of active units are outlined`;
    // For code that builds on this page.
    document.dispatchEvent(new CustomEvent("tried", { detail: { chosen, code, luminance, read, error } }));
  };

  const picker = set(element("div", "picker", ...buttons), { role: "group", "aria-label": "Patches" });
  const strongest = figure("The strongest units of its code", bars);
  const pictures = element("div", "pictures", figure("What it reads", before), figure("Reconstruction", after), strongest);
  place.replaceChildren(picker, pictures, said, figure(`The filters of all ${units} units`, all));
  show(0);
}

/** What an autoencoder reads of a patch: `Scale.apply` of zoo/patches/data.py. */
function preprocessed(rgb: Float32Array, [limit, low, high]: Metadata["scale"]): number[] {
  const pixels = rgb.length / 3;
  const gray = Array.from({ length: pixels }, (_, at) => 0.2126 * rgb[at]! + 0.7152 * rgb[pixels + at]! + 0.0722 * rgb[2 * pixels + at]!);
  const mean = gray.reduce((sum, value) => sum + value, 0) / pixels;
  return gray.map((value) => 0.1 + (0.8 * (Math.min(limit, Math.max(-limit, value - mean)) - low)) / (high - low));
}

/** What each unit adds to a patch: what the decoder adds for this unit alone, before its sigmoid. */
function filtersOf(decoder: Graph, units: number): number[][] {
  const logits = (code: Float32Array) => Array.from(decoder.call({ code }).patch!, (p) => Math.log(p / (1 - p)));
  const none = logits(new Float32Array(units));
  return Array.from({ length: units }, (_, unit) => {
    const one = logits(Float32Array.from({ length: units }, (_, i) => Number(i === unit)));
    return one.map((logit, at) => logit - none[at]!);
  });
}

/** Draws a filter on a scale of its own, on which gray is zero. */
function gray(filter: number[], size: number): () => HTMLElement {
  const most = Math.max(...filter.map(Math.abs));
  return () => picture(size, (at) => Array(3).fill(127.5 * (1 + filter[at]! / most)));
}

/** A canvas of a pixel each, whose colors are given for a place in order of columns. */
function picture(size: number, color: (at: number) => number[]): HTMLElement {
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const image = new ImageData(size, size);
  for (let at = 0; at < size * size; at += 1) {
    const pixel = (at % size) * size + Math.floor(at / size);
    image.data.set([...color(at), 255], 4 * pixel);
  }
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}

function figure(title: string, content: HTMLElement): HTMLElement {
  return element("figure", "", content, element("figcaption", "", title));
}
