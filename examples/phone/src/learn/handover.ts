/** Addresses of the page that bring what was taught to another phone. */

import { pageAddress } from "../show/code";
import { LONGEST } from "./taught";

/** Of the end of an address, which no browser sends to a server. */
const BEGINNING = "#taught=";

/**
 * The address that brings what was taught, or null if it is too long for a QR code that a phone reads easily.
 *
 * @param model The name of the model, where there are several next to the page.
 */
export function taughtAddress(code: string, model: string | null): string | null {
  const url = pageAddress();
  if (model !== null) url.searchParams.set("model", model);
  url.hash = BEGINNING + code;
  return url.href.length <= LONGEST ? url.href : null;
}

/** Whether the address of the page brings what was taught. */
export function bringsTaught(): boolean {
  return location.hash.startsWith(BEGINNING);
}

/** Takes what was taught out of the address of the page, so that no bookmark brings it again; null for nothing. */
export function takeTaught(): string | null {
  if (!bringsTaught()) return null;
  const code = location.hash.slice(BEGINNING.length);
  history.replaceState(history.state, "", location.pathname + location.search);
  return code;
}
