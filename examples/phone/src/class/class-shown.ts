/** What the projector shows of a class: a pure function of what the computer tells, and of the goal. */

import { type Look, looks } from "../show/activities";
import { capital, clock, percent } from "../show/text";

/** What the computer tells of a training. */
export type Training =
  | { status: "running"; step: number; steps: number; epoch: string }
  | { status: "failed"; reason: string }
  | {
      status: "done"; folder: string; address: string; people: string[]; windows: number; accuracy: number;
      classes: string[]; confusion: number[][];
    };

/** What the computer tells of a class. */
export interface Class {
  /** What phones scan. */
  address: string;
  labels: string[];
  recordings: number;
  people: { name: string; seconds: Record<string, number> }[];
  /** Seconds, x, y and z of the recording that arrived last. */
  newest: { person: string; activity: string; rows: number[][] } | null;
  refused: string[];
  /** What a training needs and is not there. */
  missing: string[];
  training: Training | null;
}

/** What was recognized of an activity: windows of each, and their share of its own. */
export interface Row {
  name: string;
  look: Look;
  cells: { count: number; share: number }[];
}

export type ClassShown = ReturnType<typeof shownOfClass>;

/** Of the commands that a training runs. */
const STEPS = ["Reading the recordings", "Training", "Measuring", "Making the file for phones"];

/**
 * @param goal Minutes of each activity.
 * @param records Whether recordings are looked at, also where there is a result.
 */
export function shownOfClass(state: Class, goal: number, records: boolean) {
  const { labels, people, recordings, newest, refused, training, missing } = state;
  const each = looks(labels);
  const running = training?.status === "running";
  const done = training?.status === "done" ? training : null;
  const result = records ? null : done;
  const code = result?.address ?? state.address;
  return {
    text: {
      title: result ? `It recognizes ${percent(result.accuracy)}` : "The class", address: code,
      "scan-title": result ? "Scan this to try it" : "Scan, accept the warning, record",
      "people-title": `${people.length} ${people.length === 1 ? "person" : "people"}, ${recordings} ${recordings === 1 ? "recording" : "recordings"}`,
      nobody: people.length ? "" : "Recordings appear here as they arrive.",
      "newest-title": newest ? `${capital(newest.activity)}, ${newest.person}` : "",
      "training-text": said(training, missing), "problem-text": refused.length ? `A recording was refused at ${refused.at(-1)}` : "",
      train: done ? "Train again" : "Train on the class", board: result ? "Record more" : "Show the result",
      "result-text": result ? `${result.windows} windows of three seconds by` : "",
    },
    visible: [
      "scan", "training", ...(result ? ["result"] : ["people-card"]), ...(!result && labels.length ? ["goal-card"] : []),
      ...(!result && newest ? ["newest-card"] : []), ...(refused.length ? ["problem"] : []),
      ...(running ? ["progress", "cancel"] : ["train"]), ...(done ? ["board"] : []),
    ],
    people: people.map(({ name, seconds }) => ({
      name, cells: labels.map((activity, i) => ({ activity, look: each[i]!, seconds: seconds[activity] ?? 0 })),
    })),
    minutes: labels.map((name, i) => {
      const seconds = people.reduce((sum, person) => sum + (person.seconds[name] ?? 0), 0);
      return { name, look: each[i]!, share: Math.min(1, seconds / 60 / goal), current: false, text: `${clock(seconds)} of ${goal} min` };
    }),
    canTrain: !missing.length && !running,
    // From 0 to 1.
    progress: running ? fraction(training) : 0,
    matrix: result ? rows(result) : [],
    // People on whom the model was not trained.
    leftOut: result?.people ?? [],
    // The address in the code.
    code,
    // Who recorded what last.
    newcomer: newest && { name: `${newest.person}, ${newest.activity}`, look: each[labels.indexOf(newest.activity)] ?? looks([newest.activity])[0]! },
  };
}

function said(training: Training | null, missing: string[]): string {
  if (training?.status === "running") {
    const step = STEPS[Math.max(0, training.step - 1)]!;
    return `${step}${training.epoch && training.step === 2 ? `, epoch ${training.epoch.replace("/", " of ")}` : ""}.`;
  }
  if (training?.status === "failed") return `The training failed: ${training.reason}`;
  if (missing.length) return `Missing: ${missing.join(", ")}.`;
  return training ? `The result is in the folder ${training.folder}, next to the recordings.` : "Takes a minute or more. Phones can go on recording.";
}

function fraction({ step, steps, epoch }: Extract<Training, { status: "running" }>): number {
  const [now, all] = epoch.split("/").map(Number);
  return (Math.max(0, step - 1) + (step === 2 && all ? now! / (all + 1) : 0)) / steps;
}

function rows({ classes, confusion }: Extract<Training, { status: "done" }>): Row[] {
  const each = looks(classes);
  return confusion.map((counts, i) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    return { name: classes[i]!, look: each[i]!, cells: counts.map((count) => ({ count, share: all ? count / all : 0 })) };
  });
}
