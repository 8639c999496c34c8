/** Renders the page that records minutes; makes no decisions. */

import { sensorOf, showSignal } from "../show/charts";
import { byId, element, set, write } from "../show/dom";
import type { Refusal } from "../signal/motion";
import type { Item, Outbox } from "./outbox";
import { isHandheld } from "../page/system";
import { type Ending, LENGTH, type Recorder } from "./recorder";
import type { Trouble } from "./sender";
import { type Ended, UNITS } from "./take";
import { REFUSED } from "../signal/refused";
import { capital } from "../show/text";
import type { Complaint } from "../signal/watch";

/** Seconds to put the phone away. */
export const COUNTDOWN = 10;

type State = "loading" | "start" | "countdown" | "recording" | "problem";
type Problem = Refusal | "code" | "away" | "busy";

const PROBLEMS: Record<Problem, [title: string, text: string]> = {
  ...REFUSED,
  sensorless: ["No motion sensor", isHandheld()
    ? "The browser of this phone sends no acceleration. Allow motion sensors in its settings, or scan the code with another browser."
    : "A computer has no motion sensor. Record with a phone."],
  gyroless: ["No gyroscope", "The rotation rate is recorded as well, and this device reports none. Use another phone."],
  code: ["Scan the code again", "This address has no valid code. Scan the code that zoo serve --collect shows."],
  away: ["The computer does not answer", "Check that this phone is on the same network, then reload the page."],
  busy: ["The computer is busy", "Many phones ask at once. This page asks again in a few seconds."],
};

const TROUBLES: Record<Trouble, string> = {
  away: "The computer cannot be reached.",
  busy: "The computer is busy, sending again.",
  closed: "The computer is not taking recordings right now.",
  full: "The computer's disk is full: tell its owner.",
  code: "The code is no longer valid: scan the one that the computer shows.",
};

const FATES = { open: "being recorded", kept: "on this phone", waiting: "waiting", sent: "sent", refused: "refused" };

const VISIBLE: Record<State, string[]> = {
  loading: ["about"], start: ["form", "about", "record"], countdown: ["person", "clock", "cancel"],
  recording: ["person", "clock", "elapsed", "live", "stop"], problem: ["about", "problem"],
};

function showState(state: State): void {
  document.body.dataset.state = state;
  const taking = state === "countdown" || state === "recording";
  for (const id of Object.values(VISIBLE).flat()) byId(id).hidden = !VISIBLE[state].includes(id);
  byId("again").hidden = true;
  if (taking) for (const id of ["mine", "elsewhere"]) byId(id).hidden = true;
  for (const id of ["detail", "hint", "said"]) write(id, "");
  scrollTo(0, 0);
}

/** Says where recordings go if there is no computer. */
export function showAlone(): void {
  write("name-label", "Who carries the phone: a pseudonym is best");
  write("about-text", "Recordings stay on this phone until you save them as files. In a class, scan the code that the computer shows.");
}

/** @param ended How the last recording ended, if there was one. */
export function showStart(ended: Ended | null): void {
  showState("start");
  write("label", "Record a minute");
  write("detail", "Tap Record and put the phone in your pants pocket. One tone starts the minute, two tones end it.");
  write("hint", "Leave the screen on: most phones stop the sensor when they are locked.");
  if (!ended || ended.kind === "none") return;
  const how = ended.kind === "made" ? ended.recorder.ending : ended.kind;
  const seconds = ended.kind === "made" ? `${Math.floor(ended.recorder.seconds)} s` : "";
  const texts: Record<typeof how, string> = {
    full: "The whole minute.",
    stopped: `${seconds}.`,
    cut: `${seconds}: the signal broke off, as when the phone is locked or shows another app.`,
    discarded: `${seconds} of signal is too short to keep. Leave the screen on, with this page in front.`,
    canceled: "Nothing was recorded.",
    hidden: "Nothing was recorded: the page went into the background during the countdown.",
  };
  write("label", TITLES[how]);
  write("hint", "");
  write("detail", texts[how]);
  write("said", `${TITLES[how]}. ${texts[how]}`);
  if (how !== "hidden") byId("record").focus({ preventScroll: true });
}

const TITLES: Record<Ending | "canceled" | "hidden", string> = {
  full: "Recorded", stopped: "Recorded", cut: "Recorded in part", discarded: "Not recorded", canceled: "Canceled",
  hidden: "Not recorded",
};

