/** The canvases: the whole recording, and what is enlarged. They are drawn from plain data. */

import type { Day, Range, Recording } from "./day";
import { ticks } from "./day";
import { type Envelope, envelopeOf, type Marks, type Part } from "./signal";
import { looks } from "../show/activities";
import { prepare, type Canvas } from "../show/canvas";

/** Where the names of lanes and the numbers of axes stand, in rem. */
const LEFT = 4;
/** Places of what is drawn, as shares of the height: of the whole recording, and of what is enlarged. */
const DAY = { top: 0.04, signal: 0.5, model: 0.58, yours: 0.78, lane: 0.17 };
const CLOSE = { top: 0.02, signal: 0.62, model: 0.66, yours: 0.83, lane: 0.15 };
const AXES = ["x", "y", "z"];
/** m/s^2 at the edges of a chart, which are the first that hold what is in view, and at the top of the whole recording. */
const REACHES = [20, 40, 60, 80];
const MOST = 35;
/** Pixels between the lines of what is hatched, and of the narrowest stretch with a name. */
const HATCH = 8;
const NAMED = 56;

/** What is drawn of a signal. */
export interface Drawn {
  parts: Part[];
  marks: Marks;
}

/** A canvas for charts with text. */
function begun(element: HTMLCanvasElement): Canvas {
  const canvas = prepare(element);
  canvas.context.font = `${0.75 * canvas.rem}px system-ui, sans-serif`;
  canvas.context.textBaseline = "middle";
  return canvas;
}

/** The moment at a place of a canvas. */
export function momentAt(canvas: HTMLCanvasElement, x: number, { start, end }: Range): number {
  const left = LEFT * parseFloat(getComputedStyle(document.documentElement).fontSize);
  const share = (x - canvas.getBoundingClientRect().left - left) / (canvas.getBoundingClientRect().width - left);
  return start + Math.min(1, Math.max(0, share)) * (end - start);
}

/** Columns of an envelope that a canvas shows. */
export function columnsOf(canvas: HTMLCanvasElement): number {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  return Math.max(100, Math.round(canvas.getBoundingClientRect().width - LEFT * rem));
}

/** The whole recording: how much it moves, the two lanes, and a frame around what is enlarged. */
export function drawDay(element: HTMLCanvasElement, recording: Recording, day: Day, { parts, marks }: Drawn, view: Range): void {
  const canvas = begun(element);
  const whole = { start: 0, end: recording.seconds };
  const x = scale(canvas, whole);
  const { context, height, color } = canvas;
  drawMagnitude(canvas, envelopeOf(parts, whole, columnsOf(element)), x, DAY.top * height, DAY.signal * height);
  drawMarks(canvas, marks, x, DAY.signal * height);
  drawLanes(canvas, day, x, whole, DAY, false);
  context.strokeStyle = color("--ink");
  context.lineWidth = 2;
  context.strokeRect(x(view.start), 1, Math.max(4, x(view.end) - x(view.start)), height - 2);
}

/** What is enlarged: x, y and z, the two lanes, the chosen stretch, and the cursor. */
export function drawClose(
  element: HTMLCanvasElement, recording: Recording, day: Day, { parts, marks }: Drawn, view: Range, chosen: number, cursor: number | null,
): void {
  const canvas = begun(element);
  const x = scale(canvas, view);
  const { context, width, height, color, rem } = canvas;
  const [top, bottom] = [CLOSE.top * height, CLOSE.signal * height];
  const envelope = envelopeOf(parts, view, columnsOf(element));
  const reach = REACHES.find((each) => within(envelope, 100 * each)) ?? REACHES.at(-1)!;
  const y = (value: number) => top + ((reach - value) / (2 * reach)) * (bottom - top);
  const left = LEFT * rem;
  for (const value of [-reach, -reach / 2, 0, reach / 2, reach]) {
    context.fillStyle = color("--line");
    context.fillRect(left, y(value) - 0.5, width - left, 1);
    context.fillStyle = color("--soft");
    context.textAlign = "right";
    context.fillText(`${value}`.replace("-", "−"), left - 0.4 * rem, Math.min(bottom - 0.4 * rem, Math.max(top + 0.4 * rem, y(value))));
  }
  context.textAlign = "left";
  context.fillStyle = color("--soft");
  context.fillText("m/s²", 0, top + 0.4 * rem);
  clipped(context, left, top, width - left, bottom - top, () => {
    AXES.forEach((axis, number) => drawAxis(context, envelope, number, color(`--${axis}`), x, y));
    drawMarks(canvas, marks, x, bottom);
  });
  drawLanes(canvas, day, x, view, CLOSE, true);
  for (const { moment } of ticks(view, width - left, recording.clock)) {
    context.fillStyle = color("--line");
    context.fillRect(x(moment), bottom, 1, 0.3 * rem);
  }
  const stretch = day.stretches[chosen];
  if (stretch) {
    const [from, to] = [Math.max(left, x(stretch.start)), Math.min(width, x(stretch.end))];
    context.strokeStyle = color("--accent");
    context.lineWidth = 3;
    if (to > from) context.strokeRect(from, CLOSE.model * height - 4, to - from, (CLOSE.yours + CLOSE.lane - CLOSE.model) * height + 8);
  }
  if (cursor !== null && cursor >= view.start && cursor <= view.end) {
    context.fillStyle = color("--ink");
    context.fillRect(x(cursor) - 1, top, 2, (CLOSE.yours + CLOSE.lane) * height - top);
  }
}

