/** The page: one tap starts it. It has one state at a time, and shows what follows from it. What a state holds ends with it. */

import "../show/style.css";
import { drawLive } from "../show/charts";
import { isReachable } from "../show/code";
import { byId, show, write } from "../show/dom";
import { choose, chosen, ears } from "./ears";
import { bringsTaught, takeTaught, taughtAddress } from "../learn/handover";
import { buttonsChanged, meant, onHold } from "./hold";
import { explain } from "../show/how";
import { converter, type Converter, listen, permitted, type Refusal, turns } from "../signal/motion";
import { openKept } from "../learn/kept";
import { named } from "../learn/names";
import { postcard } from "../show/postcard";
import { Recognizer } from "../model/recognizer";
import { download, fileName, share, shares } from "../collect/recorder";
import { render, renderTimeline, reserve, suggest } from "../show/render";
import { Session } from "./session";
import { choices, chosenName, listModels, onModel, onThreshold, showChosen, showThreshold, threshold } from "./settings";
import { type Device, shown } from "../show/shown";
import { possible } from "../signal/signal";
import { spoken } from "../signal/stream";
import { doingOf, type Event, heldBy, type Model, next, NOTHING, type Problem, runOf, type State, type Summary, type Teach } from "./state";
import { parsed } from "./store";
import { isHandheld, keepAwake, letSleep, stayOffline } from "./system";
import { checked, fromCode } from "../learn/taught";
import { Teaching } from "../learn/teaching";

/** The model that is open. */
interface Open {
  teaching: Teaching;
  convert: Converter;
  /** Whether it is that of the demonstration, in place of the one that its owner chose. */
  demonstrates: boolean;
}

const OWN = "A QR code works only for models that this page offers. Save or share what your own model learned as a file.";
const LONG = "What it learned does not fit in a QR code that phones read easily. Save or share it as a file.";

class Page {
  private state: State = { kind: "loading", turn: Symbol(), what: "", received: 0, total: null };
  private opened: Open | null = null;
  private readonly kept = openKept(() => this.keptElsewhere());
  private readonly device: Device = {
    handheld: isHandheld(), reachable: isReachable(), shares: shares(), heard: ears().length > 1,
  };

