/** What is shown in each state: texts, parts, lists. A pure function, so that nothing is shown that the state does not say. */

import type { Metadata } from "../model/metadata";
import { looks, type Look, PICTURES } from "./activities";
import { type Signal, words } from "../signal/signal";
import { REFUSED } from "../signal/refused";
import { rejects, spoken } from "../signal/stream";
import type { Lesson, Model, Offer, Problem, Running, State, Summary, Taking, Teach } from "../page/state";
import type { Button, Part, Text } from "./parts";
import { capital, duration, kilobytes, percent, whole } from "./text";

/** What is known of the device. */
export interface Device {
  /** Whether somebody carries it. */
  handheld: boolean;
  /** Whether a phone can reach the address of the page. */
  reachable: boolean;
  shares: boolean;
  /** Whether a change of the activity can be heard. */
  heard: boolean;
}

export interface Bar {
  name: string;
  look: Look | null;
  /** From 0 to 1, or null for none. */
  share: number | null;
  text: string;
  current: boolean;
}

/** Recordings of one activity. */
export interface Card {
  activity: string;
  /** With what was recorded in all. */
  name: string;
  look: Look;
  trace: number[];
  recordings: { number: number; name: string; text: string }[];
}

export interface Shown {
  kind: State["kind"];
  /** By the id of an element; others are empty. */
  text: Partial<Record<Text, string>>;
  /** Ids of the parts that are visible; others are hidden. */
  visible: Part[];
  /** Ids of the buttons that cannot be pressed. */
  disabled: Button[];
  picture: { name: keyof typeof PICTURES; color: string; cadence: number } | null;
  /** Names and looks of what is recognized. */
  known: { name: string; look: Look }[];
  bars: Bar[];
  minutes: Bar[];
  stretches: string[];
  lessons: Card[];
  /** The address that is shown as a QR code for other phones to take over what was learned. */
  code: string | null;
  confusion: string[];
  /** Shares of what has arrived, null where the total is not known. */
  progress: number | null;
}

const PROBLEMS: Record<Problem, [title: string, text: string]> = {
  ...REFUSED,
  model: ["The model cannot be loaded", "Put a file written by zoo export next to the page, as model.tflite, or list it in models.json."],
  recording: ["The simulated recording cannot be loaded", "Reload the page when you are online."],
  code: ["This code cannot be used", "Nothing on this phone has changed."],
};

/** Ids where a condition holds. */
const when = <Id extends Part | Button>(condition: unknown, ...ids: Id[]): Id[] => (condition ? ids : []);

const NOTHING = {
  text: {}, visible: [], disabled: [], picture: null, known: [], bars: [], minutes: [], stretches: [], lessons: [],
  code: null, confusion: [], progress: null,
};

export function shown(state: State, device: Device): Shown {
  switch (state.kind) {
    case "loading":
      return {
        ...NOTHING, kind: state.kind, visible: ["progress", "start", "simulate"], disabled: ["start", "simulate"],
        text: { label: "Loading…", detail: arrived(state), start: "Start" },
        progress: state.total === null ? null : state.received / state.total,
      };
    case "start":
      return start(state.model, device);
    case "problem":
      return problem(state, device);
    case "running":
      return running(state, device);
    case "summary":
      return summary(state, device);
    case "teach":
      return teach(state, device);
    case "offer":
      return offer(state);
  }
}

function arrived({ what, received, total }: { what: string; received: number; total: number | null }): string {
  if (!what) return "";
  return `${what}: ${total ? `${whole(received / 1000)} of ${kilobytes(total)}` : kilobytes(received)}`;
}

function start(model: Model, { handheld, reachable, heard }: Device): Shown {
  return {
    ...NOTHING, kind: "start",
    visible: [
      "known", "start", "simulate", "person", "teach-row", teachable(model), "settings", "how", "collect-row", ...when(heard, "ears-row"),
      ...when(!handheld && reachable, "elsewhere"),
    ],
    text: {
      label: "What am I doing?",
      detail: "Tap Start and put the phone in your pants pocket. Sensor data never leaves your phone.",
      hint: "Leave the screen on: most phones stop the sensor when they are locked.",
      start: "Start", ...about(model),
    },
    known: known(model.metadata),
  };
}

function known(metadata: Pick<Metadata, "classes" | "other">): Shown["known"] {
  return looks(metadata.classes).flatMap((look, i) => (rejects(metadata, i) ? [] : [{ name: metadata.classes[i]!, look }]));
}

