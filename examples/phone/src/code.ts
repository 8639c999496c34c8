/** The address of a page as a QR code, for phones. */

import { encode } from "uqr";
import { byId, write } from "./dom";

/** Whether a phone can reach the address of the page. */
export function isReachable(): boolean {
  return location.protocol === "https:" && !/^(localhost|127\.|\[::1\])/.test(location.hostname);
}

/** Draws the address of the page, once. */
export function drawAddress(): void {
  if (byId("code").hasChildNodes()) return;
  const url = new URL(location.href);
  // A phone has a sensor.
  url.searchParams.delete("replay");
  const { data, size } = encode(url.href, { ecc: "M", border: 4 });
  const cells = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const attributes = { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": "QR code of the address" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  path.setAttribute("d", cells.join(""));
  svg.append(path);
  byId("code").replaceChildren(svg);
  write("address", url.href);
}
