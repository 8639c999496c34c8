/** What this page has in common with the phone page. */

export { remember, remembered } from "../page/store";
export { looks } from "../show/activities";
export { byId, element, list, show, write } from "../show/dom";
export { drawn } from "../show/picture";
export { capital, percent } from "../show/text";
