/** The page of `zoo label`: shows a recording, and sends each decision to the computer, which keeps it. */

import { act, day as dayOf, learn, name, recordings, Refused, save, see, signal } from "./client";
import {
  acceptText, type Action, around, clockText, type Day, details, edgeAt, following, headline, isUnread, moved, type Overview, proposal,
  type Range, type Recording, type Stretch, stretchAt, toChange, toDo, totals, undecided, zoomed,
} from "./day";
import { type Command, commandOf, PAGE, SMALL, STEP } from "./keys";
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
/** Pixels from an edge at which it is taken by the pointer, and by which it is moved at least. */
const NEAR = 6;
const MOVED = 2;
/** Seconds by which the start of a note moves at most, to a change that the model sees. */
const SNAPPED = 5;
const READING = "The model is still reading";
/** Milliseconds after which a state that changes is asked for again. */
const AGAIN = 1000;
const NOTHING: Drawn = { parts: [], marks: { rests: [], turns: [] } };

let overview: Overview;
let number = 0;
let day: Day;
let chosen = 0;
let view: Range = { start: 0, end: 1 };
let cursor: number | null = null;
/** The edge that was last moved, which stays in view. */
let edge: number | null = null;
/** The moment of the edge that the pointer moves, where it took it, and whether it has moved. */
let drag: { edge: number; from: number; moved: boolean } | null = null;
/** What the model learned, and what was saved since the last answer, in words. */
let learning = "The model proposes anew. What you decided stays.";
let savedText = "";
/** Whether the chosen stretch was divided, so that the rest of it comes next. */
let divided = false;
/** One decision at a time: each is on the disk before the next one. */
let sending: Promise<void> = Promise.resolve();
let waiting = 0;
let drawnSignal = NOTHING;

/** Takes what the computer says of a recording. A word keeps its key, unless its only answer was undone. */
function take(found: Day): void {
  const before = day?.words ?? [];
  const kept = before.slice(0, 1 + before.map((word) => found.words.includes(word)).lastIndexOf(true));
  day = { ...found, words: [...new Set([...kept, ...found.words])] };
}

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
  // Where the computer does not answer, all stays as it is.
  byId<HTMLSelectElement>("recording").value = `${number}`;
  take(await dayOf(at));
  number = at;
  byId<HTMLSelectElement>("recording").value = `${number}`;
  drawnSignal = NOTHING;
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

/** How often a recording was chosen: what was asked about an earlier one ends, also where it is chosen again. */
let turns = 0;

/** Says what is in view, and asks for proposals until they are there. */
async function watch(which: number): Promise<void> {
  const turn = (turns += 1);
  while (turn === turns && day.state && !day.state.startsWith("no proposals")) {
    await queued(async () => {
      const found = await see(which, view);
      if (which !== number) return;
      const was = current();
      const fresh = found.version !== day.version;
      take(found);
      if (fresh) show("problem", false);
      if (fresh) stay(was);
      else render();
    }, false);
    await new Promise((done) => setTimeout(done, AGAIN));
  }
}

/** Chooses what is now where the chosen stretch was: it does not change under the finger. */
function stay(was: Stretch): void {
  const moment = cursor;
  // Its start may have moved to a change that is near. A pointer that moves an edge chooses nothing.
  select(stretchAt(day.stretches, (drag ? null : moment) ?? Math.min(was.start + SNAPPED, (was.start + was.end) / 2)));
  cursor = moment;
}

