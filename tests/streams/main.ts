/** Follows streams by the protocol of golden.py, with the network `step` of it, for the metadata in a file of JSON. */

import { readFileSync } from "node:fs";
import { understood } from "../../examples/phone/src/model/metadata";
import { Stream, type Network } from "../../examples/phone/src/signal/stream";

const metadata = understood(JSON.parse(readFileSync(process.argv[2]!, "utf8")));

const network: Network = {
  metadata,
  async step(frame, states) {
    const one = Math.fround;
    const carried = one(one(0.9) * (states["h_1"]?.[0] ?? 0));
    const signal = one(one(carried + Math.abs(frame[0]!)) + Math.abs(frame.at(-1)!));
    const scores = metadata.classes.map((_, i) => Math.abs(Math.sin(signal * (i + 1))) ** 8);
    const sum = scores.reduce((total, score) => total + score, 0);
    return {
      probabilities: Float32Array.from(scores, (score) => score / sum),
      states: Object.fromEntries(Object.keys(states).map((name) => [name, new Float32Array(32).fill(signal)])),
    };
  },
};

const REASONS = ["not sure", "something else", "at rest", "no signal", "too slow", "shaken"];

const written: string[] = [];
let stream: Stream | null = null;

function end(): void {
  for (const [reason, count] of Object.entries(stream?.skipped ?? {})) written.push(`dropped ${count} ${reason}`);
  if (stream) written.push("end");
}

for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  if (line === "new") {
    end();
    stream = new Stream(network, metadata.threshold);
    continue;
  }
  const [time, ...value] = line.split(" ").map(Number);
  for (const p of await stream!.push(time!, value)) {
    written.push([p.time, p.label ?? -1 - REASONS.indexOf(p.reason!), p.probability, ...p.probabilities].join(" "));
  }
}
end();
console.log(written.join("\n"));
