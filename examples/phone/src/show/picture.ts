/** Pictograms as images of the page. */

import { type Picture, PICTURES } from "./activities";
import * as clock from "../page/clock";
import { vector } from "./dom";

/** A pictogram, which says nothing that is not written beside it. */
export function drawn(name: keyof typeof PICTURES, color: string): SVGElement {
  const { still, limbs }: Picture = PICTURES[name];
  const svg = vector("svg", { viewBox: "0 0 48 48", class: "picture", "aria-hidden": "true" });
  svg.style.setProperty("--color", `var(${color})`);
  svg.append(vector("path", { d: still }), ...limbs.map(joint));
  return svg;
}

/** A small curve of a signal, which says nothing that is not written beside it. */
export function curve(values: number[], color: string): SVGElement {
  const svg = vector("svg", { viewBox: "0 0 100 24", class: "curve", preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.style.setProperty("--color", `var(${color})`);
  // From weightless to twice gravity, so that what is calm looks calm.
  const points = values.map((value, i) => `${(100 * i) / (values.length - 1)} ${24 - Math.min(24, 1.2 * value)}`);
  svg.append(vector("path", { d: `M${points.join("L")}` }));
  return svg;
}

/** Steps that the figure of a run has made, up to when in milliseconds on the clock of the page. */
let [steps, moved] = [0, 0];

/** Lets limbs swing on, a swing for each step. Drawn with the charts: an animation asks for sixty frames a second. */
export function swing(place: HTMLElement): void {
  const [now, cadence] = [clock.now(), Number(place.dataset.cadence)];
  steps += (cadence * (now - moved)) / 60_000;
  moved = now;
  if (cadence) place.style.setProperty("--swing", `${12 * Math.cos(Math.PI * steps)}deg`);
}

/** Draws a pictogram on a canvas, in a square. */
export function stroke(
  context: CanvasRenderingContext2D, name: keyof typeof PICTURES, color: string, x: number, y: number, size: number,
): void {
  const { still, limbs } = PICTURES[name];
  context.save();
  context.transform(size / 48, 0, 0, size / 48, x, y);
  Object.assign(context, { strokeStyle: color, lineWidth: 3.5, lineCap: "round", lineJoin: "round" });
  context.stroke(new Path2D([still, ...limbs].join("")));
  context.restore();
}

function joint(path: string, number: number): SVGElement {
  const element = vector("path", { d: path, class: number === 0 || number === 3 ? "limb" : "limb other" });
  const [x, y] = path.match(/[\d.]+/g)!;
  element.style.transformOrigin = `${x}px ${y}px`;
  return element;
}
