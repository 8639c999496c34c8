/** What this page has in common with the phone page. */

export { looks } from "../activities";
export { byId, element, list, show, write } from "../dom";
export { drawn } from "../picture";
export { remember, remembered } from "../store";
export { capital, percent } from "../text";
