/** What a worker answers: of a network on windows, and of learning. */

import { features } from "../model/features";
import { Graph } from "../model/graph";
import { readMetadata } from "../model/metadata";
import { learn, SETTINGS, shuffled } from "./learn";
import type { Answers, Asked } from "./learner";

/** @param file The model as it comes. */
export function answerer(file: Uint8Array): <Kind extends keyof Answers>(asked: Asked<Kind>) => Answers[Kind] {
  const metadata = readMetadata(file);
  const graph = new Graph(file, Object.keys(metadata.states).length ? "step" : "window");
  const answers: { [Kind in keyof Answers]: (asked: Asked<Kind>) => Answers[Kind] } = {
    features: ({ windows }) => windows.map((window) => features(graph, metadata, window)),
    lesson: ({ head, windows, labels, seed }) => {
      return learn(head, windows, labels, { ...SETTINGS, temperature: metadata.temperature, shuffle: shuffled(seed) });
    },
  };
  return (asked) => answers[asked.kind](asked as never) as never;
}