/** Whether x, y and z stay within some cm/s^2. */
function within({ columns }: Envelope, most: number): boolean {
  return columns.every((numbers) => !numbers || AXES.every((_, axis) => numbers[axis]! >= -most && numbers[axis + 4]! <= most));
}

/** A ruler in the time of day below a canvas. */
export function ruler(element: HTMLElement, canvas: HTMLCanvasElement, view: Range, clock: number | null): void {
  const width = columnsOf(canvas);
  const left = canvas.getBoundingClientRect().width - width;
  const marks = ticks(view, width, clock).map(({ moment, text }) => {
    const mark = Object.assign(document.createElement("span"), { textContent: text });
    mark.style.left = `${left + ((moment - view.start) / (view.end - view.start)) * width}px`;
    return mark;
  });
  element.replaceChildren(...marks);
}

function scale({ width, rem }: Canvas, { start, end }: Range): (moment: number) => number {
  const left = LEFT * rem;
  return (moment) => left + ((moment - start) / (end - start)) * (width - left);
}

function clipped(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, draw: () => void): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  draw();
  context.restore();
}

function each(envelope: Envelope, draw: (numbers: number[], from: number, to: number) => void): void {
  const step = (envelope.end - envelope.start) / envelope.columns.length;
  envelope.columns.forEach((numbers, i) => {
    if (numbers) draw(numbers, envelope.start + i * step, envelope.start + (i + 1) * step);
  });
}

/** How far |a| is from gravity. */
function drawMagnitude({ context, color }: Canvas, envelope: Envelope, x: (moment: number) => number, top: number, bottom: number): void {
  const y = (value: number) => Math.min(bottom, Math.max(top, bottom - (value / 100 / MOST) * (bottom - top)));
  context.fillStyle = color("--soft");
  each(envelope, (numbers, from, to) => {
    context.fillRect(x(from), y(numbers[7]!), Math.max(1, x(to) - x(from)), Math.max(1, y(numbers[3]!) - y(numbers[7]!)));
  });
}

function drawAxis(
  context: CanvasRenderingContext2D, envelope: Envelope, axis: number, color: string, x: (moment: number) => number, y: (value: number) => number,
): void {
  context.strokeStyle = color;
  context.lineWidth = 1;
  // Where hours are in view, each axis is a band, and those below it shine through.
  context.globalAlpha = 0.75;
  context.beginPath();
  const step = (envelope.end - envelope.start) / envelope.columns.length;
  let before = false;
  envelope.columns.forEach((numbers, i) => {
    if (numbers) {
      const at = x(envelope.start + (i + 0.5) * step);
      const [low, high] = [y(numbers[axis]! / 100), y(numbers[axis + 4]! / 100)];
      context[before ? "lineTo" : "moveTo"](at, (low + high) / 2);
      if (low - high > 1) {
        context.moveTo(at, low);
        context.lineTo(at, high);
        context.moveTo(at, (low + high) / 2);
      }
    }
    before = numbers !== null;
  });
  context.stroke();
  context.globalAlpha = 1;
}

