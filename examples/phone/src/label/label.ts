/** The page of `zoo label`: shows a recording, and sends each decision to the computer, which keeps it. */

import { act, day as dayOf, learn, name, recordings, Refused, save, see, signal } from "./client";
import {
  type Action, around, clockText, type Day, details, following, headline, moved, type Overview, proposal, type Range, type Recording,
  type Stretch, stretchAt, toChange, toCheck, totals, zoomed,
} from "./day";
import { type Command, commandOf } from "./keys";
import { drawClose, drawDay, type Drawn, momentAt, ruler } from "./lanes";
import { marksOf, partsOf } from "./signal";
import { remember, remembered } from "../page/store";
import { looks } from "../show/activities";
import { byId, element, list, set, show, write } from "../show/dom";
import { drawn } from "../show/picture";
import { capital, percent } from "../show/text";

const LETTERS = "label-letters";
const PSEUDONYM = "Use a pseudonym, such as p1. If several people did, end zoo label and start it with --layout.";
/** Stretches of the queue that are listed. */
const LISTED = 8;
/** Seconds of a recording whose times are shown with seconds. */
const SHORT = 600;
/** Milliseconds after which a state that changes is asked for again. */
const AGAIN = 1000;
const NOTHING: Drawn = { parts: [], marks: { rests: [], turns: [] } };

let overview: Overview;
let number = 0;
let day: Day;
let chosen = 0;
let view: Range = { start: 0, end: 1 };
let cursor: number | null = null;
/** Whether the chosen stretch was divided, so that the rest of it comes next. */
let divided = false;
/** One decision at a time: each is on the disk before the next one. */
let sending: Promise<void> = Promise.resolve();
let waiting = 0;
let drawnSignal = NOTHING;

const recording = (): Recording => overview.recordings[number]!;
const current = (): Stretch => day.stretches[chosen]!;
const canvas = (id: string) => byId<HTMLCanvasElement>(id);

async function open(): Promise<void> {
  overview = await recordings();
  const names = overview.recordings.map(({ file }, i) => Object.assign(document.createElement("option"), { value: `${i}`, textContent: file }));
  byId<HTMLSelectElement>("recording").replaceChildren(...names);
  show("choose", names.length > 1);
  show("save", overview.out !== null);
  await look(0);
}

/** Shows a recording from its first stretch to check on. */
async function look(at: number): Promise<void> {
  number = at;
  drawnSignal = NOTHING;
  day = await dayOf(number);
  const unnamed = overview.recordings.filter(({ subject }) => !subject).length;
  if (unnamed > 1) write("who-text", `Who carried the phone in all ${unnamed} recordings? ${PSEUDONYM}`);
  show("who", !day.subject);
  show("work", Boolean(day.subject));
  if (!day.subject) return byId("person").focus();
  select(day.queue[0] ?? 0);
  const parts = partsOf(recording(), await signal(number));
  drawnSignal = { parts, marks: marksOf(parts) };
  draw();
  void watch(number);
}

/** Says what is in view, and asks for proposals until they are there. */
async function watch(which: number): Promise<void> {
  while (which === number && day.state && !day.state.startsWith("no proposals")) {
    await queued(async () => {
      const found = await see(which, view);
      if (which !== number) return;
      const fresh = found.version !== day.version;
      day = found;
      if (!fresh) return render();
      // What is in view is proposed first: who looks there stays there.
      const open = day.queue.find((at) => day.stretches[at]!.start < view.end && day.stretches[at]!.end > view.start);
      select(cursor === null && open !== undefined ? open : stretchAt(day.stretches, cursor ?? (view.start + view.end) / 2));
    });
    await new Promise((done) => setTimeout(done, AGAIN));
  }
}

function select(at: number): void {
  chosen = Math.min(Math.max(0, at), day.stretches.length - 1);
  cursor = null;
  const stretch = current();
  const length = view.end - view.start;
  // A view in which a stretch can be seen well stays, so that the eye does not lose its place.
  const visible = stretch.start >= view.start && stretch.end <= view.end && stretch.end - stretch.start > length / 10;
  if (!visible) view = around(stretch, recording().seconds);
  render();
}

let drawing = 0;

function draw(): void {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(() => {
    drawDay(canvas("day"), recording(), day, drawnSignal, view);
    drawClose(canvas("close"), recording(), day, drawnSignal, view, chosen, cursor);
    ruler(byId("day-ruler"), canvas("day"), { start: 0, end: recording().seconds }, recording().clock);
    ruler(byId("close-ruler"), canvas("close"), view, recording().clock);
  });
}

