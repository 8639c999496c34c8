/** "How it works": the steps from the sensor to the answer, and the last windows with what the network said of each. */

import { AXES, drawSignal, sensorOf, SIGNAL } from "./charts";
import type { Metadata } from "../model/metadata";
import type { Sample } from "../signal/motion";
import { type Prediction, rejects, spoken } from "../signal/stream";
import { byId, element, set, write } from "./dom";
import { percent } from "./text";

/** Windows that are shown, classes of each, and the least probability of one. */
const KEPT = 3;
const NAMED = 3;
const LEAST = 0.005;

interface Kept {
  samples: Sample[];
  words: string;
}

let current: Windows | null = null;

addEventListener("resize", () => current?.show());

/** The last windows of a run. */
export class Windows {
  private kept: Kept[] = [];
  private last = NaN;
  private readonly seconds: number;

  constructor(private readonly metadata: Metadata) {
    this.seconds = Math.min(SIGNAL, metadata.window / metadata.rate);
    byId<HTMLDetailsElement>("how").ontoggle = () => this.show();
    current = this;
    this.show();
  }

  /** Keeps a window that ends with this prediction, if the last one ended a window ago. */
  add({ time, probabilities }: Prediction, samples: Sample[]): void {
    if (Math.abs(time - this.last) < this.seconds) return;
    this.last = time;
    const names = spoken(this.metadata);
    const ranked = probabilities.map((p, i) => ({ p, name: names[i]! })).sort((a, b) => b.p - a.p);
    const named = ranked.slice(0, NAMED).filter(({ p }) => p >= LEAST);
    const words = named.map(({ p, name }) => `${name} ${percent(p)}`).join(", ");
    this.kept.unshift({ samples: samples.filter((sample) => sample.time > time - this.seconds), words });
    this.kept.length = Math.min(KEPT, this.kept.length);
    this.show();
  }

  show(): void {
    if (!byId<HTMLDetailsElement>("how").open) return;
    const rows = this.kept.map(({ words }) => {
      const label = `Acceleration along ${AXES.join(", ")} in ${this.seconds} seconds`;
      const canvas = set(element("canvas"), { role: "img", "aria-label": label });
      return element("li", "", canvas, element("p", "", words));
    });
    byId("windows").replaceChildren(...rows);
    this.kept.forEach(({ samples }, i) => {
      const canvas = rows[i]!.querySelector("canvas")!;
      drawSignal(canvas, sensorOf(this.metadata), samples, samples.at(-1)?.time ?? 0, this.seconds);
    });
  }
}

/** Says in words what the page does with the signal, with the numbers of the file. */
export function explain(metadata: Metadata, threshold: number): void {
  const { rate, frame, window, states, streaming, classes } = metadata;
  const memory = Object.values(states).reduce((sum, size) => sum + size, 0);
  const known = classes.filter((_, i) => !rejects(metadata, i)).length;
  const others = known < classes.length ? " and for all other movements" : "";
  const reads = memory
    ? `A recurrent network reads ${frame} ${frame === 1 ? "row" : "rows"} at a time, and remembers earlier rows in ${memory} numbers.`
    : `A network reads the last ${window} rows at a time.`;
  write(
    "how-text",
    `The phone measures acceleration, gravity included${metadata.axes.length > 3 ? ", and rotation" : ""}. The page turns the samples into ${rate} rows per second. ` +
      `${reads} It returns a probability for each of ${known} activities${others}; a filter follows over time ` +
      `which of them is true. The label changes when another activity is more probable by ${Math.round(100 * streaming.margin)} points; ` +
      `below ${percent(threshold)} the answer is "Not sure". Steps are peaks of the acceleration: they were compared with ` +
      `true counts for walking; for jogging and stairs there are none to compare with.`,
  );
}
