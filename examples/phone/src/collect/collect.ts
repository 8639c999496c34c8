/** Records labeled minutes: those of a class are sent to the computer of `zoo serve --collect`, others stay on the phone. */

import { drawAddress, isReachable } from "../show/code";
import { byId } from "../show/dom";
import * as form from "./form";
import { buttonsChanged, meant, onHold } from "../page/hold";
import { CHANNELS, permitted } from "../signal/motion";
import { draw, Outbox, type Item } from "./outbox";
import { download, LENGTH, plain, type Recorder } from "./recorder";
import { Sender, type Welcome } from "./sender";
import { isName } from "../learn/names";
import { parsed, remember, remembered } from "../page/store";
import { isHandheld, keepAwake, letSleep } from "../page/system";
import { type Ended, Take, UNITS } from "./take";
import * as tones from "../page/tones";
import * as view from "./collect-view";

const WELCOME = "collect";

/** Milliseconds after which recordings of pages that are gone are sent. */
const SURE = 30_000;

async function main(): Promise<void> {
  const token = location.hash.slice(1);
  const outbox = await Outbox.open();
  const sender = new Sender(token, outbox, () => show());
  let take: Take | null = null;
  let welcome: Welcome | null = null;

  const show = () => {
    view.showRecordings(outbox.all, token, { save, send, discard });
    view.showTrouble(sender.trouble, outbox);
    const [made, person] = [["kept", "waiting", "sent"], form.person()];
    const mine = outbox.all.filter((item) => made.includes(item.fate) && item.token === token && item.person === person);
    form.mark(new Set(mine.map(({ activity }) => activity)));
  };
  const save = ({ person, activity, csv }: Item) => download(plain(`${person}-${activity}.csv`), csv);
  const send = async (item: Item) => {
    await outbox.put({ ...item, token, fate: "waiting" });
    sender.send();
    show();
  };
  const discard = async ({ id, fate, activity }: Item) => {
    if (fate === "kept" && !confirm(`Delete this recording of ${activity}?`)) return;
    await outbox.remove(id);
    show();
  };

  const showStart = (ended: Ended | null) => {
    view.showStart(ended);
    buttonsChanged();
    show();
  };

  const record = async (axes: string[]) => {
    const { person, activity } = form.chosen();
    // Both are allowed in a tap alone.
    tones.unlock();
    byId<HTMLButtonElement>("record").disabled = true;
    const refusal = await permitted();
    byId<HTMLButtonElement>("record").disabled = false;
    if (refusal) return view.showProblem(refusal);
    const id = draw();
    const release = outbox.hold(id);
    const put = (recorder: Recorder, fate: Item["fate"]) => outbox.put({
      id, token, person, activity, seconds: recorder.seconds, csv: recorder.csv(), fate, reason: "",
    });
    take = new Take({ person, activity, axes, ...UNITS, length: LENGTH, countdown: view.COUNTDOWN }, {
      countdown: view.showCountdown,
      progress: view.showProgress,
      // Kept as it grows: a battery may be empty before the minute is over.
      checkpoint: (recorder) => void put(recorder, "open"),
      ended: async (ended) => {
        take = null;
        letSleep();
        const made = ended.kind === "made" && ended.recorder.ending !== "discarded";
        if (made) await put(ended.recorder, token ? "waiting" : "kept");
        else await outbox.remove(id);
        release();
        if (ended.kind === "none") return view.showProblem(ended.refusal);
        showStart(ended);
        if (!made) return;
        void navigator.storage?.persist?.();
        sender.send();
      },
    });
    view.showTake(person, activity);
    buttonsChanged();
    keepAwake(view.showSleepy);
  };

  // Without what the computer said there is nothing to record.
  byId("again").addEventListener("click", () => (welcome ? showStart(null) : location.reload()));
  byId("name").addEventListener("change", show);
  const last = token ? known(token) : asked();
  welcome = (await sender.ask(last ? null : () => view.showProblem("busy"))) ?? last;
  show();
  if (!isSecureContext) return view.showProblem("insecure");
  if (sender.trouble === "code" || (token && sender.trouble === "closed")) return view.showProblem("code");
  if (!welcome) return view.showProblem("away");
  if (token) remember(WELCOME, JSON.stringify({ ...welcome, token }));
  else view.showAlone();
  form.fill(welcome);
  const { axes } = welcome;
  showStart(null);
  if (!isHandheld() && isReachable()) {
    drawAddress();
    byId("elsewhere").hidden = false;
  }
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!take && meant()) void record(axes);
  });
  byId("cancel").addEventListener("click", () => meant() && take?.drop());
  onHold(byId<HTMLButtonElement>("stop"), () => take?.stop());
  sender.send();
  // A recording whose page was closed a moment ago might still be made in another one.
  setTimeout(() => sender.send(), SURE);
}

/** What this computer said last time: recordings can begin before it answers again. */
function known(token: string): Welcome | null {
  const found = parsed(remembered(WELCOME)) as (Welcome & { token: string }) | null;
  return found?.token === token ? found : null;
}

/** What to record where no computer says so: what the address says, or anything. */
function asked(): Welcome {
  const address = new URLSearchParams(location.search);
  const labels = (address.get("labels") ?? "").split(",").filter(isName);
  return { labels, any_label: true, axes: CHANNELS.slice(0, address.has("gyroscope") ? 6 : 3), pseudonym: "" };
}

addEventListener("hashchange", () => location.reload());
void main();