  /** @param source The model that its owner chose. */
  constructor(private source: string | File) {
    byId("ears").replaceChildren(...ears().map(([value, text]) => new Option(text, value, false, value === chosen())));
    this.bindButtons();
    this.bindTeaching();
    this.bindHandover();
    onModel((source) => this.open(source).then(() => this.source));
    onThreshold(() => this.recognizer.metadata, (value) => {
      if (this.run) this.run.threshold = value;
      explain(this.recognizer.metadata, value);
    });
    addEventListener("resize", () => this.redraw());
    // What is drawn once takes the colors of the moment.
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  /** Opens a model, and starts where nothing needs to be asked. */
  async open(source: string | File, demonstrates = false): Promise<void> {
    const turn = Symbol();
    const given = () => this.state.kind === "loading" && this.state.turn === turn;
    this.opened?.teaching.stop();
    this.go({ kind: "load", turn });
    try {
      const loading = Recognizer.load(source, (what, received, total) => this.go({ kind: "receive", turn, what, received, total }));
      const [untaught, table] = await Promise.all([loading, this.kept]);
      if (!given()) return;
      this.opened?.teaching.lessons.end();
      const teaching = new Teaching(untaught, table, {
        doing: () => doingOf(this.state),
        do: (doing) => this.go({ kind: "do", doing }),
        changed: () => this.state.kind === "teach" && this.showTeaching(),
      });
      this.opened = { teaching, convert: converter(untaught.metadata), demonstrates };
    } catch (error) {
      if (!given()) return;
      // The model that ran is still there.
      if (this.opened) showChosen(this.opened.demonstrates ? null : this.source);
      else byId("threshold-row").hidden = true;
      return this.fail("model", (error as Error).message);
    }
    if (!demonstrates) this.source = source;
    const { metadata, engine } = this.recognizer;
    showThreshold(metadata);
    explain(metadata, threshold(metadata));
    suggest(this.teaching.names, turns(metadata));
    const code = demonstrates ? null : takeTaught();
    if (code === null) this.greet();
    else this.offer(code);
    void stayOffline(typeof source === "string" ? [source, ...engine.files] : engine.files, () => show("offline", true));
  }

  /** Shows what can be started, and starts where nothing needs to be asked. */
  private greet(): void {
    this.go({ kind: "greet", model: this.model });
    // As inside another page.
    const replays = new URLSearchParams(location.search).has("replay");
    if (this.opened!.demonstrates || replays) void this.startReplay();
    else if (!isSecureContext) this.fail("insecure");
    else if (!this.device.handheld) void this.startReplay();
  }

  /** Asks whether to take over what another phone has learned. */
  private offer(code: string): void {
    try {
      const taught = fromCode(code, this.teaching.lessons.untaught);
      this.go({ kind: "offer", model: this.model, taught, replaces: this.teaching.keeps, opened: false });
    } catch (error) {
      this.fail("code", (error as Error).message);
    }
  }

  private get teaching(): Teaching {
    return this.opened!.teaching;
  }

  private get recognizer(): Recognizer {
    return this.teaching.lessons.recognizer;
  }

  private get model(): Model {
    const { metadata, file, engine } = this.recognizer;
    return { metadata, bytes: file.length, engine, obstacle: this.teaching.lessons.obstacle, demonstrates: this.opened!.demonstrates };
  }

  private get run(): Session | null {
    return runOf(this.state);
  }

  /** Goes on to the next state, ends what only the last one held, and shows it. */
  private go(event: Event): void {
    const [before, held, took] = [this.state, heldBy(this.state), "take" in doingOf(this.state)];
    this.state = next(before, event);
    if (this.state === before) return;
    const takes = "take" in doingOf(this.state);
    const ends = held !== null && held !== heldBy(this.state);
    if (ends) {
      held.end();
      letSleep();
    }
    render(shown(this.state, this.device));
    const changed = this.state.kind !== before.kind;
    // Nothing can be tapped while a model is loaded.
    if (ends || (changed && before.kind !== "loading" && this.state.kind !== "loading")) buttonsChanged();
    if (changed) this.redraw();
    if (this.state.kind !== "teach") return;
    // The browser's Back leads from here to the start, and not out of the page.
    if (history.state !== "teach") history.pushState("teach", "");
    if (takes === took) return;
    // A recording that begins or ends is shown at the top.
    scrollTo(0, 0);
    focusOn(takes ? "lesson-cancel" : "lesson-record");
  }

  /** Opens the network that was trained without the person of the demonstration, and plays this person to it. */
  demonstrate(): Promise<void> {
    return this.open("person.tflite", true);
  }

  private start(simulated: boolean): Session {
    const { recognizer } = this;
    const session = new Session(recognizer, threshold(recognizer.metadata), simulated, {
      changed: (report) => this.go({ kind: "report", report }),
      failed: (error) => this.fail("model", error.message),
      say: (text) => write("said", text),
      draw: (samples, time) => drawLive(recognizer.metadata, samples, time, session.timeline),
    });
    this.go({ kind: "run", model: this.model, run: session });
    return session;
  }

  private fail(problem: Problem, why = "", waits = false): void {
    this.go({ kind: "fail", problem, why, model: this.opened && this.model, waits });
  }

  private listenFor(run: Session): void {
    run.stopSource();
    run.stopSource = listen(turns(this.recognizer.metadata), this.opened!.convert, {
      sample: (sample) => {
        // A sensor may be slow to start.
        if (this.state.kind === "problem") {
          this.go({ kind: "run", model: this.model, run });
          this.stayAwake();
        }
        run.add(sample);
      },
      signChange: run.restart,
      empty: run.empty,
      nothing: (why) => this.lacks(why),
    });
  }

  /** The sensor sends nothing. */
  private lacks(why: Refusal): void {
    if (this.state.kind !== "teach") {
      letSleep();
      return this.fail(why, "", true);
    }
    this.teaching.refuse(why);
  }

  private async startSensor(): Promise<void> {
    // A second tap while the system asks would start a second session.
    byId<HTMLButtonElement>("start").disabled = true;
    const refusal = await permitted();
    if (refusal) return this.fail(refusal);
    this.listenFor(this.start(false));
    focusOn("stop");
    this.stayAwake();
  }

  private stayAwake(): void {
    keepAwake(() => this.go({ kind: "change", part: { sleepy: true } }));
  }

  private async restartSensor(): Promise<void> {
    const refusal = await permitted();
    const { run } = this;
    if (!run) return;
    if (refusal) return this.fail(refusal);
    this.listenFor(run);
  }

  private async startReplay(): Promise<void> {
    const run = this.start(true);
    const found = await import("../signal/replay").catch(() => null);
    const track = this.opened!.demonstrates ? (await import("../signal/person").catch(() => null))?.person : found?.simulated;
    if (this.run !== run) return;
    if (!found || !track) return this.fail("recording");
    const { convert } = this.opened!;
    const playing = new found.Replay(track, ({ time, value }, truth) => {
      run.add({ time, value: convert(value, 1) });
      run.timeline.tell(time, truth);
    }, run.pause);
    [run.replay, run.stopSource] = [playing, () => playing.stop()];
  }

  private redraw(): void {
    const { state } = this;
    if (state.kind === "running") {
      const signals = possible(state.model.metadata.classes.length);
      reserve(shown(state, this.device), signals.map((signal) => shown({ ...state, signal }, this.device)));
    }
    if (state.kind === "summary") renderTimeline(spoken(state.model.metadata), state.timeline, shown(state, this.device).minutes);
  }

  /** Another page of this browser has taught, or forgotten. */
  private keptElsewhere(): void {
    if (this.state.kind === "teach") {
      this.showTeaching();
      void this.teaching.read();
    } else if (this.state.kind === "start") this.go({ kind: "greet", model: this.model });
  }

  /** Takes what another phone has learned from its file; asks where it would replace something. */
  private async openTaught(file: File): Promise<void> {
    const { teaching } = this;
    const reading = file.text().then((text) => checked(parsed(text), teaching.lessons.untaught));
    const taught = await reading.catch((error: Error) => teaching.say(error.message));
    if (!taught || this.state.kind !== "teach") return;
    if (!teaching.keeps) return teaching.adopt(taught);
    this.go({ kind: "offer", model: this.model, taught, replaces: true, opened: true });
    focusOn("offer-take");
  }

  private showTeaching(): void {
    const { teaching, state, model, handover } = this;
    this.go({ kind: "teach", shown: { ...teaching.state, model, handover } });
    suggest(teaching.names, turns(this.recognizer.metadata));
    const [field, { lessons }] = [byId<HTMLInputElement>("lesson-activity"), teaching.state];
    // After each recording another activity is proposed.
    const grew = state.kind !== "teach" || lessons.length > state.lessons.length;
    if (grew && (!field.value || lessons.some(({ activity }) => activity === field.value))) field.value = teaching.next;
  }

  /** The address at which another phone finds what was learned, or why there is none. */
  private get handover(): Teach["handover"] {
    if (typeof this.source !== "string") return { why: OWN };
    const { code } = this.teaching.lessons;
    const address = code && taughtAddress(code, chosenName());
    return address ? { address } : { why: LONG };
  }

  private async copyAddress(): Promise<void> {
    const { handover } = this;
    if (!("address" in handover)) return;
    const copied = navigator.clipboard.writeText(handover.address);
    write("handover-said", await copied.then(() => "Copied.", () => "The browser did not let the page copy it."));
  }

  private bindButtons(): void {
    byId("start").addEventListener("click", () => {
      if (!meant()) return;
      // A computer has no sensor: again means the recording.
      if (this.opened!.demonstrates) void this.open(this.source);
      else if (this.state.kind === "summary" && !this.device.handheld) this.replayNow();
      else void this.startSensor();
    });
    byId("simulate").addEventListener("click", () => meant() && this.replayNow());
    byId("person").addEventListener("click", () => meant() && void this.demonstrate());
    byId("pause").addEventListener("click", () => {
      this.run?.replay?.toggle();
      this.go({ kind: "change", part: { paused: this.run?.replay?.paused ?? false } });
    });
    byId("restart").addEventListener("click", () => void this.restartSensor());
    onHold(byId<HTMLButtonElement>("stop"), () => {
      const { simulated, timeline, history } = this.run!;
      this.go({ kind: "stop", stretches: simulated ? [] : this.teaching.stretches(timeline, history) });
      focusOn("start");
    // What is simulated is in no pocket.
    }, () => !this.run?.simulated);
    // What unfolds is not left under the footer.
    for (const id of ["how", "settings"]) byId(id).addEventListener("toggle", () => byId(id).scrollIntoView({ block: "nearest" }));
    byId("ears").addEventListener("change", (event) => choose((event.target as HTMLSelectElement).value));
    const summary = (id: string, use: (state: Summary) => unknown) =>
      byId(id).addEventListener("click", () => this.state.kind === "summary" && use(this.state));
    summary("save", (state) => download(...saved(state)));
    summary("picture-save", async (state) => {
      const picture = await postcard(shown(state, this.device), state.model.metadata.classes, state.timeline);
      download(fileName(whose(state), "png"), picture, "image/png");
    });
    summary("share", (state) => share(...saved(state)));
  }

  private bindTeaching(): void {
    const rest = () => this.go({ kind: "do", doing: NOTHING });
    byId("teach-open").addEventListener("click", () => meant() && this.openTeaching());
    byId("lesson").addEventListener("submit", (event) => {
      event.preventDefault();
      const activity = this.typed("lesson-activity");
      if (activity !== null) void this.teaching.record(activity);
    });
    byId("try").addEventListener("click", async () => {
      if (this.run) return rest();
      if (!(await this.teaching.allowed())) return;
      this.listenFor(this.start(false));
      keepAwake(() => undefined);
    });
    byId("lesson-open").addEventListener("change", ({ target }) => {
      const input = target as HTMLInputElement;
      rest();
      const [file] = input.files!;
      input.value = "";
      if (file) void this.openTaught(file);
    });
    byId("fix").addEventListener("submit", (event) => {
      event.preventDefault();
      const activity = this.typed("fix-activity");
      if (activity === null || this.state.kind !== "summary") return;
      const { samples } = this.state.stretches[Number(byId<HTMLSelectElement>("fix-when").value)]!;
      this.openTeaching();
      void this.teaching.add(activity, samples).then(() => byId("learn").scrollIntoView({ block: "center" }));
    });
    byId("lesson-list").addEventListener("click", ({ target }) => {
      const { lesson, again } = (target as HTMLElement).dataset;
      if (again) void this.teaching.record(again);
      if (!lesson) return;
      void this.teaching.remove(Number(lesson)).then(() => focusOn("lesson-undo"));
    });
    byId("lesson-undo").addEventListener("click", () => {
      void this.teaching.restore().then(() => focusOn(byId("lesson-undo").hidden ? "lesson-activity" : "lesson-undo"));
    });
    byId("lesson-cancel").addEventListener("click", rest);
    byId("learn").addEventListener("click", () => {
      rest();
      void this.teaching.learn();
    });
    byId("lesson-save").addEventListener("click", () => download(fileName("taught", "json"), this.teaching.lessons.file!, "application/json"));
    // Systems share text, but no JSON.
    byId("lesson-share").addEventListener("click", () => void share(fileName("taught", "txt"), this.teaching.lessons.file!, "text/plain"));
    byId("lesson-reset").addEventListener("click", () => {
      // The echo of the tap that asks is no answer.
      if (!meant()) return;
      buttonsChanged();
      rest();
      void this.teaching.reset();
      byId("lesson-said").scrollIntoView({ block: "nearest" });
    });
    byId("lessons-done").addEventListener("click", () => meant() && this.leaveTeaching());
    addEventListener("popstate", () => ["teach", "offer"].includes(this.state.kind) && this.leaveTeaching());
    // Typing replaces what is proposed.
    byId<HTMLInputElement>("lesson-activity").addEventListener("focus", ({ target }) => (target as HTMLInputElement).select());
  }

  private leaveTeaching(): void {
    // The echo of the tap that ends a recording does not leave what is said of it.
    if (this.teaching.stop()) return buttonsChanged();
    this.go({ kind: "greet", model: this.model });
    focusOn("teach-open");
    if (history.state === "teach") history.back();
  }

  /** The activity in a field, as it is known where it is, or null where the field says why there is none. */
  private typed(id: string): string | null {
    const field = byId<HTMLInputElement>(id);
    const { name, why } = named(field.value, this.teaching.names);
    field.setCustomValidity(why ?? "");
    field.addEventListener("input", () => field.setCustomValidity(""), { once: true });
    field.reportValidity();
    return name;
  }

  private bindHandover(): void {
    byId("handover-copy").addEventListener("click", () => void this.copyAddress());
    byId("offer-take").addEventListener("click", () => {
      if (this.state.kind !== "offer" || !meant()) return;
      const { taught } = this.state;
      this.openTeaching();
      void this.teaching.adopt(taught).then(() => focusOn("try"));
    });
    byId("offer-leave").addEventListener("click", () => {
      if (!meant()) return;
      if (this.state.kind === "offer" && this.state.opened) {
        this.showTeaching();
        return focusOn("lesson-open");
      }
      this.greet();
      focusOn(this.run ? "stop" : "start");
    });
    // In a page that is open, an address that brings something changes its end alone.
    addEventListener("hashchange", () => {
      if (bringsTaught()) void this.open(this.source);
    });
  }

  private openTeaching(): void {
    this.teaching.open();
    this.showTeaching();
  }

  private replayNow(): void {
    void this.startReplay();
    focusOn("stop");
  }
}

/** Whose activities a file of the summary has. */
function whose({ model, simulated }: Summary): string {
  if (model.demonstrates) return "demonstration";
  return simulated ? "simulated-activities" : "activities";
}

/** The name and the text of the file of a summary. */
function saved(state: Summary): [name: string, text: string] {
  return [fileName(whose(state)), state.timeline.csv(state.model.metadata.classes)];
}

function focusOn(id: string): void {
  byId(id).focus({ preventScroll: true });
}

async function main(): Promise<void> {
  const source = listModels(await choices());
  const page = new Page(source);
  await (new URLSearchParams(location.search).has("person") ? page.demonstrate() : page.open(source));
}

void main();
