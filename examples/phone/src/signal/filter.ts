/**
 * A filter over time: from the network's answers to probabilities given all answers so far.
 *
 * `zoo.runtime.filtering` explains it, and returns the same numbers.
 */

/** A part of the labels, or all of them, and the parts into which it divides. */
export interface Group {
  parts: string[][];
  /** How much a second of the network's answers counts. */
  evidence: number;
  /** Mean seconds for which each part lasts. */
  stay: number[];
}

/** Least share of a part in its group: no single answer counts as proof. */
const FLOOR = 0.01;

/** Least belief in a part: no part is ever impossible. */
const LEAST = 1e-30;

/** One group in which each label is a part: that of files which state none. */
function defaultGroups(classes: string[]): Group[] {
  if (classes.length < 2) return [];
  return [{ parts: classes.map((name) => [name]), evidence: 1, stay: classes.map(() => 60) }];
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

/** Which part of a group is true. */
class Belief {
  /** Of each label, or -1. */
  readonly part: number[];
  parts: number[];
  private readonly leave: number[];

  constructor(private readonly group: Group, classes: string[], private readonly seconds: number) {
    this.part = classes.map((name) => group.parts.findIndex((part) => part.includes(name)));
    this.parts = group.stay.map((stay) => stay / sum(group.stay));
    this.leave = group.stay.map((stay) => -Math.expm1(-seconds / stay));
  }

  update(answer: ArrayLike<number>): void {
    const gone = this.parts.map((part, k) => part * this.leave[k]!);
    const left = sum(gone);
    this.parts = this.parts.map((part, k) => Math.max(part - gone[k]! + (left - gone[k]!) / (gone.length - 1), LEAST));
    const share = gone.map(() => 0);
    this.part.forEach((k, label) => k >= 0 && (share[k]! += answer[label]!));
    const within = sum(share);
    if (!(within > 0)) return;
    const shares = share.map((each) => Math.max(each / within, FLOOR));
    const best = Math.max(...shares);
    const power = this.group.evidence * this.seconds * within;
    const weighed = this.parts.map((part, k) => part * (shares[k]! / best) ** power);
    const total = sum(weighed);
    this.parts = weighed.map((each) => each / total);
  }
}

export class Filter {
  private readonly beliefs: Belief[];

  /**
   * @param groups A tree of the labels; empty for one group of all.
   * @param seconds From one answer of the network to the next.
   */
  constructor(classes: string[], groups: Group[], seconds: number) {
    const tree = groups.length ? groups : defaultGroups(classes);
    this.beliefs = tree.map((group) => new Belief(group, classes, seconds));
  }

  /** Probabilities of the labels, given this answer and those before. */
  update(answer: ArrayLike<number>): number[] {
    const found = Array.from(answer, () => 1);
    for (const belief of this.beliefs) {
      belief.update(answer);
      belief.part.forEach((k, label) => k >= 0 && (found[label]! *= belief.parts[k]!));
    }
    return found;
  }
}
