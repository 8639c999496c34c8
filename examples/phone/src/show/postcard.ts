/** The summary as a picture: drawn on the phone, and saved there. */

import { looks } from "./activities";
import { stroke } from "./picture";
import type { Shown } from "./shown";
import type { Timeline } from "../signal/timeline";

/** Pixels. */
const WIDTH = 1080;
const EDGE = 72;
const ROW = 84;
const TOP = 360;
const BOTTOM = 300;

/** Draws a summary; returns a PNG file. */
export async function postcard(summary: Shown, classes: string[], timeline: Timeline): Promise<Blob> {
  const { minutes, text } = summary;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH, TOP + ROW * minutes.length + BOTTOM];
  const context = canvas.getContext("2d")!;
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name);
  const put = (words: string, x: number, y: number, size: number, weight = 400, name = "--ink") => {
    context.font = `${weight} ${size}px system-ui, sans-serif`;
    context.fillStyle = color(name);
    context.fillText(words, x, y, WIDTH - EDGE - x);
  };
  context.fillStyle = color("--paper");
  context.fillRect(0, 0, WIDTH, canvas.height);
  const first = minutes[0]?.look;
  if (first) stroke(context, first.figure, color(first.color), WIDTH - EDGE - 192, 48, 192);
  put("pocket-zoo", EDGE, 110, 34, 700, "--accent");
  put(text.label!, EDGE, 210, 76, 700);
  // One sentence a line.
  text.detail!.replace(/\. /g, ".\n").split("\n").slice(0, 2).forEach((line, i) => put(line, EDGE, 270 + 46 * i, 36, 400, "--soft"));
  minutes.forEach((bar, i) => {
    const y = TOP + ROW * i;
    if (bar.look) stroke(context, bar.look.figure, color(bar.look.color), EDGE, y, 60);
    put(bar.name, EDGE + 84, y + 44, 38);
    const [x, width] = [EDGE + 340, WIDTH - 2 * EDGE - 340 - 220];
    context.fillStyle = color("--line");
    context.fillRect(x, y + 12, width, 40);
    context.fillStyle = color(bar.look?.color ?? "--soft");
    context.fillRect(x, y + 12, width * (bar.share ?? 0), 40);
    put(bar.text, x + width + 24, y + 44, 34, 600);
  });
  // What was when, on one line.
  const [colors, y] = [looks(classes).map((look) => color(look.color)), TOP + ROW * minutes.length + 40];
  const x = (time: number) => EDGE + ((time - timeline.start) / timeline.length) * (WIDTH - 2 * EDGE);
  context.fillStyle = color("--line");
  context.fillRect(EDGE, y, WIDTH - 2 * EDGE, 56);
  for (const { start, end, label } of timeline.segments) {
    if (label === null) continue;
    context.fillStyle = colors[label]!;
    context.fillRect(x(start), y, Math.max(2, x(end) - x(start)), 56);
  }
  const begun = timeline.begun.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  put(begun, EDGE, canvas.height - 120, 32, 400, "--soft");
  put("Recognized on the phone. Nothing left it.", EDGE, canvas.height - 64, 32, 400, "--soft");
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
}
