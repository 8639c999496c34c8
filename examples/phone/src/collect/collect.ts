/** Records labeled minutes: those of a class are sent to the computer of `zoo serve --collect`, others stay on the phone. */

import { drawAddress, isReachable } from "../show/code";
import { byId, write } from "../show/dom";
import * as form from "./form";
import { buttonsChanged, meant, onHold } from "../page/hold";
import { permitted } from "../signal/motion";
import { draw, Outbox, type Item } from "./outbox";
import { download, forFile, LENGTH, type Recorder } from "./recorder";
import { Sender } from "./sender";
import { COUNTDOWN, type Event, makingOf, next, type Problem, type State } from "./state";
import { isHandheld, keepAwake, letSleep } from "../page/system";
import { Take, UNITS } from "./take";
import * as tones from "../page/tones";
import * as view from "./collect-view";

async function main(): Promise<void> {
  const token = location.hash.slice(1);
  const outbox = await Outbox.open();
  const sender = new Sender(token, outbox, () => show());
  let state: State = { kind: "loading" };

  /** Goes on to the next state, ends what only the last one held, and shows it. */
  const go = (event: Event) => {
    const [before, making] = [state, makingOf(state)];
    state = next(before, event);
    if (state === before) return;
    if (making && makingOf(state) !== making) {
      making.take.end();
      making.release();
      letSleep();
    }
    const begins = state.kind !== before.kind;
    view.render(state, begins);
    if (!begins) return showNotice();
    buttonsChanged();
    show();
  };
  const fail = (problem: Problem) => go({ kind: "fail", problem });

  const showNotice = () => write("notice-text", view.notice(state, sender.trouble, outbox));
  const show = () => {
    view.showRecordings(outbox, token, { save, send, discard });
    showNotice();
    const [made, person] = [["kept", "waiting", "sent"], form.person()];
    const mine = outbox.all.filter((item) => made.includes(item.fate) && item.token === token && item.person === person);
    form.mark(new Set(mine.map(({ activity }) => activity)));
  };
  const save = ({ person, activity, csv }: Item) => download(forFile(`${person}-${activity}.csv`), csv);
  const send = async (item: Item) => {
    await outbox.put({ ...item, token, fate: "waiting" });
    sender.send();
    show();
  };
  const discard = async ({ id, activity }: Item) => {
    if (!confirm(`Delete this recording of ${activity}?`)) return;
    await outbox.remove(id);
    show();
  };

  const record = async () => {
    if (state.kind !== "start" || state.asking) return;
    const [{ labels, axes }, id] = [state.welcome, draw()];
    const about = form.chosen(labels);
    // Both are allowed in a tap alone.
    tones.unlock();
    go({ kind: "ask" });
    const refusal = await permitted();
    if (refusal) return fail(refusal);
    const put = (recorder: Recorder, fate: Item["fate"]) => outbox.put({
      id, token, ...about, seconds: recorder.seconds, csv: recorder.csv(), fate, reason: "",
    });
    const release = outbox.hold(id);
    const take = new Take({ ...about, axes, ...UNITS, length: LENGTH, countdown: COUNTDOWN }, {
      countdown: (seconds) => go({ kind: "progress", shown: { kind: "countdown", seconds } }),
      progress: (recorder, complaint) => go({ kind: "progress", shown: { kind: "recording", recorder, complaint } }),
      // Kept as it grows: a battery may be empty before the minute is over.
      checkpoint: (recorder) => void put(recorder, "open"),
      ended: async (ended) => {
        const made = ended.kind === "made" && ended.recorder.ending !== "discarded";
        await (made ? put(ended.recorder, token ? "waiting" : "kept") : outbox.remove(id));
        if (ended.kind === "none") fail(ended.refusal);
        else go({ kind: "end", ended });
        if (made) void navigator.storage?.persist?.();
        sender.send();
      },
    });
    go({ kind: "take", making: { take, release } });
    keepAwake(() => go({ kind: "doze" }));
  };

  byId("again").addEventListener("click", () => {
    if (state.kind === "problem" && state.welcome) go({ kind: "greet", welcome: state.welcome });
    else location.reload();
  });
  byId("name").addEventListener("change", show);
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (meant()) void record();
  });
  byId("cancel").addEventListener("click", () => meant() && makingOf(state)?.take.end());
  onHold(byId<HTMLButtonElement>("stop"), () => makingOf(state)?.take.stop());

  /** Whether the computer takes nothing with this code. */
  const refused = () => sender.trouble === "code" || (token !== "" && sender.trouble === "closed");
  // An answer that comes late ends no recording.
  const welcome = await sender.ask(() => fail("busy"), () => state.kind === "start" && !state.asking && refused() && fail("code"));
  show();
  if (!isSecureContext) return fail("insecure");
  if (refused()) return fail("code");
  if (!welcome) return fail("away");
  document.body.classList.toggle("alone", !token);
  form.fill(welcome);
  go({ kind: "greet", welcome });
  if (!isHandheld() && isReachable()) {
    drawAddress();
    byId("elsewhere").hidden = false;
  }
  sender.send();
}

addEventListener("hashchange", () => location.reload());
void main();
