/** A minute of a real person, which `saved_models/person.py` makes. */

import recording from "./person.json";
import { track } from "./replay";

export const person = track(recording);
