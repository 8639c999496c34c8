/** Asks a worker to run a network and to learn, so that the page stays quick; without workers, the page does it. */

import type { Head } from "../model/graph";
import type { Lesson } from "./learn";

/** What is asked of it, and what it answers. */
export interface Questions {
  features: { windows: Float32Array[] };
  lesson: { head: Head; windows: Float64Array[]; labels: number[]; seed: number };
}
export interface Answers {
  features: Float64Array[];
  lesson: Lesson;
}
export type Asked<Kind extends keyof Answers> = { kind: Kind } & Questions[Kind];

export class Learner {
  private worker: Worker | null = null;
  private number = 0;
  private readonly waiting = new Map<number, { asked: Asked<keyof Answers>; answered: (answer: never) => void; failed: (error: unknown) => void }>();

  /** @param file The model as it comes. */
  constructor(private readonly file: Uint8Array<ArrayBuffer>) {}

  async ask<Kind extends keyof Answers>(asked: Asked<Kind>): Promise<Answers[Kind]> {
    this.start();
    return new Promise<Answers[Kind]>((answered, failed) => {
      this.waiting.set((this.number += 1), { asked: asked as Asked<keyof Answers>, answered: answered as (answer: never) => void, failed });
      if (this.worker) this.worker.postMessage({ ...asked, number: this.number, file: this.number > 1 ? null : this.file });
      else void this.answerHere();
    });
  }

  end(): void {
    this.worker?.terminate();
  }

  private start(): void {
    if (this.number || !("Worker" in globalThis)) return;
    this.worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data: { number, answer } }) => {
      this.waiting.get(number)?.answered(answer as never);
      this.waiting.delete(number);
    };
    // An old browser has no modules in workers; a page that is offline may lack its file.
    this.worker.onerror = () => {
      this.worker = null;
      void this.answerHere();
    };
  }

  private async answerHere(): Promise<void> {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    try {
      const { answerer } = await import("./answers");
      const answer = answerer(this.file);
      for (const { asked, answered } of all) answered(answer(asked) as never);
    } catch (error) {
      for (const { failed } of all) failed(error);
    }
  }
}
