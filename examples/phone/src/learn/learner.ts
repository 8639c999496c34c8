/** Asks a worker to run a network and to learn, so that the page stays quick; where there is none, the page does it. */

import type { Answers } from "./answers";

/** A question and what it is about. */
export type Asked<Kind extends keyof Answers> = [kind: Kind, ...about: Parameters<Answers[Kind]>];

export class Learner {
  private worker: Worker | null = null;
  private asked = 0;

  /** @param file The model as it comes. */
  constructor(private readonly file: Uint8Array<ArrayBuffer>) {}

  /** @throws Where the network does not run. */
  async ask<Kind extends keyof Answers>(...asked: Asked<Kind>): Promise<ReturnType<Answers[Kind]>> {
    const number = (this.asked += 1);
    if (number === 1 && "Worker" in globalThis) this.worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const { worker } = this;
    const answer = worker && (await new Promise<ReturnType<Answers[Kind]> | null>((done) => {
      worker.addEventListener("message", ({ data }) => data.number === number && done(data.answer));
      // An old browser has no modules in workers, and a page that is offline may lack its file.
      worker.addEventListener("error", () => done((this.worker = null)));
      worker.postMessage({ asked, number, file: number > 1 ? null : this.file });
    }));
    return answer ?? (await import("./answers")).answerer(this.file)(asked);
  }

  end(): void {
    this.worker?.terminate();
  }
}