function select(at: number): void {
  chosen = Math.min(Math.max(0, at), day.stretches.length - 1);
  cursor = edge = null;
  const stretch = current();
  const length = view.end - view.start;
  // A view in which a stretch can be seen well stays, so that the eye does not lose its place.
  const visible = stretch.start >= view.start && stretch.end <= view.end && stretch.end - stretch.start > length / 10;
  if (!visible && !drag) view = around(stretch, recording().seconds);
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
  const { clock, date, doubtful, line, seconds } = recording();
  const stretch = current();
  const { labels, decided, total } = totals(day.stretches);
  const [from, to] = [0, seconds].map((moment) => clockText(moment, clock, seconds < SHORT));
  write("title", clock === null ? capital(day.subject) : `${dateText(date)}${from} to ${to}`);
  write("line", `${day.subject} · ${line}`);
  const unread = isUnread(day, stretch);
  write("what", unread ? READING : headline(stretch, day.threshold, doubtful));
  write("details", details(stretch, clock, doubtful));
  const look = looks(day.words);
  list("words", day.words.map((word, i) => ({ word, time: labels.get(word) ?? 0, look: look[i]!, chosen: stretch.label === word })), wordButton);
  const share = decided / total;
  const open = undecided(day);
  byId<HTMLProgressElement>("decided").value = share;
  write("queue-title", toDo(day, LISTED));
  write("state", day.state ? capital(day.state) : "");
  show("state", Boolean(day.state));
  const others = overview.recordings.length > 1 ? "Go on with another recording, or: " : "";
  write("done", `${others}${overview.out ? "Save" : "Ctrl-C in the terminal"}, then ${command()}`);
  show("done", !open.length);
  const rows = open.slice(0, LISTED).map((at) => ({ at, stretch: day.stretches[at]!, current: at === chosen }));
  list("queue", rows, queueButton);
  byId<HTMLButtonElement>("undo").disabled = !day.undo;
  byId<HTMLButtonElement>("accept").disabled = !proposal(stretch) || unread;
  write("accept-text", acceptText(stretch));
  show("keep", stretch.disputed);
  byId<HTMLButtonElement>("learn").disabled = day.missing > 0 || Boolean(day.state);
  const doubts = day.stretches.filter(({ disputed }) => disputed).length;
  const later = `After ${day.missing} more ${day.missing === 1 ? "answer" : "answers"}, the model can learn from yours and check them.`;
  write("learn-text", day.missing > 0 ? later : doubts ? `${learning} Of your labels here, check ${doubts}.` : learning);
  const written = overview.out ? ` Save writes ${overview.out}, as does Ctrl-C in the terminal.` : "";
  write("saved", savedText || `Each answer is in the folder ${overview.folder} when the page shows it. What you left out is in no recording.${written}`);
  canvas("day").setAttribute("aria-label", `${day.stretches.length} stretches, ${percent(share)} decided. ${spoken(labels)}`);
  canvas("close").setAttribute("aria-label", `Acceleration from ${clockText(view.start, clock)} to ${clockText(view.end, clock)}`);
  draw();
}

