/** Addresses as QR codes, for phones. */

import { encode } from "uqr";
import { byId, vector, write } from "./dom";

/** Whether a phone can reach the address of the page. */
export function isReachable(): boolean {
  return location.protocol === "https:" && !/^(localhost|127\.|\[::1\])/.test(location.hostname);
}

/** The address of the page for a phone, which has a sensor. */
export function pageAddress(): URL {
  const url = new URL(location.href);
  for (const demonstration of ["replay", "person"]) url.searchParams.delete(demonstration);
  return url;
}

/** Draws the address of the page. */
export function drawAddress(): void {
  const { href } = pageAddress();
  drawCode("code", href);
  write("address", href);
}

/**
 * Draws an address as a QR code in an element, unless it is there.
 *
 * @param ecc The least redundancy: of a long address, fewer and larger dots are read more easily than many.
 */
export function drawCode(id: string, address: string, label = "QR code of the address", ecc: "L" | "M" = "M"): void {
  const place = byId(id);
  if (place.dataset.shown === address) return;
  place.dataset.shown = address;
  const { data, size } = encode(address, { ecc, boostEcc: true, border: 4 });
  const cells = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  const svg = vector("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label });
  svg.append(vector("path", { d: cells.join("") }));
  place.replaceChildren(svg);
}
