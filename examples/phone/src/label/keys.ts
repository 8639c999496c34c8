/** Which key does what. */

export type Command =
  | { name: "accept" | "keep" | "leave" | "word" | "next" | "previous" | "check" | "split" | "change" | "here" | "accept_all" | "undo" }
  | { name: "label"; number: number }
  | { name: "edge"; by: number }
  | { name: "zoom"; factor: number }
  | { name: "move"; share: number }
  | { name: "cursor"; by: number };

export type Key = Pick<KeyboardEvent, "key" | "code" | "shiftKey" | "ctrlKey" | "altKey" | "metaKey"> & { altGraph: boolean };

/** Seconds by which an edge or the cursor moves, and with Shift. */
export const STEP = 1;
export const SMALL = 0.1;
/** The share of the view by which it moves. */
export const PAGE = 0.8;
const ZOOM = 1.6;

const LETTERS: Record<string, Command> = {
  a: { name: "word" }, c: { name: "change" }, e: { name: "here" }, k: { name: "keep" }, n: { name: "check" }, s: { name: "split" }, z: { name: "undo" },
  "+": { name: "zoom", factor: 1 / ZOOM }, "=": { name: "zoom", factor: 1 / ZOOM }, "-": { name: "zoom", factor: ZOOM },
};

/** The command of a key; null where it has none. Keys that write a letter or a sign do nothing without `letters`. */
export function commandOf(key: Key, letters: boolean): Command | null {
  // AltGr, which brackets need on many keyboards, is Ctrl and Alt on some systems.
  if (key.metaKey || ((key.ctrlKey || key.altKey) && !key.altGraph)) return null;
  switch (key.key) {
    case "Enter":
      return { name: key.shiftKey ? "accept_all" : "accept" };
    case "ArrowRight":
      return key.shiftKey ? { name: "cursor", by: STEP } : { name: "next" };
    case "ArrowLeft":
      return key.shiftKey ? { name: "cursor", by: -STEP } : { name: "previous" };
    case "PageDown":
      return { name: "move", share: PAGE };
    case "PageUp":
      return { name: "move", share: -PAGE };
  }
  if (!letters) return null;
  // The place of a digit: with some layouts it is written with Shift.
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(key.code)?.[1];
  if (digit !== undefined && !key.altGraph) return digit === "0" ? { name: "leave" } : { name: "label", number: Number(digit) - 1 };
  const by = key.shiftKey ? SMALL : STEP;
  if (key.key === "[" || (key.code === "Comma" && !key.altGraph)) return { name: "edge", by: -by };
  if (key.key === "]" || (key.code === "Period" && !key.altGraph)) return { name: "edge", by };
  return LETTERS[key.key.toLowerCase()] ?? null;
}
