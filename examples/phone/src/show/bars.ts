/** Rows of a name, a bar and a number. */

import { byId, element, list, set } from "./dom";
import { drawn } from "./picture";
import type { Bar } from "./shown";

export function renderBars(id: string, rows: Bar[], role?: string): void {
  list(id, rows.map(({ name, look }) => ({ name, look })), ({ name, look }) => {
    const row = element("li");
    const [words, box, fill] = [element("span", "name"), element("div", "bar"), element("div", "fill")];
    if (look) words.append(drawn(look.figure, look.color));
    words.append(name);
    if (role) set(box, { role, "aria-label": name, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" });
    if (look) fill.style.setProperty("--color", `var(${look.color})`);
    box.append(fill);
    row.append(words, box, element("span", "percent"));
    return row;
  });
  rows.forEach((bar, i) => setBar(byId(id).children[i]!, bar));
}

/** Less than this is no change to the eye: each that is shown costs a frame. */
const LEAST = 0.01;

function setBar(row: Element, { share, text, current }: Bar): void {
  row.setAttribute("aria-current", String(current));
  const [fill, percent] = [row.querySelector<HTMLElement>(".fill")!, row.querySelector(".percent")!];
  if (percent.textContent !== text) percent.textContent = text;
  const length = share ?? 0;
  if (Math.abs(length - Number(fill.dataset.share ?? -1)) <= LEAST) return;
  row.querySelector("[role=meter]")?.setAttribute("aria-valuenow", `${Math.round(100 * length)}`);
  fill.dataset.share = `${length}`;
  fill.style.transform = `scaleX(${length})`;
}