function render(): void {
  const { clock, date, line, seconds } = recording();
  const stretch = current();
  const { labels, decided } = totals(day.stretches);
  const [from, to] = [0, seconds].map((moment) => clockText(moment, clock, seconds < SHORT));
  write("title", clock === null ? capital(day.subject) : `${dateText(date)}${from} to ${to}`);
  write("line", `${day.subject} · ${line}`);
  write("what", headline(stretch, day.threshold));
  write("details", details(stretch, clock));
  const look = looks(day.words);
  list("words", day.words.map((word, i) => ({ word, time: labels.get(word) ?? 0, look: look[i]!, chosen: stretch.label === word })), wordButton);
  const share = decided / day.stretches.reduce((sum, { start, end }) => sum + end - start, 0);
  byId<HTMLProgressElement>("decided").value = share;
  write("queue-title", `${toCheck(day.queue.length, LISTED)} · you decided ${percent(share)}`);
  write("state", day.state ? capital(day.state) : "");
  show("state", Boolean(day.state));
  const rows = day.queue.slice(0, LISTED).map((at) => ({ at, stretch: day.stretches[at]!, current: at === chosen }));
  list("queue", rows, queueButton);
  byId<HTMLButtonElement>("undo").disabled = !day.undo;
  byId<HTMLButtonElement>("accept").disabled = !proposal(stretch);
  show("keep", stretch.disputed);
  const missing = overview.enough - day.answers;
  byId<HTMLButtonElement>("learn").disabled = missing > 0 || Boolean(day.state);
  if (missing > 0) write("learn-text", `After ${missing} more ${missing === 1 ? "answer" : "answers"}, the model can learn from yours.`);
  else if (!byId("learn-text").dataset.learned) write("learn-text", "The model proposes anew. What you decided stays.");
  const written = overview.out ? ` Save writes ${overview.out}, as does Ctrl-C in the terminal.` : "";
  write("saved", `Each answer is in the folder ${overview.folder} when the page shows it. What you left out is in no recording.${written}`);
  canvas("day").setAttribute("aria-label", `${day.stretches.length} stretches, ${percent(share)} decided. ${spoken(labels)}`);
  canvas("close").setAttribute("aria-label", `Acceleration from ${clockText(view.start, clock)} to ${clockText(view.end, clock)}`);
  draw();
}

function spoken(labels: Map<string, number>): string {
  return [...labels].map(([word, seconds]) => `${word} ${Math.round(seconds / 60)} minutes`).join(", ");
}

function dateText(date: string): string {
  if (!date) return "";
  const [year, month, at] = date.split("-").map(Number);
  const text = new Date(year!, month! - 1, at!).toLocaleDateString("en", { weekday: "long", day: "numeric", month: "long" });
  return `${text}, `;
}

interface Word {
  word: string;
  time: number;
  look: ReturnType<typeof looks>[number];
  chosen: boolean;
}

function wordButton({ word, time, look, chosen: isChosen }: Word, place: number): HTMLElement {
  const button = Object.assign(element("button", "word") as HTMLButtonElement, { type: "button" });
  const minutes = time < 60 ? `${Math.round(time)} s` : `${Math.round(time / 60)} min`;
  button.append(
    element("kbd", place < 9 ? "" : "none", place < 9 ? `${place + 1}` : ""), mark(word, look), element("span", "", word),
    element("small", "", time ? minutes : ""),
  );
  if (place < 9) button.setAttribute("aria-keyshortcuts", `${place + 1}`);
  button.setAttribute("aria-pressed", `${isChosen}`);
  button.addEventListener("click", () => run({ name: "label", number: place }));
  const row = element("li");
  row.append(button);
  return row;
}

/** The pictogram of a word, or its first letter where it has none. */
function mark(word: string, { figure, color }: Word["look"]): Element {
  if (figure !== "other" || word === "other") return drawn(figure, color);
  const letter = set(element("span", "letter"), { "aria-hidden": "true", "data-letter": capital([...word][0]!) });
  letter.style.setProperty("--color", `var(${color})`);
  return letter;
}