/** Where the phone lay still, and where its pose changed. */
function drawMarks({ context, color, rem }: Canvas, { rests, turns }: Marks, x: (moment: number) => number, bottom: number): void {
  context.fillStyle = color("--line");
  for (const [from, to] of rests) context.fillRect(x(from), bottom - 0.25 * rem, x(to) - x(from), 0.25 * rem);
  context.fillStyle = color("--warn");
  for (const moment of turns) {
    context.beginPath();
    context.moveTo(x(moment) - 4, bottom);
    context.lineTo(x(moment), bottom - 7);
    context.lineTo(x(moment) + 4, bottom);
    context.fill();
  }
}

function drawLanes(canvas: Canvas, day: Day, x: (moment: number) => number, view: Range, places: typeof DAY, named: boolean): void {
  const { context, width, height, color, rem } = canvas;
  const left = LEFT * rem;
  const lane = places.lane * height;
  const colors = new Map(looks(day.words).map(({ color: name }, i) => [day.words[i]!, color(name)]));
  context.fillStyle = color("--soft");
  context.textAlign = "left";
  context.fillText("model", 0, places.model * height + lane / 2);
  context.fillText("yours", 0, places.yours * height + lane / 2);
  clipped(context, left, 0, width - left, height, () => {
    const placed = (start: number, end: number) => {
      if (end < view.start || start > view.end) return null;
      // Of a stretch of an hour, in a view of seconds, most is far outside. What is cut off here is not in view.
      const from = Math.max(left - lane, x(start));
      const to = Math.min(width + lane, x(end));
      return { box: { from, size: Math.max(1, to - from - 1), lane }, visible: { from: Math.max(left, from), to: Math.min(width, to) } };
    };
    // Where a label is doubted, what is said without it lies above what was learned from it.
    const doubts = day.stretches.filter(({ disputed }) => disputed);
    for (const { start, end, guess, confidence } of [...day.whole, ...doubts]) {
      const place = placed(start, end);
      if (!place || !guess) continue;
      const box = { ...place.box, top: places.model * height };
      fill(canvas, box, color("--card"), 1, false);
      fill(canvas, box, colors.get(guess) ?? color("--soft"), 0.45, confidence < day.threshold);
      if (named) name(canvas, `${guess} ${Math.round(100 * confidence)}%`, place.visible, box.top + lane / 2, "--ink");
    }
    // A note may hide that the model's label changes within it.
    context.fillStyle = color("--ink");
    if (named) for (const { start } of day.whole) context.fillRect(x(start) - 1, places.model * height, 1, lane);
    for (const stretch of day.stretches) {
      const place = placed(stretch.start, stretch.end);
      if (!place) continue;
      const { box, visible } = place;
      if (stretch.label) {
        fill(canvas, { ...box, top: places.yours * height }, colors.get(stretch.label) ?? color("--soft"), 1, false);
        if (named) name(canvas, stretch.label, visible, places.yours * height + lane / 2, "--card");
      } else if (stretch.label === "") {
        frame(canvas, { ...box, top: places.yours * height });
        if (named) name(canvas, "left out", visible, places.yours * height + lane / 2, "--soft");
      } else if (stretch.note && named) {
        name(canvas, `noted: ${stretch.note}`, visible, places.yours * height + lane / 2, "--soft");
      }
    }
  });
}

interface Box {
  from: number;
  size: number;
  top: number;
  lane: number;
}

function fill({ context, color }: Canvas, { from, size, top, lane }: Box, hue: string, alpha: number, hatched: boolean): void {
  context.globalAlpha = alpha;
  context.fillStyle = hue;
  context.fillRect(from, top, size, lane);
  context.globalAlpha = 1;
  if (!hatched) return;
  clipped(context, from, top, size, lane, () => {
    context.strokeStyle = color("--card");
    context.lineWidth = 3;
    context.beginPath();
    for (let at = Math.floor((from - lane) / HATCH) * HATCH; at < from + size; at += HATCH) {
      context.moveTo(at, top + lane);
      context.lineTo(at + lane, top);
    }
    context.stroke();
  });
}

function frame({ context, color }: Canvas, { from, size, top, lane }: Box): void {
  context.strokeStyle = color("--soft");
  context.lineWidth = 1;
  context.setLineDash([4, 4]);
  context.strokeRect(from + 0.5, top + 0.5, size - 1, lane - 1);
  context.setLineDash([]);
}

function name({ context, color, rem }: Canvas, text: string, { from, to }: { from: number; to: number }, middle: number, ink: string): void {
  if (to - from < NAMED) return;
  clipped(context, from, middle - rem, to - from - 4, 2 * rem, () => {
    context.fillStyle = color(ink);
    context.fillText(text, from + 0.4 * rem, middle);
  });
}