/** What comes after the labels. */
function command(): string {
  return `zoo data windows ${overview.out ?? overview.folder} -o data3.h5 --test-fraction 0`;
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

/** Does one thing after the other, and shows what the computer refuses, until something else is asked for. */
function queued(task: () => Promise<void>, clears = true): Promise<void> {
  waiting += 1;
  byId("work").setAttribute("aria-busy", "true");
  sending = sending.then(async () => {
    try {
      await task();
      if (clears) show("problem", false);
    } catch (error) {
      tell(error);
      if (error instanceof Refused && error.outdated) {
        const was = current();
        take(await dayOf(number));
        stay(was);
      }
    } finally {
      waiting -= 1;
      byId("work").setAttribute("aria-busy", `${waiting > 0}`);
    }
    // What is asked for next is done also where the computer did not answer.
  }).catch(tell);
  return sending;
}

function tell(error: unknown): void {
  write("problem-text", error instanceof Error ? error.message : String(error));
  show("problem", true);
}

/** Sends a decision, and shows what the recording is then. */
async function decide(action: Action): Promise<void> {
  const before = day;
  const at = "at" in action ? action.at : chosen;
  const was = before.stretches[at]!;
  if (action.do !== "undo" && isUnread(before, action.do === "accept_all" ? action : was)) throw new Error(`${READING}: nothing was decided.`);
  savedText = "";
  take(await act(number, action, before.version));
  const decision = ["accept", "label", "leave"].includes(action.do);
  if (decision) select(following(before, day, at, divided));
  else if (action.do === "split") select(at);
  else if (action.do === "undo") select(changed(before, day));
  else {
    edge = ["edge", "join"].includes(action.do) ? current().end : null;
    render();
  }
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
  write("said", `${capital(done || "done")}. ${asked()}`);
}

/** The chosen stretch in words. */
function asked(): string {
  const { clock, doubtful } = recording();
  return `${isUnread(day, current()) ? READING : headline(current(), day.threshold, doubtful)} ${details(current(), clock, doubtful)}`;
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
    case "here":
      if (cursor === null) throw new Error("Click into the signal, or press ⇧ → or ⇧ ←, to say where this stretch ends.");
      return decide({ do: "edge", at, by: cursor - current().end });
    case "split":
      return decide({ do: "split", at, time: cursor ?? (current().start + current().end) / 2 });
    case "next":
    case "previous":
      return announce(at + (command.name === "next" ? 1 : -1));
    case "check": {
      const places = undecided(day);
      return announce(places[(places.indexOf(at) + 1) % places.length] ?? at);
    }
    case "word":
      show("word", true);
      return byId("new-word").focus();
    case "zoom":
      view = zoomed(view, command.factor, cursor ?? edge ?? (current().start + current().end) / 2, recording().seconds);
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
  write("said", asked());
}

const BUTTONS: Record<string, Command> = {
  accept: { name: "accept" }, keep: { name: "keep" }, check: { name: "check" }, previous: { name: "previous" }, next: { name: "next" }, split: { name: "split" },
  earlier: { name: "edge", by: -STEP }, later: { name: "edge", by: STEP }, change: { name: "change" }, here: { name: "here" }, closer: { name: "zoom", factor: 1 / 1.6 },
  farther: { name: "zoom", factor: 1.6 }, "accept-all": { name: "accept_all" }, undo: { name: "undo" }, leave: { name: "leave" },
  another: { name: "word" }, "cursor-back": { name: "cursor", by: -STEP }, "cursor-on": { name: "cursor", by: STEP },
  "end-back": { name: "edge", by: -SMALL }, "end-on": { name: "edge", by: SMALL }, "view-back": { name: "move", share: -PAGE },
  "view-on": { name: "move", share: PAGE },
};

/** Commands that a held key gives once. */
const DECISIONS = ["accept", "accept_all", "keep", "label", "leave"];

function listen(): void {
  for (const [id, command] of Object.entries(BUTTONS)) byId(id).addEventListener("click", () => run(command));
  const letters = byId<HTMLInputElement>("letters");
  letters.checked = remembered(LETTERS) !== "off";
  letters.addEventListener("change", () => remember(LETTERS, letters.checked ? null : "off"));
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    // What is written, chosen and pressed by keys stays so.
    if (!day?.subject || target.matches("input:not([type=checkbox]), select")) return;
    const altGraph = event.getModifierState("AltGraph");
    const { key, code, shiftKey, ctrlKey, altKey, metaKey } = event;
    const command = commandOf({ key, code, shiftKey, ctrlKey, altKey, metaKey, altGraph }, letters.checked);
    // A key that is held decides once: nobody has seen what comes next.
    const again = event.repeat && command !== null && DECISIONS.includes(command.name);
    if (!command || (!again && key === "Enter" && target.matches("button"))) return;
    event.preventDefault();
    if (!again) run(command);
  });
  // After a click, Enter accepts: it does not press the same button again.
  document.addEventListener("click", ({ target, detail }) => {
    if (detail && target instanceof Element) target.closest<HTMLElement>("button")?.blur();
  });
  canvas("day").addEventListener("click", ({ clientX }) => {
    announce(stretchAt(day.stretches, momentAt(canvas("day"), clientX, { start: 0, end: recording().seconds })));
  });
  canvas("close").addEventListener("pointerdown", ({ clientX, button, pointerId }) => {
    const at = button || waiting ? null : edgeNear(clientX);
    drag = at === null ? null : { edge: day.stretches[at]!.end, from: clientX, moved: false };
    if (drag) canvas("close").setPointerCapture(pointerId);
  });
  canvas("close").addEventListener("pointermove", ({ clientX }) => {
    if (!drag) return void (canvas("close").style.cursor = edgeNear(clientX) === null ? "" : "ew-resize");
    drag.moved ||= Math.abs(clientX - drag.from) > MOVED;
    if (!drag.moved) return;
    cursor = momentAt(canvas("close"), clientX, view);
    draw();
  });
  canvas("close").addEventListener("pointercancel", () => (drag = null));
  canvas("close").addEventListener("click", ({ clientX }) => {
    const taken = drag;
    drag = null;
    if (taken?.moved) return void queued(() => dropped(taken.edge, momentAt(canvas("close"), clientX, view)));
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

/** The stretch whose end is at a place of the enlarged signal; null if there is none. */
function edgeNear(x: number): number | null {
  if (!day?.subject) return null;
  const [from, to] = [x - NEAR, x + NEAR].map((each) => momentAt(canvas("close"), each, view));
  return edgeAt(day.stretches, (from! + to!) / 2, (to! - from!) / 2);
}

/** Moves an edge to where the pointer left it. */
async function dropped(from: number, moment: number): Promise<void> {
  const at = edgeAt(day.stretches, from, 0);
  cursor = null;
  draw();
  if (at === null) throw new Error("The edge that you moved is gone: nothing was changed. Drag the one that is there now.");
  chosen = at;
  await decide({ do: "edge", at, by: moment - from });
}

async function learned(): Promise<void> {
  byId<HTMLButtonElement>("learn").disabled = true;
  write("learn-text", "Learning…");
  try {
    const { windows, labels, share } = await learn();
    learning = share
      ? `It learned ${labels.join(", ")} from ${windows} windows of yours, and proposes anew.`
      : `What it learned from ${windows} windows would not have helped on others of yours: it stays as it was.`;
  } catch (error) {
    learning = `It has learned nothing: ${(error as Error).message}.`;
    throw error;
  } finally {
    take(await dayOf(number));
    select(day.queue[0] ?? chosen);
  }
}

async function saved(): Promise<void> {
  const { saved: file, recordings: count, warnings } = await save();
  savedText = [`${count} ${count === 1 ? "stretch" : "stretches"} in ${file}.`, ...warnings, `Next, in the terminal: ${command()}`].join(" ");
  write("saved", savedText);
  write("said", savedText);
}

listen();
void queued(open);