function queueButton({ at, stretch, current: isCurrent }: { at: number; stretch: Stretch; current: boolean }): HTMLElement {
  const { disputed, start, end, guess, label, confidence } = stretch;
  const { clock } = recording();
  const button = Object.assign(element("button", disputed ? "open disputed" : "open") as HTMLButtonElement, { type: "button" });
  const [word, about] = disputed
    ? [`Yours says ${label}`, `without it, the model says ${guess}, ${percent(confidence)}, until ${clockText(end, clock)}`]
    : [proposal(stretch) || "no proposal", stretch.contradicts ? `the model says ${guess}` : stretch.note ? "noted" : guess && percent(confidence)];
  button.append(element("span", "", clockText(start, clock)), element("strong", "", word), element("small", "", about));
  if (isCurrent) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => select(at));
  const row = element("li");
  row.append(button);
  return row;
}

/** Does one thing after the other, and shows what the computer refuses. */
function queued(task: () => Promise<void>): Promise<void> {
  waiting += 1;
  byId("work").setAttribute("aria-busy", "true");
  sending = sending.then(async () => {
    try {
      await task();
      show("problem", false);
    } catch (error) {
      write("problem-text", error instanceof Error ? error.message : String(error));
      show("problem", true);
      if (error instanceof Refused && error.outdated) {
        day = await dayOf(number);
        select(chosen);
      }
    } finally {
      waiting -= 1;
      byId("work").setAttribute("aria-busy", `${waiting > 0}`);
    }
  });
  return sending;
}

/** Sends a decision, and shows what the recording is then. */
async function decide(action: Action): Promise<void> {
  const before = day;
  const at = "at" in action ? action.at : chosen;
  const was = before.stretches[at]!;
  day = await act(number, action, before.version);
  const decision = ["accept", "label", "leave"].includes(action.do);
  if (decision) select(following(before, day, at, divided));
  else if (action.do === "split") select(at);
  else if (action.do === "undo") select(changed(before, day));
  else render();
  divided = action.do === "split" || (divided && action.do === "edge");
  say(action, was);
}

/** The first stretch that is another one than before. */
function changed(before: Day, after: Day): number {
  const differs = (one: Stretch | undefined, other: Stretch | undefined) =>
    one?.start !== other?.start || one?.end !== other?.end || one?.label !== other?.label;
  const found = after.stretches.findIndex((stretch, i) => differs(stretch, before.stretches[i]));
  return found < 0 ? chosen : found;
}

/** Announces what was done, and what is next. */
function say(action: Action, was: Stretch): void {
  const { clock } = recording();
  const there = `end moved to ${clockText(current().end, clock)}`;
  const done = {
    accept: proposal(was), label: "label" in action ? action.label : "", leave: "left out", split: "split", edge: there, join: there,
    undo: "undone", accept_all: "all accepted",
  }[action.do];
  const now = headline(current(), day.threshold);
  write("said", `${capital(done || "done")}. ${now} ${clockText(current().start, clock)}, ${percent(current().confidence)}`);
}

/** Does a command when those before it are done: about the stretch that is chosen then. */
function run(command: Command): void {
  void queued(async () => perform(command));
}

function perform(command: Command): Promise<void> | void {
  const at = chosen;
  switch (command.name) {
    case "accept":
    case "leave":
      return decide({ do: command.name, at });
    case "keep":
      return current().disputed ? decide({ do: "label", at, label: current().label! }) : undefined;
    case "accept_all":
      return decide({ do: "accept_all", start: view.start, end: view.end });
    case "undo":
      return decide({ do: "undo" });
    case "label": {
      const label = day.words[command.number];
      return label === undefined ? undefined : decide({ do: "label", at, label });
    }
    case "edge":
      return decide({ do: "edge", at, by: command.by });
    case "change": {
      const action = toChange(day, at);
      if (!action) throw new Error("The model sees no other change in this stretch or in the next one.");
      return decide(action);
    }
    case "split":
      return decide({ do: "split", at, time: cursor ?? (current().start + current().end) / 2 });
    case "next":
    case "previous":
      return announce(at + (command.name === "next" ? 1 : -1));
    case "check":
      return announce(day.queue.find((each) => each !== at) ?? at);
    case "word":
      show("word", true);
      return byId("new-word").focus();
    case "zoom":
      view = zoomed(view, command.factor, cursor ?? (current().start + current().end) / 2, recording().seconds);
      return render();
    case "move":
      view = moved(view, command.share, recording().seconds);
      return render();
    case "cursor":
      cursor = Math.min(view.end, Math.max(view.start, (cursor ?? (current().start + current().end) / 2) + command.by));
      write("said", `Cursor at ${clockText(cursor, recording().clock)}`);
      return draw();
  }
}

