/** What a worker answers: of a network on windows, and of learning. */

import { Graph, type Head } from "../model/graph";
import { type Metadata, readMetadata } from "../model/metadata";
import { learn, type Lesson, SETTINGS, shuffled } from "./learn";
import type { Asked } from "./learner";

export interface Answers {
  /** What the last layer, which teaching changes, reads at the end of each window. */
  features(windows: Float32Array[]): Float64Array[];
  lesson(head: Head, features: Float64Array[], labels: number[], seed: number): Lesson;
}

/** @param file The model as it comes. */
export function answerer(file: Uint8Array): <Kind extends keyof Answers>(asked: Asked<Kind>) => ReturnType<Answers[Kind]> {
  const metadata = readMetadata(file);
  const graph = new Graph(file, Object.keys(metadata.states).length ? "step" : "window");
  const answers: Answers = {
    features: (windows) => windows.map((window) => features(graph, metadata, window)),
    lesson: (head, features, labels, seed) => {
      return learn(head, features, labels, { ...SETTINGS, temperature: metadata.temperature, shuffle: shuffled(seed) });
    },
  };
  return ([kind, ...about]) => (answers[kind] as (...about: unknown[]) => never)(...about);
}

/** Features at the end of a window, which is read frame by frame where there are states. */
function features(graph: Graph, { states, frame, axes }: Metadata, window: Float32Array): Float64Array {
  if (!Object.keys(states).length) graph.call({ window });
  const size = frame * axes.length;
  let carried: Record<string, Float32Array> = Object.fromEntries(Object.entries(states).map(([name, units]) => [name, new Float32Array(units)]));
  for (let start = 0; Object.keys(states).length && start + size <= window.length; start += size) {
    const { probabilities: _, ...next } = graph.call({ ...carried, frame: window.subarray(start, start + size) });
    carried = next;
  }
  return graph.features();
}
