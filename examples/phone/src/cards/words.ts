/** Words of a text, and what a language model adds to them. */

export interface Completion {
  /** The words that were read; fewer than the model needs where the text is too short. */
  context: string[];
  /** What is typed of a word that is not complete. */
  begun: string;
  /** Words that the model does not know, of those that it would read. */
  unknown: string[];
  /** The most probable words that begin like it, with the probabilities that the model gives them. */
  next: { word: string; probability: number }[];
}

/** With the marks on letters, such as the vowels of Hindi and Thai. */
const LETTER = "[\\p{L}\\p{M}\\p{N}_]";
const ENDING = `(?:s|re|ve|ll|d|m)(?!${LETTER})`;
const WORD = new RegExp(
  `(?:mrs?|ms|dr|st)\\.|'${ENDING}|${LETTER}+(?:[-.,]${LETTER}+|'(?!${ENDING})${LETTER}+)*|--|\\S`, "gu",
);
const NOT = /n't(?![\p{L}\p{N}_])/gu;
/** Soft hyphens, marks of direction and the like, which are part of no word; what Python takes for a space stays. */
const INVISIBLE = /\ufeff|(?![\s\x1c-\x1f\x85])\p{C}/gu;

/** Splits a sentence into words, as `zoo.runtime.vocabulary.tokenize` does. */
export function tokenize(line: string): string[] {
  return line.toLowerCase().replace(INVISIBLE, "").normalize("NFC").replaceAll("’", "'").replace(NOT, " nt").match(WORD) ?? [];
}

/**
 * Completes a text. A last word that the model does not know is one that is being typed, unless a space follows it.
 *
 * @param length How many words the model reads.
 * @param predict The probability of each word after `length` words, by their numbers.
 */
export function complete(
  text: string, words: string[], length: number, count: number, predict: (numbers: number[]) => ArrayLike<number>,
): Completion {
  const tokens = tokenize(text);
  const known = new Map(words.map((word, number) => [word, number]));
  const typing = tokens.length > 0 && !known.has(tokens.at(-1)!) && !/\s$/.test(text);
  const begun = typing ? tokens.pop()! : "";
  const context = tokens.slice(-length);
  const unknown = context.filter((word) => !known.has(word));
  if (context.length < length || unknown.length) return { context, begun, unknown, next: [] };
  const probabilities = predict(context.map((word) => known.get(word)!));
  const next = words.map((word, number) => ({ word, probability: probabilities[number]! }))
    .filter(({ word }) => word.startsWith(begun))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, count);
  return { context, begun, unknown, next };
}