function problem({ problem, why, model }: Extract<State, { kind: "problem" }>, { reachable }: Device): Shown {
  const [title, text] = PROBLEMS[problem];
  const stays = problem === "model" && model ? `${model.metadata.preset} is still open.` : "";
  const sensor = problem === "sensorless" || problem === "gyroless";
  const unreachable = sensor && !reachable ? "No phone can reach this address: open one that zoo serve prints for phones." : "";
  return {
    ...NOTHING, kind: "problem",
    visible: ["problem", "start", "simulate", "settings", ...when(sensor, "person"), ...when(sensor && reachable, "elsewhere")],
    // Without a model there is nothing to start; where an address is not secure there is no sensor.
    disabled: [...when(!model || problem === "insecure", "start"), ...when(!model, "simulate")],
    text: {
      label: title, "problem-text": [why && `${capital(why)}.`, stays || text, unreachable].filter(Boolean).join(" "), start: "Start",
      ...(model ? about(model) : {}),
    },
  };
}

/** How often the label of a demonstration was the truth. */
function agreement({ right, of }: Running["agreed"]): string {
  return of ? `right ${percent(right / of)} of the time` : "";
}

function running(state: Running, { handheld, reachable, heard }: Device): Shown {
  const { model, simulated, paused, signal } = state;
  const { classes } = model.metadata;
  const { label, probability, detail } = taken(state) ?? words(signal, model.metadata);
  const found = signal.kind === "recognized" ? signal.label : null;
  const look = found === null ? null : looks(classes)[found]!;
  const probabilities = "probabilities" in signal ? signal.probabilities : null;
  return {
    ...NOTHING, kind: "running",
    visible: [
      "live", "bars-card", "minute-card", "stop", "settings", "how", ...when(heard, "ears-row"),
      ...when(simulated, "simulated", "pause", model.demonstrates ? "credit" : "person"),
      ...when(simulated && !handheld && reachable, "elsewhere"),
      ...when(signal.kind === "silent", "restart"),
      ...when(model.metadata.axes.length > 3, "rotation"),
    ],
    text: {
      label, probability,
      detail: paused ? "Paused" : detail || stepped(state, look),
      hint: hint(state),
      "notice-text": state.missed === null ? "" : missed(state.missed),
      simulated: played(model), stop: simulated ? "Stop" : "Hold to stop",
      pause: paused ? "Resume" : "Pause",
      measured: measured(state), unit: unitOf(model.metadata), ...about(model),
    },
    picture: picture(state, look),
    bars: bars(spoken(model.metadata), probabilities, found),
  };
}

function unitOf({ unit }: Metadata): string {
  return unit.replace("^2", "²");
}

function picture({ signal, steps, paused }: Running, look: Look | null): Shown["picture"] {
  if (look) return { name: look.figure, color: look.color, cadence: look.gait && !paused ? steps.cadence : 0 };
  if (signal.kind === "listening" || signal.kind === "silent") return null;
  if (signal.kind === "away") return { name: "pocket", color: "--accent", cadence: 0 };
  return { name: signal.kind === "unsure" ? "unsure" : "silent", color: "--soft", cadence: 0 };
}

/** Seconds that it saw at least in a pocket: of a phone on a table, some are taken for sitting before that is clear. */
const SEEN = 8;

/** Out of the pocket, where somebody looks at it: what it saw in there. */
function taken({ signal, model, timeline, steps: { count } }: Running): ReturnType<typeof words> | null {
  const spent = signal.kind === "away" ? spentOn(model.metadata.classes, timeline).filter(({ look }) => look) : [];
  if (spent.reduce((sum, { seconds }) => sum + seconds, 0) < SEEN) return null;
  const parts = [...spent.map(({ name, seconds }) => `${name} ${duration(seconds)}`), ...(count ? [stepsOf(count)] : [])];
  return { label: "Out of your pocket", probability: "", detail: `While in your pocket: ${parts.join(", ")}.` };
}

function stepsOf(count: number): string {
  return `${whole(count)} ${count === 1 ? "step" : "steps"}`;
}

function stepped({ steps: { count, cadence } }: Running, look: Look | null): string {
  if (!count || !look) return "";
  const pace = look?.gait && cadence ? ` · ${Math.round(cadence)} per minute` : "";
  return stepsOf(count) + pace;
}

/** What is played where nobody carries the phone. */
function played({ demonstrates }: Model): string {
  return demonstrates ? "Recording of a real person" : "Simulated recording";
}

