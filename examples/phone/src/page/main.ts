/** The page: one tap starts it. It has one state at a time, and shows what follows from it. */

import "../show/style.css";
import { isReachable } from "../show/code";
import { byId, show, write } from "../show/dom";
import { choose, chosen, ears } from "./ears";
import { takeTaught, taughtAddress } from "../learn/handover";
import { buttonsChanged, meant, onHold } from "./hold";
import { explain } from "../show/how";
import { converter, type Converter, listen, permitted, type Refusal, turns } from "../signal/motion";
import { openKept } from "../learn/kept";
import { named } from "../learn/names";
import { postcard } from "../show/postcard";
import { Recognizer } from "../model/recognizer";
import { download, fileName, share, shares } from "../collect/recorder";
import { render, renderTimeline, reserve, suggest } from "../show/render";
import type { Replay } from "../signal/replay";
import { Session } from "./session";
import { choices, chosenName, listModels, onModel, onThreshold, showChosen, showThreshold, threshold } from "./settings";
import { type Device, shown } from "../show/shown";
import { possible, type Signal } from "../signal/signal";
import type { Model, Problem, Running, State, Teach } from "./state";
import { isHandheld, keepAwake, letSleep, stayOffline } from "./system";
import { fromCode, fromFile } from "../learn/taught";
import { type Stretch, Teaching } from "../learn/teaching";

/** What is under way from Start to Stop. */
interface Run {
  session: Session;
  stopSource: () => void;
  replay: Replay | null;
}

/** The last run, whose summary is shown. */
interface Past {
  session: Session;
  stretches: Stretch[];
}

const OWN = "A QR code works only for models that this page offers. Save or share what your own model learned as a file.";
const LONG = "What it learned does not fit in a QR code that phones read easily. Save or share it as a file.";

class Page {
  private state: State = { kind: "loading", what: "", received: 0, total: null };
  private teaching: Teaching | null = null;
  private readonly kept = openKept(() => this.keptElsewhere());
  private convert!: Converter;
  private run: Run | null = null;
  private past: Past | null = null;
  /** How many models were opened: the last one chosen counts. */
  private opened = 0;
  /** Whether the model of the demonstration runs in place of the one that its owner chose. */
  private demonstrates = false;
  /** The code of what another phone learned, until a model is open that can read it. */
  private offered = takeTaught();
  /** The address that was copied last, and what became of it. */
  private copied = { address: "", said: "" };
  private readonly device: Device = {
    handheld: isHandheld(), reachable: isReachable(), shares: shares(), heard: ears().length > 1,
  };