/** Shows who is about to do what, so large that others can read it. */
export function showTake(person: string, activity: string): void {
  write("person", person);
  write("label", capital(activity));
  write("said", `${person}, ${activity}: the recording begins in ten seconds.`);
}

export function showCountdown(seconds: number): void {
  if (document.body.dataset.state !== "countdown") {
    showState("countdown");
    byId("cancel").focus({ preventScroll: true });
  }
  write("clock", `${seconds}`);
  write("detail", "Put the phone in your pocket.");
}

export function showProgress({ seconds, samples }: Recorder, problem: Complaint | null): void {
  if (document.body.dataset.state !== "recording") {
    showState("recording");
    write("said", "Recording.");
    byId("stop").focus({ preventScroll: true });
  }
  write("clock", `${Math.floor(seconds)} s`);
  byId<HTMLProgressElement>("elapsed").value = seconds;
  write("detail", `of ${LENGTH} s`);
  showSignal("signal", sensorOf(UNITS), samples);
  showNotice(problem && `${problem.title}: ${problem.text}`);
}

/** Says that the screen may turn off. */
export function showSleepy(): void {
  write("hint", "The screen may turn off, which stops the sensor: lengthen its timeout in the phone's settings.");
}

export function showProblem(problem: Problem): void {
  showState("problem");
  const [title, text] = PROBLEMS[problem];
  write("label", title);
  write("problem-text", text);
  byId("again").hidden = problem === "code" || problem === "busy" || problem === "insecure";
}

function showNotice(text: string | null): void {
  write("notice-text", text ?? "");
}

/** Says why recordings wait. */
export function showTrouble(trouble: Trouble | null, outbox: Outbox): void {
  if (document.body.dataset.state === "recording") return;
  const waiting = outbox.all.filter(({ fate }) => fate === "waiting").length;
  const refused = outbox.all.some(({ fate }) => fate === "refused");
  if (!waiting || !trouble) {
    if (!outbox.lasting) return showNotice("This browser cannot store recordings: leave the page open until all are sent or saved.");
    return showNotice(refused ? "The computer refused a recording: see why above." : null);
  }
  const kept = outbox.lasting ? "Nothing is lost: recordings are kept on this phone" : "Leave this page open: recordings are kept here";
  showNotice(`${TROUBLES[trouble]} ${kept}${trouble === "code" || trouble === "busy" ? "." : " and sent again."}`);
}

/** What can be done with a recording. */
export interface Actions {
  save(item: Item): void;
  send(item: Item): void;
  discard(item: Item): void;
}

/** Lists the recordings made on this phone. */
export function showRecordings(items: Item[], token: string, actions: Actions): void {
  const listed = items.filter((item) => item.fate !== "open" && (item.fate !== "sent" || item.token === token));
  const count = (fate: Item["fate"]) => listed.filter((item) => item.fate === fate).length;
  const fate = (["waiting", "refused", "kept"] as const).find(count) ?? "sent";
  byId("queue").hidden = !listed.length;
  byId("queue").classList.toggle("loud", fate === "waiting" || fate === "refused");
  write("queue", `${count(fate)} ${FATES[fate]}`);
  const state = document.body.dataset.state;
  byId("mine").hidden = !listed.length || state === "countdown" || state === "recording";
  byId("recordings").replaceChildren(...listed.map((item) => row(item, token, actions)));
}

function row(item: Item, token: string, actions: Actions): HTMLElement {
  const { person, activity, seconds, fate, reason } = item;
  const line = element("li");
  const elsewhere = fate === "waiting" && item.token !== token;
  const state = element("span", "fate", elsewhere ? "recorded with another code" : FATES[fate]);
  state.dataset.fate = fate;
  line.append(element("span", "what", `${activity}, ${person}, ${Math.floor(seconds)} s`), state);
  if (fate === "refused") line.append(element("p", "reason", reason));
  const button = (text: string, act: (item: Item) => void) => {
    const made = set(element("button", "", text), { type: "button", "aria-label": `${text}: ${activity}, ${person}` });
    made.addEventListener("click", () => act(item));
    line.append(made);
  };
  if (token && (elsewhere || fate === "kept")) button("Send here", actions.send);
  if (fate !== "sent") button("Save as CSV", actions.save);
  if (fate === "refused" || fate === "kept") button("Delete", actions.discard);
  return line;
}
