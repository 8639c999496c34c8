/** A minute of a real person, which `saved_models/person.py` makes. */

import recording from "./person.json";
import type { Track } from "./replay";

const { rate, seconds, activities, unit, rows } = recording;
const CHANNELS = 3;

/** The network that was trained without this person. */
export const NETWORK = "person.tflite";

const bytes = new DataView(Uint8Array.from(atob(rows), (letter) => letter.charCodeAt(0)).buffer);

export const person: Track = {
  rate, seconds, activities,
  rows: Array.from({ length: rate * seconds * activities.length }, (_, row) => {
    return Array.from({ length: CHANNELS }, (_, channel) => unit * bytes.getInt16(2 * (CHANNELS * row + channel), true));
  }),
};
