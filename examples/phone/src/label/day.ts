/** A recording as `zoo label` describes it, and what a person does to it. */

/** A part of a recording with one label, in seconds since its first row. The label is null until it is decided. */
export interface Stretch {
  start: number;
  end: number;
  guess: string;
  confidence: number;
  note: string;
  label: string | null;
  sure: boolean;
  contradicts: boolean;
  /** Whether a model that has not learned from it guesses another label than its own. */
  disputed: boolean;
}

export interface Day {
  version: number;
  subject: string;
  words: string[];
  /** Why there are no proposals yet; empty where there are. */
  state: string;
  /** Answers after which the model can learn from them; none is missing where everything is decided. */
  missing: number;
  undo: boolean;
  threshold: number;
  stretches: Stretch[];
  /** What the model proposes, whatever is decided. The guess is empty where it has not read. */
  whole: Pick<Stretch, "start" | "end" | "guess" | "confidence">[];
  /** Numbers of stretches to look at, in that order. */
  queue: number[];
}

export interface Recording {
  file: string;
  /** Empty where neither the file nor its path says who it was when the page was opened. */
  subject: string;
  line: string;
  date: string;
  /** The time of day of the first row in seconds, if it is known. */
  clock: number | null;
  seconds: number;
  /** Where a last note begins that holds suspiciously long; null if none does. */
  doubtful: number | null;
  /** The start, the rate in Hz and the number of rows of each part between two gaps. */
  parts: [number, number, number][];
}

export interface Overview {
  recordings: Recording[];
  folder: string;
  out: string | null;
}

export interface Range {
  start: number;
  end: number;
}

export type Action =
  | { do: "accept" | "leave" | "join"; at: number }
  | { do: "label"; at: number; label: string }
  | { do: "split"; at: number; time: number }
  | { do: "edge"; at: number; by: number }
  | { do: "accept_all"; start: number; end: number }
  | { do: "undo" };

/** The label that is proposed: the note's, or the guess. */
export function proposal({ note, guess }: Stretch): string {
  return note || guess;
}

/** What accepting a stretch does. */
export function acceptText(stretch: Stretch): string {
  const word = proposal(stretch);
  if (!word) return "Accept";
  return `${stretch.label === word ? "Keep" : "Take"} ${word}`;
}

/** Whether the model is still to read something of a part of the recording. */
export function isUnread({ state, whole }: Pick<Day, "state" | "whole">, { start, end }: Range): boolean {
  const isReading = state !== "" && !state.startsWith("no proposals");
  return isReading && whole.some((one) => !one.guess && one.start < end && one.end > start);
}

/** Seconds before and after a stretch that are shown with it, at least, and as a share of its length. */
const BESIDE = 20;
const BESIDE_SHARE = 0.6;
/** Seconds of the shortest view. */
const CLOSEST = 2;

/** What is enlarged to look at a stretch. */
export function around({ start, end }: Range, seconds: number): Range {
  const beside = Math.max(BESIDE, BESIDE_SHARE * (end - start));
  return { start: Math.max(0, start - beside), end: Math.min(seconds, end + beside) };
}

/** A view that is larger or smaller by a factor, around a moment that stays where it is, or comes into the middle. */
export function zoomed({ start, end }: Range, factor: number, moment: number, seconds: number): Range {
  const length = Math.min(seconds, Math.max(CLOSEST, factor * (end - start)));
  const share = moment < start || moment > end ? 0.5 : (moment - start) / (end - start);
  const from = moment - share * length;
  return fitted({ start: from, end: from + length }, seconds);
}

/** A view moved by a share of its length. */
export function moved({ start, end }: Range, share: number, seconds: number): Range {
  const by = share * (end - start);
  return fitted({ start: start + by, end: end + by }, seconds);
}

function fitted({ start, end }: Range, seconds: number): Range {
  const length = Math.min(seconds, end - start);
  const from = Math.min(Math.max(0, start), seconds - length);
  return { start: from, end: from + length };
}

/** The number of the stretch at a moment, or of the one that is next to it. */
export function stretchAt(stretches: Stretch[], moment: number): number {
  const found = stretches.findIndex(({ end }) => moment < end);
  return found < 0 ? stretches.length - 1 : found;
}

/** The number of the stretch with the end, which is the start of the next one, nearest to a moment; null if none is near. */
export function edgeAt(stretches: Stretch[], moment: number, near: number): number | null {
  const away = stretches.map(({ end }, at) => (stretches[at + 1]?.start === end ? Math.abs(end - moment) : Infinity));
  const least = Math.min(...away);
  return least <= near ? away.indexOf(least) : null;
}

/** Numbers of what has no label or is doubted: what is to be checked, and then what the model is sure of. */
export function undecided({ queue, stretches }: Day): number[] {
  const checked = new Set(queue);
  return [...queue, ...stretches.flatMap(({ label }, at) => (label === null && !checked.has(at) ? [at] : []))];
}

/**
 * The next stretch without a label: the rest of one that was divided; the first to check, if this one was to be checked;
 * else the next in time, and after the last one the first.
 */
