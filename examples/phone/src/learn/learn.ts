/**
 * Trains the last layer on windows of the owner, and keeps what helps on windows that were held back.
 *
 * It follows `zoo.runtime.personal`, which gives the reasons; on the same windows in the same order both learn the same.
 */

import type { Head } from "../model/graph";
import { normalized } from "../model/operations";

/** Shares of the way to the learned weights that are tried. */
const SHARES = [0.1, 0.25, 0.5, 0.75, 1];

/** The least probability that a loss is computed of: that of 32-bit floats. */
const TINY = 2 ** -126;

export interface Settings {
  /** Divisor of the logits in the probabilities, which training leaves out. */
  temperature: number;
  epochs: number;
  rate: number;
  /** Parts of the windows, each of which is held back once. */
  folds: number;
  /** The order of a number of windows in an epoch. */
  shuffle: (count: number, epoch: number) => number[];
}

export const SETTINGS: Omit<Settings, "temperature" | "shuffle"> = { epochs: 20, rate: 0.02, folds: 3 };

/** What a window that was held back was recognized as, before and after: the class with more than half, or -1. */
export interface HeldBack {
  label: number;
  before: number;
  after: number;
}

/** The losses of a window that was held back, and what it was recognized as, without and with each share. */
interface Tried {
  label: number;
  losses: number[];
  said: number[];
}

export interface Lesson {
  head: Head;
  /** The share of what was learned that is kept, or 0. */
  share: number;
  heldBack: HeldBack[];
}

/** The last layer with more classes. What is new has a logit of zero. */
export function extended({ kernel, bias }: Head, classes: number): Head {
  const [before, features] = [bias.length, kernel.length / bias.length];
  const wider = new Float64Array(features * classes);
  for (let i = 0; i < features; i += 1) wider.set(kernel.subarray(i * before, (i + 1) * before), i * classes);
  const longer = new Float64Array(classes);
  longer.set(bias);
  return { kernel: wider, bias: longer };
}

export function logits({ kernel, bias }: Head, features: Float64Array): Float64Array {
  const found = bias.slice();
  features.forEach((feature, i) => {
    for (let k = 0; k < found.length; k += 1) found[k]! += feature * kernel[i * found.length + k]!;
  });
  return found;
}

/** Calibrated probabilities of the features of a window. */
export function probabilities(head: Head, features: Float64Array, temperature: number): number[] {
  return normalized(logits(head, features), 1 / temperature);
}

/** Learns from the features of windows and the numbers of their classes. */
export function learn(known: Head, features: Float64Array[], labels: number[], settings: Settings): Lesson {
  const ranks = new Map<number, number>();
  // The windows of a class are dealt out in turn, so that each part has windows of all classes.
  const folds = labels.map((label) => {
    const rank = ranks.get(label) ?? 0;
    ranks.set(label, rank + 1);
    return rank % settings.folds;
  });
  const tried: Tried[] = [];
  for (let fold = 0; fold < settings.folds; fold += 1) {
    const [kept, held] = [false, true].map((held) => folds.flatMap((each, i) => ((each === fold) === held ? [i] : [])));
    if (!held!.length || !kept!.length) continue;
    const learned = train(known, kept!.map((i) => features[i]!), kept!.map((i) => labels[i]!), settings);
    const heads = [known, ...SHARES.map((share) => between(known, learned, share))];
    for (const i of held!) {
      const found = heads.map((head) => probabilities(head, features[i]!, settings.temperature));
      tried.push({
        label: labels[i]!,
        losses: found.map((each) => -Math.log(Math.max(each[labels[i]!]!, TINY))),
        said: found.map((each) => each.findIndex((probability) => probability > 0.5)),
      });
    }
  }
  const best = tried.length ? helpful(tried, labels.some((label) => isNew(known, label))) : SHARES.length;
  const share = best ? SHARES[best - 1]! : 0;
  return {
    head: between(known, train(known, features, labels, settings), share),
    share,
    heldBack: tried.map(({ label, said }) => ({ label, before: said[0]!, after: said[best]! })),
  };
}

/**
 * The number of the smallest share with which the most windows are recognized, among those that do not raise the mean
 * loss; 0 for none. If a class is new, the number of the share with the lowest loss: there is nothing to keep of it.
 */
function helpful(tried: Tried[], isAnyNew: boolean): number {
  const each = tried[0]!.losses.map((_, share) => share);
  const losses = each.map((share) => mean(tried.map(({ losses }) => losses[share]!)));
  if (isAnyNew) return losses.indexOf(Math.min(...losses));
  const right = each.map((share) => tried.filter(({ label, said }) => said[share] === label).length);
  const counts = each.map((share) => (losses[share]! <= losses[0]! ? right[share]! : -1));
  return counts.indexOf(Math.max(...counts));
}

/** Whether a class has no weights yet. */
function isNew({ kernel, bias }: Head, label: number): boolean {
  return kernel.every((weight, i) => i % bias.length !== label || weight === 0);
}

function train(known: Head, features: Float64Array[], labels: number[], { epochs, rate, shuffle }: Settings): Head {
  const head = { kernel: known.kernel.slice(), bias: known.bias.slice() };
  const classes = head.bias.length;
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    for (const i of shuffle(features.length, epoch)) {
      const error = normalized(logits(head, features[i]!));
      error[labels[i]!]! -= 1;
      features[i]!.forEach((feature, row) => {
        for (let k = 0; k < classes; k += 1) head.kernel[row * classes + k]! -= rate * feature * error[k]!;
      });
      for (let k = 0; k < classes; k += 1) head.bias[k]! -= rate * error[k]!;
    }
  }
  return head;
}

function between(known: Head, learned: Head, share: number): Head {
  const mix = (a: Float64Array, b: Float64Array) => a.map((number, i) => number + share * (b[i]! - number));
  return { kernel: mix(known.kernel, learned.kernel), bias: mix(known.bias, learned.bias) };
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/**
 * Orders of windows that follow from a number from 0 to 1.
 *
 * The generator is that of Lewis, Goodman and Miller, 1969.
 */
export function shuffled(seed: number): Settings["shuffle"] {
  let state = 1 + Math.floor(seed * 2147483645);
  const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
  return (count) => {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let last = count - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      [order[last], order[other]] = [order[other]!, order[last]!];
    }
    return order;
  };
}
