/** Puts what is shown into the document; makes no decisions. */

import { renderBars } from "./bars";
import { drawLanes } from "./charts";
import { drawAddress, drawCode } from "./code";
import { byId, element, list, set, show, write } from "./dom";
import { BUTTONS, HERO, PARTS, TEXTS } from "./parts";
import { curve, drawn } from "./picture";
import type { Bar, Card, Shown } from "./shown";
import type { Timeline } from "../signal/timeline";

/** What is shown already. */
let last: Pick<Shown, "text" | "visible" | "code"> = { text: {}, visible: [], code: null };

export function render(shown: Shown): void {
  const { kind, text, visible, disabled } = shown;
  const changed = document.body.dataset.state !== kind;
  byId("live").classList.toggle("away", shown.picture?.name === "pocket");
  // What follows is filled: once it has learned, that is to try it.
  byId("learn").classList.toggle("primary", !shown.visible.includes("learned"));
  if (changed) document.body.dataset.state = kind;
  if (`${visible}` !== `${last.visible}`) for (const id of PARTS) show(id, visible.includes(id));
  for (const id of TEXTS) if (text[id] !== last.text[id]) write(id, text[id] ?? "");
  renderHero(shown);
  for (const id of BUTTONS) byId<HTMLButtonElement>(id).disabled = disabled.includes(id);
  if (visible.includes("elsewhere")) drawAddress();
  if (shown.code) drawCode("taught-code", shown.code, "QR code of what it learned", "L");
  if (shown.code !== last.code) write("handover-said", "");
  renderProgress(shown);
  last = shown;
  renderBars("bars", shown.bars, "meter");
  renderBars("minutes", shown.minutes);
  list("known", shown.known, ({ name, look }) => element("li", "chip", drawn(look.figure, look.color), name));
  list("confusion", shown.confusion, (line) => element("li", "", line));
  list("fix-when", shown.stretches, (name, i) => new Option(name, `${i}`));
  list("lesson-list", shown.lessons, lesson);
  if (!changed) return;
  write("said", "");
  if (kind !== "running") byId("hero").style.minHeight = "";
  scrollTo(0, 0);
}

/** Keeps the place of the longest thing that can be shown while it runs, so that nothing below jumps. */
export function reserve(now: Shown, possible: Shown[]): void {
  const hero = byId("hero");
  hero.style.minHeight = "";
  const heights = possible.map((each) => {
    renderHero(each);
    return hero.getBoundingClientRect().height;
  });
  renderHero(now);
  hero.style.minHeight = `${Math.max(...heights)}px`;
}

/** Draws the timeline of the summary, and says in words what it shows. */
export function renderTimeline(classes: string[], timeline: Timeline, minutes: Bar[]): void {
  const canvas = byId<HTMLCanvasElement>("timeline");
  drawLanes(canvas, timeline, classes, timeline.start, timeline.start + timeline.length);
  canvas.setAttribute("aria-label", minutes.map(({ name, text }) => `${name} ${text}`).join(", "));
}

/** Offers activities where one is typed, and on the page that records minutes for a computer: any other is taken as well. */
export function suggest(activities: string[], gyroscope: boolean): void {
  list("activities", activities, (name) => new Option(name));
  const asked = new URLSearchParams({ labels: activities.join(), ...(gyroscope ? { gyroscope: "" } : {}) });
  byId<HTMLAnchorElement>("collect").href = `collect.html?${asked}`;
}

function renderHero({ text, visible, picture }: Shown): void {
  for (const id of HERO) write(id, text[id] ?? "");
  show("restart", visible.includes("restart"));
  list("picture", picture ? [[picture.name, picture.color] as const] : [], ([name, color]) => drawn(name, color));
  byId("picture").dataset.cadence = `${picture?.cadence ?? 0}`;
}

function renderProgress({ kind, progress }: Shown): void {
  if (kind !== "loading" && kind !== "teach") return;
  const bar = byId<HTMLProgressElement>("progress");
  if (progress === null) bar.removeAttribute("value");
  else bar.value = progress;
}

function lesson({ activity, name, look, trace, recordings }: Card): HTMLElement {
  const head = element("p", "lesson-head", drawn(look.figure, look.color), element("strong", "", name), curve(trace, look.color));
  const lines = recordings.map(({ number, name, text }) => {
    return element("div", "lesson-line", element("p", "small", text), button("Delete", `Delete ${name}`, "lesson", `${number}`));
  });
  return element("li", "lesson", head, ...lines, button("Record again", `Record again: ${activity}`, "again", activity));
}

function button(text: string, label: string, key: string, value: string): HTMLElement {
  return set(element("button", "", text), { type: "button", "aria-label": label, [`data-${key}`]: value });
}
