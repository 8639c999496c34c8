/** Addresses as QR codes, for phones. */

import { encode } from "uqr";
import { byId, write } from "./dom";

/** Whether a phone can reach the address of the page. */
export function isReachable(): boolean {
  return location.protocol === "https:" && !/^(localhost|127\.|\[::1\])/.test(location.hostname);
}

/** Draws the address of the page. */
export function drawAddress(): void {
  const url = new URL(location.href);
  // A phone has a sensor.
  for (const demonstration of ["replay", "person"]) url.searchParams.delete(demonstration);
  drawCode("code", url.href);
  write("address", url.href);
}

/** Draws an address as a QR code in an element, unless it is there. */
export function drawCode(id: string, address: string): void {
  const place = byId(id);
  if (place.dataset.shown === address) return;
  place.dataset.shown = address;
  const { data, size } = encode(address, { ecc: "M", border: 4 });
  const cells = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const attributes = { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": "QR code of the address" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  path.setAttribute("d", cells.join(""));
  svg.append(path);
  place.replaceChildren(svg);
}