export function following(before: Day, after: Day, at: number, divided = false): number {
  const open = after.stretches.flatMap(({ label }, place) => (label === null ? [place] : []));
  if (divided && open.includes(at + 1)) return at + 1;
  if (before.queue.includes(at) && after.queue.length) return after.queue[0]!;
  return open.find((place) => place > at) ?? after.queue[0] ?? open[0] ?? Math.min(at, after.stretches.length - 1);
}

/** What moves the end of a stretch to the nearest other change in it or in the next one; null if there is none. */
export function toChange({ stretches, whole }: Day, at: number): Action | null {
  const [one, next] = [stretches[at]!, stretches[at + 1]];
  if (!next || next.start !== one.end) return null;
  // A next one that nobody has decided about or noted may become a part of this one.
  const isFree = next.label === null && ["", one.note].includes(next.note);
  const isNear = (moment: number) => moment > one.start && (moment < next.end || (moment === next.end && isFree));
  const near = whole.map((each) => each.start).filter((moment) => isNear(moment) && moment !== one.end);
  near.sort((a, b) => Math.abs(a - one.end) - Math.abs(b - one.end));
  if (!near.length) return null;
  return near[0] === next.end ? { do: "join", at } : { do: "edge", at, by: near[0]! - one.end };
}

/** How much has no label or is doubted, of which the first are listed. */
export function toDo(day: Day, listed: number): string {
  const [checks, all] = [day.queue.length, undecided(day).length];
  if (!all) return "All decided";
  const { decided, total } = totals(day.stretches);
  const first = all > listed ? `First ${listed} of ${all}${all > checks ? ":" : ""} ` : "";
  const left = Math.ceil((100 * (total - decided)) / total - 1e-6);
  const what = all > checks ? `${checks} to check, ${all - checks} sure` : first ? "to check" : `${checks} to check`;
  return `${first}${what}${left ? ` · ${left}% has no label` : ""}`;
}

/** The time of day of a moment, or the time since the start where the recording has none. */
export function clockText(moment: number, clock: number | null, withSeconds = true): string {
  const whole = Math.floor(moment + (clock ?? 0) + 1e-6) % 86400;
  const two = (number: number) => `${number}`.padStart(2, "0");
  const text = `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}`;
  return withSeconds ? `${text}:${two(whole % 60)}` : text;
}

/** Steps of a ruler in seconds, and the space of a label in pixels. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600];
const LABEL = 90;

/** Round times within a view, and what they are called. */
export function ticks({ start, end }: Range, width: number, clock: number | null): { moment: number; text: string }[] {
  const least = ((end - start) * LABEL) / Math.max(1, width);
  const step = STEPS.find((each) => each >= least) ?? STEPS.at(-1)!;
  const shift = clock ?? 0;
  const found = [];
  for (let time = Math.ceil((start + shift) / step) * step; time <= end + shift; time += step) {
    found.push({ moment: time - shift, text: clockText(time - shift, clock, step < 60) });
  }
  return found;
}

/** A length in words. */
export function lengthText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

/** What a stretch is, in a word or a question. From the `doubtful` moment on, the last note holds suspiciously long. */
export function headline(stretch: Stretch, threshold: number, doubtful: number | null = null): string {
  if (stretch.label === "") return "Left out";
  const word = stretch.label ?? proposal(stretch);
  if (!word) return "What was this?";
  const text = word[0]!.toUpperCase() + word.slice(1);
  if (stretch.label !== null) return stretch.disputed ? `Check: yours says ${word}` : text;
  if (stretch.note && isLate(stretch, doubtful)) return `Still ${word}?`;
  return stretch.note === "" && stretch.confidence < threshold ? `Perhaps ${word}?` : `${text}?`;
}

function isLate({ start, end }: Stretch, doubtful: number | null): boolean {
  return doubtful !== null && (start + end) / 2 > doubtful;
}

/** What is known of a stretch, in a line. */
export function details(stretch: Stretch, clock: number | null, doubtful: number | null = null): string {
  const percent = `${Math.round(100 * stretch.confidence)}%`;
  const said = stretch.guess ? `${stretch.disputed ? "without it, " : ""}the model says ${stretch.guess}, ${percent}` : "";
  const late = isLate(stretch, doubtful) ? ", your last note, which may have ended earlier" : "";
  const known = stretch.note ? [`noted: ${stretch.note}${late}`, said] : [said];
  const when = `${clockText(stretch.start, clock)} to ${clockText(stretch.end, clock)}`;
  return [when, lengthText(stretch.end - stretch.start), ...known].filter(Boolean).join(" · ");
}

/** Seconds of each label, of all that is decided, and of all. */
export function totals(stretches: Stretch[]): { labels: Map<string, number>; decided: number; total: number } {
  const labels = new Map<string, number>();
  let [decided, total] = [0, 0];
  for (const { label, start, end } of stretches) {
    total += end - start;
    if (label === null) continue;
    decided += end - start;
    if (label) labels.set(label, (labels.get(label) ?? 0) + end - start);
  }
  return { labels, decided, total };
}
