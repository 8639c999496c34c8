/** The page of `zoo serve --collect` for a projector: what a class has recorded, and a model that is trained on it. */

import { renderBars } from "../show/bars";
import { drawSignal, sensorOf } from "../show/charts";
import { type Class, type ClassShown, type Row, shownOfClass } from "./class-shown";
import { drawCode } from "../show/code";
import { byId, element, list, set, show, write } from "../show/dom";
import { drawn } from "../show/picture";
import { remember, remembered } from "../page/store";
import { clock, percent } from "../show/text";

/** Milliseconds after which a connection that broke is made again. */
const AGAIN = 1000;

/** Milliseconds in which the computer says something, if only that it is there: it does so every 15 s. */
const PATIENCE = 40_000;

const GOAL = "class-goal";

const PARTS = [
  "problem", "scan", "people-card", "goal-card", "newest-card", "training", "progress", "train", "cancel", "board", "result",
];

const token = location.hash.slice(1);
let state: Class | null = null;
/** The result beside which recordings are looked at. */
let passed = "";
/** The recording that arrived last, once something is known. */
let arrived: string | null = null;

/** Listens to the computer for as long as the page is open. An `EventSource` would send no token. */
async function listen(): Promise<void> {
  for (;;) {
    const response = await ask("class/events", "GET", "text/event-stream");
    if (response?.status === 403) {
      write("problem-text", "This address is not valid: open the one that zoo serve --collect printed for a projector.");
      return show("problem", true);
    }
    if (response?.ok) {
      write("link", "live");
      await read(response.body!).catch(() => undefined);
    }
    write("link", response?.status === 503 ? "too many are looking on" : "the computer does not answer");
    await new Promise((done) => setTimeout(done, AGAIN));
  }
}

/** Shows each state that arrives. */
async function read(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let [text, timer] = ["", 0];
  const next = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void reader.cancel().catch(() => undefined), PATIENCE);
    return reader.read();
  };
  for (let part = await next(); !part.done; part = await next()) {
    const events = (text + part.value).split("\n\n");
    text = events.pop()!;
    const last = events.filter((event) => event.startsWith("data: ")).at(-1);
    if (!last) continue;
    state = JSON.parse(last.slice("data: ".length)) as Class;
    render();
  }
}

function ask(address: string, method: string, accept = "*/*"): Promise<Response | null> {
  const headers = { Authorization: `Bearer ${token}`, Accept: accept };
  return fetch(address, { method, headers, cache: "no-store" }).catch(() => null);
}

function goal(): number {
  return Math.max(1, Number(remembered(GOAL) ?? 5) || 1);
}

function render(): void {
  if (!state) return;
  const shown = shownOfClass(state, goal(), passed === result());
  for (const [id, text] of Object.entries(shown.text)) write(id, text);
  for (const id of PARTS) show(id, shown.visible.includes(id));
  byId<HTMLButtonElement>("train").disabled = !shown.canTrain;
  byId("train").classList.toggle("primary", !shown.visible.includes("board"));
  byId<HTMLProgressElement>("progress").value = shown.progress;
  renderBars("minutes", shown.minutes);
  list("people", shown.people, person);
  list("left-out", shown.leftOut, (name) => element("li", "chip", name));
  renderMatrix(shown.matrix);
  drawCode("code", shown.code);
  const samples = (state.newest?.rows ?? []).map(([time, ...value]) => ({ time: time!, value }));
  if (state.newest) drawSignal(byId<HTMLCanvasElement>("newest"), sensorOf({ unit: "m/s^2" }), samples, 5);
  const newest = JSON.stringify(state.newest);
  if (shown.newcomer && arrived !== null && arrived !== newest) cross(shown.newcomer);
  arrived = newest;
}

/** The folder of what was trained last. */
function result(): string {
  return state?.training?.status === "done" ? state.training.folder : "";
}

/** Seconds between those who cross the board, who would cover each other. */
const APART = 3;

/** Lets who has recorded cross the board. */
function cross({ name, look }: NonNullable<ClassShown["newcomer"]>): void {
  const figure = drawn(look.figure, look.color);
  const walker = element("p", "newcomer", figure, name);
  walker.onanimationend = () => walker.remove();
  const before = byId("arrivals").childElementCount;
  walker.style.animationDelay = `${APART * before}s`;
  byId("arrivals").append(walker);
  figure.classList.toggle("moving", look.gait);
}

function person({ name, cells }: ClassShown["people"][number]): HTMLElement {
  const row = element("li", "", element("span", "name", name), ...cells.map(({ activity, look, seconds }) => {
    const words = [element("span", "unseen", activity), ` ${clock(seconds)}`];
    const cell = element("span", seconds ? "cell full" : "cell", drawn(look.figure, look.color), ...words);
    cell.style.setProperty("--color", `var(${look.color})`);
    return cell;
  }));
  row.style.setProperty("--columns", `${cells.length}`);
  return row;
}

function renderMatrix(rows: Row[]): void {
  const title = (scope: string, { name, look }: Row) => {
    return set(element("th", "", drawn(look.figure, look.color), element("span", "", name)), { scope });
  };
  const lines = rows.map((row) => {
    const line = element("tr", "", title("row", row), ...row.cells.map(({ count, share }) => {
      const cell = count ? element("td", "", percent(share), element("small", "", `${count}`)) : element("td", "none", "0");
      cell.style.setProperty("--share", `${share}`);
      return cell;
    }));
    line.style.setProperty("--color", `var(${row.look.color})`);
    return line;
  });
  byId("matrix").replaceChildren(element("tr", "", element("td"), ...rows.map((row) => title("col", row))), ...lines);
}

async function change(method: "POST" | "DELETE"): Promise<void> {
  const response = await ask("class/training", method);
  if (response?.ok) return;
  const found = (await response?.json().catch(() => null)) as { error?: string } | null;
  write("training-text", found?.error ?? "The computer does not answer.");
}

byId<HTMLInputElement>("goal").value = `${goal()}`;
byId("goal").addEventListener("change", ({ target }) => {
  remember(GOAL, (target as HTMLInputElement).value);
  render();
});
byId("train").addEventListener("click", () => void change("POST"));
byId("board").addEventListener("click", () => {
  passed = passed === result() ? "" : result();
  render();
});
byId("cancel").addEventListener("click", () => void change("DELETE"));
addEventListener("resize", render);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
addEventListener("hashchange", () => location.reload());
void listen();