function hint({ simulated, timeline, agreed, sleepy, model, signal }: Running): string {
  if (simulated) {
    const truth = timeline.truths.at(-1)?.name;
    if (!truth) return "";
    if (model.demonstrates) return [`Really: ${truth}`, agreement(agreed)].filter(Boolean).join(" · ");
    return model.metadata.classes.includes(truth) ? `Simulated activity: ${truth}` : `Simulated: ${truth}, not in this model`;
  }
  // What explains a signal stands alone.
  if (signal.kind !== "listening" && signal.kind !== "recognized") return "";
  if (sleepy) return "The screen may turn off, which stops the sensor: lengthen its timeout in the phone's settings.";
  return "Put it in your pocket; leave the screen on.";
}

function measured({ measured: { rate, milliseconds } }: Running): string {
  // A browser's clock is coarse: tenths would change with each run.
  const run = milliseconds < 1 ? "under 1" : milliseconds.toFixed(0);
  const parts = [
    Number.isFinite(rate) ? `The sensor sends ${rate.toFixed(0)} samples per second` : "",
    Number.isFinite(milliseconds) ? `a run of the network takes ${run} ms` : "",
  ].filter(Boolean);
  return parts.length ? `${parts.join("; ")}.` : "";
}

export function missed(seconds: number): string {
  return `${duration(seconds)} are missing: while a phone is locked or shows another app, it stops the sensor.`;
}

function summary({ model, simulated, agreed, timeline, steps, stretches }: Summary, device: Device): Shown {
  const { classes } = model.metadata;
  const spent = spentOn(classes, timeline);
  const lost = timeline.length - [null, ...classes.keys()].reduce((sum: number, label) => sum + timeline.seconds(label), 0);
  const longest = longestWalk(classes, timeline);
  const walked = [...(steps ? [`${stepsOf(steps)}.`] : []), ...(longest ? [`Longest walk: ${duration(longest)}.`] : [])];
  return {
    ...NOTHING, kind: "summary",
    visible: [
      "summary", "start", ...when(device.handheld, "simulate"), "settings", "how", "collect-row",
      ...when(model.demonstrates, "credit"), ...when(!model.demonstrates, "person", "teach-row", teachable(model)),
      ...when(simulated, "simulated"), ...when(stretches.length, "fix"), ...when(device.shares, "share"),
    ],
    text: {
      label: mostly(spent),
      detail: [`${duration(timeline.length)} in all${lost >= 1 ? `, ${duration(lost)} without a signal` : ""}.`, ...walked].join(" "),
      hint: model.demonstrates ? capital(`${agreement(agreed)}.`) : "",
      simulated: played(model), start: model.demonstrates ? "Done" : "Start again", from: "0 s", to: duration(timeline.length), ...about(model),
    },
    minutes: spent.map(({ name, look, seconds }) => ({
      name, look, share: seconds / timeline.length, text: duration(seconds), current: false,
    })),
    stretches: stretches.map(({ name }) => name),
  };
}

/** Seconds of each activity, and of none, the most first. */
export function spentOn(classes: string[], timeline: Summary["timeline"]): { name: string; look: Look | null; seconds: number }[] {
  const each = looks(classes).map((look, i) => ({ name: classes[i]!, look: look as Look | null, seconds: timeline.seconds(i) }));
  const rows = [...each, { name: "not sure", look: null, seconds: timeline.seconds(null) }];
  // Shorter times would be rounded to none.
  return rows.filter(({ seconds }) => seconds >= 0.5).sort((a, b) => b.seconds - a.seconds);
}

/** The activity of more than half of the time with a signal, if there is one. */
export function mostly(spent: { name: string; look: Look | null; seconds: number }[]): string {
  const [most] = spent;
  if (!most) return "Nothing recognized";
  if (most.seconds <= spent.reduce((sum, { seconds }) => sum + seconds, 0) / 2) return "A bit of everything";
  return most.look ? `Mostly ${most.name}` : "Mostly not sure";
}

/** Seconds of the longest stretch of walking: stairs end it, as they do in the timeline. */
export function longestWalk(classes: string[], { segments }: Summary["timeline"]): number {
  const each = looks(classes);
  const walks = segments.filter(({ label }) => label !== null && each[label]!.figure === "walking");
  return Math.max(0, ...walks.map(({ start, end }) => end - start));
}

