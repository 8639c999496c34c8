/** Names of activities and people, as they are typed: one spelling for one thing. */

import { OTHER } from "../signal/stream";

/** Characters of a name at most, as in the fields of the pages. */
export const LONGEST_NAME = 40;

/** All that is not recognized, as models and as the page call it. */
const REJECTED = [OTHER, "something else"];

/** A name, or why what was typed is none. */
export type Named = { name: string; why: null } | { name: null; why: string };

/** Composed letters, and single blanks between words. */
export function plain(text: string): string {
  return text.normalize("NFC").trim().replace(/\s+/g, " ");
}

/** Whether a text can be a name at all: a blank is none, nor is half an emoji. */
export function isName(text: unknown): text is string {
  return typeof text === "string" && plain(text) !== "" && text.length <= LONGEST_NAME && !/[\p{Cc}\p{Cs}]/u.test(text);
}

/** The same for all spellings of a name. */
export function folded(text: string): string {
  return plain(text).toLowerCase();
}

/**
 * The name of an activity that was typed: as it is known, where it is, whatever its capitals.
 *
 * @param known Names of activities, of which `other` may be one like all others.
 */
export function named(typed: string, known: string[]): Named {
  const name = plain(typed);
  const before = known.find((each) => folded(each) === folded(name));
  if (before) return { name: before, why: null };
  const why = refusal(name);
  return why === null ? { name, why } : { name: null, why };
}

function refusal(name: string): string | null {
  if (!name) return "Type a word.";
  if (name.length > LONGEST_NAME) return `A name has ${LONGEST_NAME} characters at most.`;
  // In a file of a recording it is a cell, which `zoo data import csv` reads without quotes.
  if (name.includes(",")) return "A name has no commas.";
  if (!isName(name)) return "This name has a character that cannot be written.";
  if (REJECTED.includes(folded(name))) return `"${folded(name)}" stands for all that is not recognized: type what you do.`;
  return null;
}
