/** Rows of a name, a bar and a number. */

import { byId, element, list, set } from "./dom";
import { drawn } from "./picture";
import type { Bar } from "./shown";

export function renderBars(id: string, rows: Bar[], role?: string): void {
  list(id, rows.map(({ name, look }) => ({ name, look })), ({ name, look }) => {
    const fill = element("div", "fill");
    const [words, box] = [element("span", "name", ...(look ? [drawn(look.figure, look.color)] : []), name), element("div", "bar", fill)];
    if (role) set(box, { role, "aria-label": name, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" });
    if (look) fill.style.setProperty("--color", `var(${look.color})`);
    return element("li", "", words, box, element("span", "percent"));
  });
  rows.forEach((bar, i) => setBar(byId(id).children[i] as HTMLElement, bar));
}

/** A bar moves with its number, for each that is shown costs a frame. */
function setBar(row: HTMLElement, { share, text, current }: Bar): void {
  if (row.dataset.shown === `${text} ${current}`) return;
  row.dataset.shown = `${text} ${current}`;
  row.setAttribute("aria-current", `${current}`);
  row.querySelector(".percent")!.textContent = text;
  row.querySelector("[role=meter]")?.setAttribute("aria-valuenow", `${Math.round(100 * (share ?? 0))}`);
  row.querySelector<HTMLElement>(".fill")!.style.transform = `scaleX(${share ?? 0})`;
}
