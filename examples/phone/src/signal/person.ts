/** A minute of a real person, which `saved_models/person.py` makes. */

import recording from "./person.json";
import { track } from "./replay";

/** The network that was trained without this person. */
export const NETWORK = "person.tflite";

export const person = track(recording);
