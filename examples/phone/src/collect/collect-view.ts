/** Renders the page that records minutes; makes no decisions. */

import { sensorOf, showSignal } from "../show/charts";
import { byId, element, set, write } from "../show/dom";
import type { Item, Outbox } from "./outbox";
import { type Ending, LENGTH } from "./recorder";
import type { Problem, State } from "./state";
import type { Trouble } from "./sender";
import { type Outcome, UNITS } from "./take";
import { REFUSED } from "../signal/refused";
import { capital } from "../show/text";

const PROBLEMS: Record<Problem, [title: string, text: string]> = {
  ...REFUSED,
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

const FATES = { open: "unfinished", kept: "on this phone", waiting: "waiting", sent: "sent", refused: "refused" };

const FOCUS: Partial<Record<State["kind"], string>> = { countdown: "cancel", recording: "stop" };
const SLEEPY = "The screen may turn off, which stops the sensor: lengthen its timeout in the phone's settings.";
const TEXTS = ["label", "person", "clock", "detail", "hint", "said", "problem-text"] as const;

/** @param begins Whether the state is of another kind than the last one. */
export function render(state: State, begins: boolean): void {
  const texts = words(state);
  for (const id of TEXTS) write(id, texts[id] ?? "");
  // What else is visible follows from it in the style sheet.
  document.body.dataset.state = state.kind;
  byId("again").hidden = state.kind !== "problem" || ["code", "busy", "insecure"].includes(state.problem);
  byId<HTMLButtonElement>("record").disabled = state.kind === "start" && state.asking;
  if (state.kind === "recording") {
    byId<HTMLProgressElement>("elapsed").value = state.recorder.seconds;
    showSignal("signal", sensorOf(UNITS), state.recorder.samples);
  }
  if (!begins) return;
  scrollTo(0, 0);
  const recorded = state.kind === "start" && state.ended && state.ended.kind !== "hidden";
  const focus = recorded ? "record" : FOCUS[state.kind];
  if (focus) byId(focus).focus({ preventScroll: true });
}

/** A state in words. Who is about to do what is so large that others can read it. */
function words(state: State): Partial<Record<(typeof TEXTS)[number], string>> {
  switch (state.kind) {
    case "loading":
      return { label: "Loading…" };
    case "problem":
      return { label: PROBLEMS[state.problem][0], "problem-text": PROBLEMS[state.problem][1] };
    case "start": {
      if (state.ended) {
        const [label, detail] = outcome(state.ended);
        return { label, detail, said: `${label}. ${detail}` };
      }
      return {
        label: "Record a minute",
        detail: "Tap Record and put the phone in your pants pocket. One tone starts the minute, two tones end it.",
        hint: "Leave the screen on: most phones stop the sensor when they are locked.",
      };
    }
    case "countdown":
    case "recording": {
      const { making: { take: { wanted: { person, activity } } }, sleepy } = state;
      const both = { person, label: capital(activity), hint: sleepy ? SLEEPY : "" };
      if (state.kind === "recording") return { ...both, clock: `${Math.floor(state.recorder.seconds)} s`, detail: `of ${LENGTH} s`, said: "Recording." };
      const said = `${person}, ${activity}: the recording begins in ten seconds.`;
      return { ...both, clock: `${state.seconds}`, detail: "Put the phone in your pocket.", said };
    }
  }
}

/** How a recording ended, in a title and a sentence. */
function outcome(ended: Outcome): [title: string, text: string] {
  const seconds = ended.kind === "made" ? `${Math.floor(ended.recorder.seconds)} s` : "";
  const outcomes: Record<Ending | "canceled" | "hidden", [title: string, text: string]> = {
    full: ["Recorded", "The whole minute."],
    stopped: ["Recorded", `${seconds}.`],
    cut: ["Recorded in part", `${seconds}: the signal broke off, as when the phone is locked or shows another app.`],
    discarded: ["Not recorded", `${seconds} of signal is too short to keep. Leave the screen on, with this page in front.`],
    canceled: ["Canceled", "Nothing was recorded."],
    hidden: ["Not recorded", "Nothing was recorded: the page went into the background during the countdown."],
  };
  return outcomes[ended.kind === "made" ? ended.recorder.ending : ended.kind];
}

/** What is wrong with the signal, or why recordings wait. */
export function notice(state: State, trouble: Trouble | null, { all, lasting }: Outbox): string {
  if (state.kind === "recording") return state.complaint ? `${state.complaint.title}: ${state.complaint.text}` : "";
  const has = (wanted: Item["fate"]) => all.some(({ fate }) => fate === wanted);
  if (trouble && has("waiting")) {
    const kept = lasting ? "Nothing is lost: recordings are kept on this phone" : "Leave this page open: recordings are kept here";
    return `${TROUBLES[trouble]} ${kept}${trouble === "code" || trouble === "busy" ? "." : " and sent again."}`;
  }
  if (!lasting) return "This browser cannot store recordings: leave the page open until all are sent or saved.";
  return has("refused") ? "The computer refused a recording: see why above." : "";
}

/** What can be done with a recording. */
type Actions = Record<"save" | "send" | "discard", (item: Item) => void>;

/** Lists the recordings made on this phone. */
export function showRecordings(outbox: Outbox, token: string, actions: Actions): void {
  const listed = outbox.listed(token);
  const count = (fate: Item["fate"]) => listed.filter((item) => item.fate === fate).length;
  const fate = (["waiting", "refused", "kept", "open"] as const).find(count) ?? "sent";
  byId("queue").hidden = !listed.length;
  byId("queue").classList.toggle("loud", fate === "waiting" || fate === "refused");
  write("queue", `${count(fate)} ${FATES[fate]}`);
  byId("mine").hidden = !listed.length;
  byId("recordings").replaceChildren(...listed.map((item) => row(item, token, actions)));
}

function row(item: Item, token: string, actions: Actions): HTMLElement {
  const { person, activity, seconds, fate, reason } = item;
  const elsewhere = fate === "waiting" && item.token !== token;
  const state = element("span", "fate", elsewhere ? "recorded with another code" : FATES[fate]);
  state.dataset.fate = fate;
  const line = element("li", "", element("span", "what", `${activity}, ${person}, ${Math.floor(seconds)} s`), state);
  if (fate === "refused") line.append(element("p", "reason", reason));
  const button = (text: string, act: (item: Item) => void) => {
    const made = set(element("button", "", text), { type: "button", "aria-label": `${text}: ${activity}, ${person}` });
    made.addEventListener("click", () => act(item));
    line.append(made);
  };
  if (token && (elsewhere || fate === "kept")) button("Send here", actions.send);
  if (fate !== "sent") button("Save as CSV", actions.save);
  if (["refused", "kept", "open"].includes(fate)) button("Delete", actions.discard);
  return line;
}