function offer({ model, taught, replaces }: Offer): Shown {
  return {
    ...NOTHING, kind: "offer",
    visible: ["known", "offer-take", "offer-leave"],
    text: {
      label: "Use what another phone learned?",
      detail: "It was learned with this model, and recognizes:",
      hint: replaces ? "It would replace what this phone has learned. Recordings stay." : "",
      ...about(model),
    },
    known: known({ ...model.metadata, classes: taught.classes }),
  };
}

function teach(state: Teach, { shares, reachable }: Device): Shown {
  const { model, doing, learning, said, lessons, missing, learned, keeps, handover } = state;
  if ("take" in doing) return recording(model, doing);
  const trial = doing.kind === "trying" ? doing : null;
  const hands = keeps && reachable;
  return {
    ...NOTHING, kind: "teach",
    visible: [
      "lessons", "lessons-done", ...when(learned, "learned"),
      ...when(keeps, "try", "lesson-save"), ...when(keeps && shares, "lesson-share"), ...when(trial, "trying"),
      ...when(lessons.length || keeps, "lesson-reset"), ...when(state.undoes, "lesson-undo"),
      ...when(hands && "address" in handover, "handover"),
    ],
    disabled: [...when(learning, "lesson-record", "try", "lesson-reset", "lesson-open"), ...when(missing || learning, "learn")],
    text: {
      label: "Teach it", "lesson-said": said, "learned-text": learned?.text ?? "", "learn-missing": missing ?? "",
      ...about(model), learn: learning ? "Learning…" : "Learn", "lesson-reset": state.doubts ? "Yes, forget everything" : "Forget everything",
      "lesson-undo": `Undo deleting ${state.undoes ?? ""}`,
      try: trial ? "Stop trying" : "Try it now", ...(trial ? tried(trial.signal, model) : {}),
      "handover-none": hands && "why" in handover ? handover.why : "",
    },
    code: hands && "address" in handover ? handover.address : null,
    lessons: cards(lessons),
    confusion: learned?.confusion ?? [],
  };
}

/** While a lesson is recorded, it looks as it does in a class. */
function recording({ metadata }: Model, { kind, take, seconds, said }: Taking): Shown {
  const { activity, length } = take.wanted;
  const counts = kind === "countdown";
  return {
    ...NOTHING, kind: "teach",
    visible: [
      "count", "lesson-cancel", "lessons-done", ...when(!counts, "progress", "live"), ...when(!counts && metadata.axes.length > 3, "rotation"),
    ],
    text: {
      label: capital(activity), count: `${Math.floor(seconds)}${counts ? "" : " s"}`, "notice-text": said,
      detail: counts ? "Put the phone in your pocket." : `of ${length} s`, unit: unitOf(metadata),
    },
    progress: seconds / length,
  };
}

function tried(signal: Signal, { metadata }: Model): Record<string, string> {
  const { label, probability, detail } = words(signal, metadata);
  return { "try-label": label, "try-detail": probability || detail };
}

function cards(lessons: Lesson[]): Card[] {
  const activities = [...new Set(lessons.map(({ activity }) => activity))];
  return looks(activities).map((look, i) => {
    const activity = activities[i]!;
    const mine = lessons.flatMap((lesson, number) => (lesson.activity === activity ? [{ ...lesson, number }] : []));
    const total = mine.reduce((sum, { seconds }) => sum + seconds, 0);
    return {
      activity, look, trace: mine.at(-1)!.trace, name: `${activity}, ${total} s`,
      recordings: mine.map(({ number, seconds, believed }) => ({
        number, name: `${activity}, ${seconds} s`,
        text: believed ? `Recognized as ${believed.map(([name, windows]) => `${name} (${windows})`).join(", ") || "nothing"}` : "…",
      })),
    };
  });
}

function teachable({ obstacle }: Model): Part {
  return obstacle === null ? "teach-open" : "unteachable";
}

function about({ metadata, bytes, engine, obstacle }: Model): Record<string, string> {
  const { preset, simulated, source, license } = metadata;
  const stated = (words: string, fact: string) => (fact === "not stated" ? "" : `; ${words} ${fact}`);
  const made = simulated ? "; trained on SIMULATED people" : stated("trained on", source);
  return {
    about: `Model ${preset}, ${kilobytes(bytes)}, run by ${engine.name}${made}${stated("license", license)}.`,
    unteachable: obstacle ?? "",
  };
}

export function bars(classes: string[], probabilities: number[] | null, current: number | null): Bar[] {
  return looks(classes).map((look, i) => {
    const share = probabilities?.[i] ?? null;
    return { name: classes[i]!, look, share, text: share === null ? "" : percent(share), current: i === current };
  });
}
