/** What the last layer of a network reads of a window of a recording, which no teaching changes. */

import type { Graph } from "./graph";
import type { Metadata } from "./metadata";

/** Features at the end of a window, which is read frame by frame where there are states. */
export function features(graph: Graph, { states, frame, axes }: Metadata, window: Float32Array): Float64Array {
  if (!Object.keys(states).length) graph.call({ window });
  const size = frame * axes.length;
  let carried: Record<string, Float32Array> = Object.fromEntries(Object.entries(states).map(([name, units]) => [name, new Float32Array(units)]));
  for (let start = 0; Object.keys(states).length && start + size <= window.length; start += size) {
    const { probabilities: _, ...next } = graph.call({ ...carried, frame: window.subarray(start, start + size) });
    carried = next;
  }
  return graph.features();
}
