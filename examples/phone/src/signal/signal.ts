/** What the page believes of a signal: one thing at a time, so that no label stands beside a complaint. */

import { capital, percent } from "../show/text";
import type { Metadata } from "../model/metadata";
import { type Prediction, rejects } from "./stream";
import type { Complaint } from "./watch";

/** Why a signal that was there has ended. */
export type Silent = "stopped" | "hidden" | "empty" | "gyroless";

/** Where a phone of which no label is believed is, if not in a pocket. */
type Place = "at rest" | "hand" | "shaken";

export type Signal =
  | { kind: "listening" }
  | { kind: "silent"; why: Silent }
  | { kind: "doubtful"; complaint: Complaint }
  | { kind: "away"; place: Place }
  | { kind: "unsure"; guess: number; probabilities: number[]; lasting: boolean }
  | { kind: "recognized"; label: number; probability: number; probabilities: number[] };

/** What is known of a signal at a moment. */
export interface Known {
  silent: Silent | null;
  complaint: Complaint | null;
  place: Place | null;
  /** Null until enough was read. */
  prediction: Prediction | null;
  /** Seconds for which the network has not been sure. */
  unsure: number;
}

/** Seconds after which what is not recognized is no change from one activity to the next. */
const LASTING = 4;

/** What weighs most decides. */
export function believed({ silent, complaint, place, prediction, unsure }: Known): Signal {
  if (silent) return { kind: "silent", why: silent };
  if (complaint) return { kind: "doubtful", complaint };
  if (place) return { kind: "away", place };
  if (!prediction) return { kind: "listening" };
  const { label, probability, probabilities } = prediction;
  if (label !== null) return { kind: "recognized", label, probability, probabilities };
  const guess = probabilities.indexOf(Math.max(...probabilities));
  return { kind: "unsure", guess, probabilities, lasting: unsure >= LASTING };
}

const SILENT: Record<Silent, string> = {
  stopped: "The sensor has stopped sending.",
  hidden: "The phone is locked or shows another app, which stops the sensor.",
  empty: "The sensor sends events without acceleration.",
  gyroless: "The sensor sends events without rotation rate, which this model reads.",
};

const PLACES: Record<Place, string> = {
  "at rest": "The phone lies still, as on a table. The model was trained on phones in pants pockets.",
  hand: "The phone seems to be in your hand. The model was trained on phones in pants pockets.",
  shaken: "The phone goes back and forth faster than anybody steps. The model was trained on phones in pants pockets.",
};

/** A signal in words: the label, how sure it is, and a sentence that explains it. */
export function words(signal: Signal, metadata: Pick<Metadata, "classes" | "other">): { label: string; probability: string; detail: string } {
  const { classes } = metadata;
  const said = (label: string, probability = "", detail = "") => ({ label, probability, detail });
  switch (signal.kind) {
    case "listening":
      return said("Listening…");
    case "silent":
      return said("No signal", "", SILENT[signal.why]);
    case "doubtful":
      return said(signal.complaint.title, "", signal.complaint.text);
    case "away":
      return said("Put me in your pocket", "", PLACES[signal.place]);
    case "unsure": {
      if (rejects(metadata, signal.guess)) return said("Something else", "", "A movement that is none of what it knows.");
      const perhaps = `perhaps ${classes[signal.guess]}`;
      return signal.lasting ? said("Something else", perhaps, "None of what it knows, or several at once.") : said("Not sure", perhaps);
    }
    case "recognized":
      return said(capital(classes[signal.label]!), percent(signal.probability));
  }
}

/** One signal of each kind that takes place of its own, for a number of classes. */
export function possible(classes: number): Signal[] {
  const nothing: Known = { silent: null, complaint: null, place: null, prediction: null, unsure: 0 };
  const prediction = { time: 0, probability: 1, probabilities: Array<number>(classes).fill(0), reason: null };
  const slow = { title: "Sensor too slow", text: "20 samples per second; the model was trained on 50. Turn off power saving." };
  return [
    ...Array.from({ length: classes }, (_, label) => believed({ ...nothing, prediction: { ...prediction, label } })),
    believed({ ...nothing, prediction: { ...prediction, label: null }, unsure: LASTING }),
    believed({ ...nothing, silent: "hidden" }),
    believed({ ...nothing, complaint: slow }),
    believed({ ...nothing, place: "at rest" }),
  ];
}