function announce(at: number): void {
  select(at);
  write("said", `${headline(current(), day.threshold)} ${details(current(), recording().clock)}`);
}

const BUTTONS: Record<string, Command> = {
  accept: { name: "accept" }, keep: { name: "keep" }, check: { name: "check" }, previous: { name: "previous" }, next: { name: "next" }, split: { name: "split" },
  earlier: { name: "edge", by: -1 }, later: { name: "edge", by: 1 }, change: { name: "change" }, closer: { name: "zoom", factor: 1 / 1.6 },
  farther: { name: "zoom", factor: 1.6 }, "accept-all": { name: "accept_all" }, undo: { name: "undo" }, leave: { name: "leave" },
  another: { name: "word" },
};

function listen(): void {
  for (const [id, command] of Object.entries(BUTTONS)) byId(id).addEventListener("click", () => run(command));
  const letters = byId<HTMLInputElement>("letters");
  letters.checked = remembered(LETTERS) !== "off";
  letters.addEventListener("change", () => remember(LETTERS, letters.checked ? null : "off"));
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    // What is written, chosen and pressed by keys stays so.
    if (!day?.subject || target.matches("input:not([type=checkbox]), select") || (event.key === "Enter" && target.matches("button"))) return;
    const altGraph = event.getModifierState("AltGraph");
    const { key, code, shiftKey, ctrlKey, altKey, metaKey } = event;
    const command = commandOf({ key, code, shiftKey, ctrlKey, altKey, metaKey, altGraph }, letters.checked);
    if (!command) return;
    event.preventDefault();
    run(command);
  });
  // After a click, Enter accepts: it does not press the same button again.
  document.addEventListener("click", ({ target, detail }) => {
    if (detail && target instanceof Element) target.closest<HTMLElement>("button")?.blur();
  });
  canvas("day").addEventListener("click", ({ clientX }) => {
    announce(stretchAt(day.stretches, momentAt(canvas("day"), clientX, { start: 0, end: recording().seconds })));
  });
  canvas("close").addEventListener("click", ({ clientX }) => {
    const moment = momentAt(canvas("close"), clientX, view);
    announce(stretchAt(day.stretches, moment));
    cursor = moment;
    draw();
  });
  byId("who").addEventListener("submit", (event) => {
    event.preventDefault();
    void queued(async () => {
      const { doubts } = await name(byId<HTMLInputElement>("person").value.trim());
      await look(number);
      if (doubts.length) throw new Error(doubts.join(" "));
    });
  });
  byId("word").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = byId<HTMLInputElement>("new-word");
    const label = field.value.trim();
    show("word", false);
    field.value = "";
    field.blur();
    if (label) void queued(() => decide({ do: "label", at: chosen, label }));
  });
  byId("new-word").addEventListener("keydown", ({ key }) => {
    if (key === "Escape") show("word", false);
  });
  byId("recording").addEventListener("change", ({ target }) => void queued(() => look(Number((target as HTMLSelectElement).value))));
  byId("learn").addEventListener("click", () => void queued(learned));
  byId("save").addEventListener("click", () => void queued(saved));
  addEventListener("resize", () => void (day?.subject && render()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  addEventListener("hashchange", () => location.reload());
}

async function learned(): Promise<void> {
  byId<HTMLButtonElement>("learn").disabled = true;
  byId("learn-text").dataset.learned = "true";
  write("learn-text", "Learning…");
  try {
    const { windows, labels, share, disputed } = await learn();
    const learning = share
      ? `It learned ${labels.join(", ")} from ${windows} windows of yours, and proposes anew.`
      : `What it learned from ${windows} windows would not have helped on others of yours: it stays as it was.`;
    write("learn-text", disputed ? `${learning} Of your labels, check ${disputed}.` : learning);
  } catch (error) {
    write("learn-text", "");
    throw error;
  } finally {
    day = await dayOf(number);
    select(day.queue[0] ?? chosen);
  }
}

async function saved(): Promise<void> {
  const { saved: file, recordings: count, warnings } = await save();
  const text = `${count} ${count === 1 ? "recording" : "recordings"} in ${file}.`;
  write("saved", [text, ...warnings].join(" "));
  write("said", text);
}

listen();
void queued(open);