  /** @param source The model that its owner chose. */
  constructor(private source: string | File) {
    byId("ears").replaceChildren(...ears().map(([value, text]) => new Option(text, value, false, value === chosen())));
    this.bindButtons();
    this.bindTeaching();
    this.bindHandover();
    onModel((source) => {
      if (this.run) this.stop();
      void this.open(source);
    });
    onThreshold(() => this.recognizer.metadata, (value) => {
      if (this.run) this.run.session.threshold = value;
      explain(this.recognizer.metadata, value);
    });
    addEventListener("resize", () => this.redraw());
    // What is drawn once takes the colors of the moment.
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  /** Opens a model, and starts where nothing needs to be asked. */
  async open(source: string | File, demonstrates = false): Promise<void> {
    const turn = (this.opened += 1);
    this.past = null;
    void this.teaching?.leave();
    this.set({ kind: "loading", what: "", received: 0, total: null });
    try {
      const loading = Recognizer.load(source, (what, received, total) => {
        if (turn === this.opened) this.set({ kind: "loading", what, received, total });
      });
      const [untaught, table] = await Promise.all([loading, this.kept]);
      if (turn !== this.opened) return;
      this.convert = converter(untaught.metadata);
      this.teaching?.end();
      this.teaching = new Teaching(untaught, table, () => this.state.kind === "teach" && this.showTeaching());
    } catch (error) {
      if (turn !== this.opened) return;
      // The model that ran is still there.
      if (this.teaching) showChosen(this.demonstrates ? null : this.source);
      else byId("threshold-row").hidden = true;
      return this.fail("model", (error as Error).message);
    }
    this.demonstrates = demonstrates;
    if (!demonstrates) this.source = source;
    const { metadata, engine } = this.recognizer;
    showThreshold(metadata);
    explain(metadata, threshold(metadata));
    suggest(this.teaching.names, turns(metadata));
    if (this.offered !== null && !demonstrates) this.offer(this.offered);
    else this.greet();
    void stayOffline(typeof source === "string" ? [source, ...engine.files] : engine.files, () => show("offline", true));
  }

  /** Shows what can be started, and starts where nothing needs to be asked. */
  private greet(): void {
    this.set({ kind: "start", model: this.model });
    if (this.demonstrates || asksForReplay()) void this.startReplay();
    else if (!isSecureContext) this.fail("insecure");
    else if (!this.device.handheld) void this.startReplay();
  }

  /** Asks whether to take over what another phone has learned. */
  private offer(code: string): void {
    this.offered = null;
    try {
      const taught = fromCode(code, this.teaching!.lessons.untaught);
      this.set({ kind: "offer", model: this.model, taught, replaces: this.teaching!.keeps, opened: false });
    } catch (error) {
      this.fail("code", (error as Error).message);
    }
  }

  private get recognizer(): Recognizer {
    return this.teaching!.lessons.recognizer;
  }

  private get model(): Model {
    const { metadata, file, engine } = this.recognizer;
    return { metadata, bytes: file.length, engine, obstacle: this.teaching!.lessons.obstacle, demonstrates: this.demonstrates };
  }

  private set(state: State): void {
    this.state = state;
    render(shown(state, this.device));
  }

  /** Opens the network of the demonstration, and plays a real person to it. */
  async demonstrate(): Promise<void> {
    this.end();
    const found = await import("../signal/person").catch(() => null);
    if (!found) return this.fail("recording");
    await this.open(found.NETWORK, true);
  }

  /** Shows what a run reports, and counts how often the label is what the person of a recording does. */
  private report(report: Partial<Running>): void {
    if (this.state.kind !== "running") return this.tell(report);
    const { truth, agreed, model } = this.state;
    const { signal } = { ...this.state, ...report };
    const right = signal.kind === "recognized" && model.metadata.classes[signal.label] === truth;
    const counts = truth !== null && (signal.kind === "recognized" || signal.kind === "unsure");
    this.tell({ ...report, agreed: counts ? { right: agreed.right + Number(right), of: agreed.of + 1 } : agreed });
  }

  /** Changes what is shown of a run, or of a trial of what was learned. */
  private tell(part: Partial<Running>): void {
    if (this.state.kind === "running") this.set({ ...this.state, ...part });
    else if (this.state.kind === "teach" && part.signal) this.showTrying(part.signal);
  }

  private begin(simulated: boolean, show = (run: Run) => this.showRunning(run.session)): Run {
    this.end();
    const { recognizer } = this;
    const session = new Session(recognizer, threshold(recognizer.metadata), simulated, {
      changed: (report) => this.report(report),
      failed: (error) => this.quit("model", error.message),
      say: (text) => write("said", text),
    });
    this.run = { session, stopSource: () => {}, replay: null };
    show(this.run);
    return this.run;
  }

  private showRunning({ simulated, timeline }: Session): void {
    this.set({
      kind: "running", model: this.model, simulated, timeline, paused: false, truth: null, agreed: { right: 0, of: 0 }, sleepy: false,
      signal: { kind: "listening" }, missed: null, measured: { rate: NaN, milliseconds: NaN },
      steps: { count: 0, cadence: 0 },
    });
    this.redraw();
    buttonsChanged();
  }

  private end(): void {
    const { run } = this;
    this.run = null;
    run?.stopSource();
    run?.session.end();
    buttonsChanged();
    letSleep();
  }

  private fail(problem: Problem, why = ""): void {
    this.set({ kind: "problem", problem, why, model: this.teaching ? this.model : null });
  }

  /** Ends a run that cannot go on. */
  private quit(problem: Problem, why = ""): void {
    this.end();
    this.fail(problem, why);
  }

  private listenFor(run: Run): void {
    const { session } = run;
    run.stopSource = listen(turns(this.recognizer.metadata), this.convert, {
      sample: (sample) => {
        // A sensor may be slow to start.
        if (this.state.kind === "problem") {
          this.showRunning(session);
          this.stayAwake();
        }
        session.add(sample);
      },
      signChange: session.restart,
      empty: session.empty,
      nothing: (why) => this.lacks(why),
    });
  }

  /** The sensor sends nothing. */
  private lacks(why: Refusal): void {
    if (this.state.kind !== "teach") {
      letSleep();
      return this.fail(why);
    }
    this.showTrying(null);
    this.teaching!.refuse(why);
  }

  private async startSensor(): Promise<void> {
    // A second tap while the system asks would start a second session.
    byId<HTMLButtonElement>("start").disabled = true;
    const refusal = await permitted();
    if (refusal) return this.quit(refusal);
    this.listenFor(this.begin(false));
    focusOn("stop");
    this.stayAwake();
  }

  private stayAwake(): void {
    keepAwake(() => this.tell({ sleepy: true }));
  }

  private async restartSensor(): Promise<void> {
    const refusal = await permitted();
    const { run } = this;
    if (!run) return;
    if (refusal) return this.quit(refusal);
    run.stopSource();
    this.listenFor(run);
  }

  private async startReplay(): Promise<void> {
    const run = this.begin(true);
    const { session } = run;
    const found = await import("../signal/replay").catch(() => null);
    const track = this.demonstrates ? (await import("../signal/person").catch(() => null))?.person : found?.simulated;
    if (this.run !== run) return;
    if (!found || !track) return this.quit("recording");
    const { convert } = this;
    const playing = new found.Replay(track, ({ time, value }, truth) => {
      session.add({ time, value: convert(value, 1) });
      if (this.state.kind === "running" && this.state.truth !== truth) this.tell({ truth });
    }, session.pause);
    [run.replay, run.stopSource] = [playing, () => playing.stop()];
  }

  private stop(): void {
    const { session } = this.run!;
    const { agreed } = this.state.kind === "running" ? this.state : { agreed: { right: 0, of: 0 } };
    this.end();
    if (!session.timeline.length) return this.set({ kind: "start", model: this.model });
    const stretches = session.simulated ? [] : this.teaching!.stretches(session.timeline, session.history);
    this.past = { session, stretches };
    this.set({
      kind: "summary", model: this.model, simulated: session.simulated, agreed, timeline: session.timeline, steps: session.steps,
      stretches: stretches.map(({ name }) => name),
    });
    this.redraw();
  }

  private redraw(): void {
    const { state, past } = this;
    if (state.kind === "running") {
      const signals = possible(state.model.metadata.classes.length);
      reserve(shown(state, this.device), signals.map((signal) => shown({ ...state, signal }, this.device)));
    }
    if (state.kind === "summary" && past) {
      renderTimeline(state.model.metadata.classes, past.session.timeline, shown(state, this.device).minutes);
    }
  }

  private summaryFile({ session: { timeline, simulated, classes } }: Past): [name: string, text: string] {
    return [fileName(this.named(simulated)), timeline.csv(classes)];
  }

  private async savePicture({ session }: Past): Promise<void> {
    const summary = shown(this.state, this.device);
    const picture = await postcard(summary, session.classes, session.timeline);
    download(fileName(this.named(session.simulated), "png"), picture, "image/png");
  }

  /** Whose activities a file of the summary has. */
  private named(simulated: boolean): string {
    if (this.demonstrates) return "demonstration";
    return simulated ? "simulated-activities" : "activities";
  }

  /** Lets the owner see at once what it has learned. */
  private async tryIt(): Promise<void> {
    const refusal = await permitted();
    if (this.state.kind !== "teach") return;
    if (refusal) return this.teaching!.refuse(refusal);
    this.listenFor(this.begin(false, () => this.showTrying({ kind: "listening" })));
    keepAwake(() => undefined);
  }

  /** @param signal What is recognized, or null to end it. */
  private showTrying(signal: Signal | null): void {
    if (!signal && this.run) this.end();
    this.teaching!.trying = signal;
    this.showTeaching();
  }

  /** Another page of this browser has taught, or forgotten. */
  private keptElsewhere(): void {
    if (this.state.kind === "teach") {
      this.showTeaching();
      void this.teaching!.read();
    } else if (this.state.kind === "start") this.set({ kind: "start", model: this.model });
  }

  /** Takes what another phone has learned from its file; asks where it would replace something. */
  private async openTaught(file: File): Promise<void> {
    const teaching = this.teaching!;
    const reading = file.text().then((text) => fromFile(text, teaching.lessons.untaught));
    const taught = await reading.catch((error: Error) => teaching.say(error.message));
    if (!taught || this.state.kind !== "teach") return;
    if (!teaching.keeps) return teaching.adopt(taught);
    buttonsChanged();
    this.set({ kind: "offer", model: this.model, taught, replaces: true, opened: true });
    focusOn("offer-take");
  }

  private showTeaching(): void {
    const { teaching, state } = this;
    if (!teaching) return;
    this.set({ kind: "teach", model: this.model, ...teaching.state, handover: this.handover });
    suggest(teaching.names, turns(this.recognizer.metadata));
    const [field, { lessons, taking }] = [byId<HTMLInputElement>("lesson-activity"), teaching.state];
    // After each recording another activity is proposed. One that begins or ends is shown at the top.
    const grew = state.kind !== "teach" || lessons.length > state.lessons.length;
    if (grew && (!field.value || lessons.some(({ activity }) => activity === field.value))) field.value = teaching.next;
    if (state.kind !== "teach" || !taking === !state.taking) return;
    scrollTo(0, 0);
    focusOn(taking ? "lesson-cancel" : "lesson-record");
  }

  /** The address at which another phone finds what was learned, or why there is none. */
  private get handover(): Teach["handover"] {
    if (typeof this.source !== "string") return { why: OWN };
    const { code } = this.teaching!.lessons;
    const address = code && taughtAddress(code, chosenName());
    return address ? { address, said: this.copied.address === address ? this.copied.said : "" } : { why: LONG };
  }

  private async copyAddress(): Promise<void> {
    const { handover } = this;
    if (!("address" in handover)) return;
    const { address } = handover;
    const said = await navigator.clipboard.writeText(address).then(() => "Copied.", () => "The browser did not let the page copy it.");
    this.copied = { address, said };
    if (this.state.kind === "teach") this.showTeaching();
  }

  private bindButtons(): void {
    byId("start").addEventListener("click", () => {
      if (!meant()) return;
      // A computer has no sensor: again means the recording.
      if (this.demonstrates) void this.open(this.source);
      else if (this.state.kind === "summary" && !this.device.handheld) this.replayNow();
      else void this.startSensor();
    });
    byId("simulate").addEventListener("click", () => meant() && this.replayNow());
    byId("person").addEventListener("click", () => meant() && void this.demonstrate());
    byId("pause").addEventListener("click", () => {
      this.run?.replay?.toggle();
      this.tell({ paused: this.run?.replay?.paused ?? false });
    });
    byId("restart").addEventListener("click", () => void this.restartSensor());
    onHold(byId<HTMLButtonElement>("stop"), () => {
      this.stop();
      focusOn("start");
    // What is simulated is in no pocket.
    }, () => !this.run?.session.simulated);
    // What unfolds is not left under the footer.
    for (const id of ["how", "settings"]) byId(id).addEventListener("toggle", () => byId(id).scrollIntoView({ block: "nearest" }));
    byId("ears").addEventListener("change", (event) => choose((event.target as HTMLSelectElement).value));
    byId("save").addEventListener("click", () => this.past && download(...this.summaryFile(this.past)));
    byId("picture-save").addEventListener("click", () => this.past && void this.savePicture(this.past));
    byId("share").addEventListener("click", () => this.past && void share(...this.summaryFile(this.past)));
  }

  private bindTeaching(): void {
    const record = (activity: string) => {
      this.showTrying(null);
      void this.teaching!.record(activity);
    };
    byId("teach-open").addEventListener("click", () => meant() && this.openTeaching());
    byId("lesson").addEventListener("submit", (event) => {
      event.preventDefault();
      const activity = this.typed("lesson-activity");
      if (activity !== null) record(activity);
    });
    byId("try").addEventListener("click", () => {
      if (this.run) this.showTrying(null);
      else void this.tryIt();
    });
    byId("lesson-open").addEventListener("change", ({ target }) => {
      const input = target as HTMLInputElement;
      this.showTrying(null);
      const [file] = input.files!;
      input.value = "";
      if (file) void this.openTaught(file);
    });
    byId("fix").addEventListener("submit", (event) => {
      event.preventDefault();
      const activity = this.typed("fix-activity");
      if (activity === null) return;
      const { samples } = this.past!.stretches[Number(byId<HTMLSelectElement>("fix-when").value)]!;
      this.openTeaching();
      void this.teaching!.add(activity, samples).then(() => byId("learn").scrollIntoView({ block: "center" }));
    });
    byId("lesson-list").addEventListener("click", ({ target }) => {
      const { lesson, again } = (target as HTMLElement).dataset;
      if (again) record(again);
      if (!lesson) return;
      void this.teaching!.remove(Number(lesson)).then(() => focusOn("lesson-undo"));
    });
    byId("lesson-undo").addEventListener("click", () => void this.teaching!.restore().then(() => focusOn("lesson-activity")));
    byId("lesson-cancel").addEventListener("click", () => this.teaching!.cancel());
    byId("learn").addEventListener("click", () => {
      this.showTrying(null);
      void this.teaching!.learn();
    });
    byId("lesson-save").addEventListener("click", () => this.teaching!.save());
    byId("lesson-share").addEventListener("click", () => void this.teaching!.share());
    byId("lesson-reset").addEventListener("click", () => {
      // The echo of the tap that asks is no answer.
      if (!meant()) return;
      buttonsChanged();
      this.showTrying(null);
      void this.teaching!.reset();
    });
    byId("lessons-done").addEventListener("click", () => {
      this.showTrying(null);
      void this.teaching!.leave();
      buttonsChanged();
      this.set({ kind: "start", model: this.model });
      focusOn("teach-open");
    });
  }

  /** The activity in a field, as it is known where it is, or null where the field says why there is none. */
  private typed(id: string): string | null {
    const field = byId<HTMLInputElement>(id);
    const { name, why } = named(field.value, this.teaching!.names);
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
      void this.teaching!.adopt(taught).then(() => focusOn("try"));
    });
    byId("offer-leave").addEventListener("click", () => {
      if (!meant()) return;
      // The next buttons are in its place.
      buttonsChanged();
      if (this.state.kind === "offer" && this.state.opened) {
        this.showTeaching();
        return focusOn("lesson-open");
      }
      this.greet();
      focusOn(this.run ? "stop" : "start");
    });
    // In a page that is open, an address that brings something changes its end alone.
    addEventListener("hashchange", () => {
      const code = takeTaught();
      if (code === null) return;
      this.offered = code;
      if (this.run) this.stop();
      void this.open(this.source);
    });
  }

  private openTeaching(): void {
    this.end();
    this.teaching!.open();
    this.showTeaching();
  }

  private replayNow(): void {
    void this.startReplay();
    focusOn("stop");
  }
}

/** Whether the page is to show itself at work at once, as inside another page. */
function asksForReplay(): boolean {
  return new URLSearchParams(location.search).has("replay");
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
