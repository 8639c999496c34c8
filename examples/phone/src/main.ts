/** The page: one tap starts it. */

import "./style.css";
import { byId } from "./dom";
import { choose } from "./ears";
import { buttonsChanged, meant, onHold } from "./hold";
import { explain } from "./how";
import type { Metadata } from "./metadata";
import { converter, type Converter, listen, permitted, type Refusal, turns } from "./motion";
import { Recognizer } from "./recognizer";
import { csvName, download, LENGTH, share } from "./recorder";
import { Session } from "./session";
import { choices, hideThreshold, listModels, onModel, onThreshold, showThreshold, threshold } from "./settings";
import type { Replay } from "./replay";
import { isHandheld, keepAwake, letSleep, stayOffline } from "./system";
import { Teaching } from "./teaching";
import * as view from "./view";

async function main(): Promise<void> {
  const models = await choices();
  let recognizer: Recognizer;
  let metadata: Metadata;
  let convert: Converter;
  let session: Session | null = null;
  /** The last session, whose summary is shown. */
  let past: Session | null = null;
  let replay: Replay | null = null;
  let stopSource = () => {};

  const begin = (simulated: boolean): Session => {
    session = new Session(recognizer, threshold(metadata), simulated, fail);
    view.showRunning(metadata, simulated);
    view.showRecorder(metadata, !simulated);
    buttonsChanged();
    return session;
  };

  const focusStop = () => byId("stop").focus({ preventScroll: true });

  const end = () => {
    stopSource();
    session?.end();
    session = replay = null;
    view.showRecorder(metadata, false);
    buttonsChanged();
    letSleep();
  };

  const fail = (error: Error) => {
    end();
    view.showProblem("model", error.message);
  };

  const listenFor = (running: Session) => {
    stopSource = listen(turns(metadata), convert, {
      sample: running.add,
      signChange: running.restart,
      empty: running.empty,
      nothing: (why: Refusal) => {
        // Where there was a signal, the page says already that it has ended.
        if (running.timeline.segments.length) return;
        end();
        view.showProblem(why);
      },
    });
  };

  const startSensor = async () => {
    // A second tap while the system asks would start a second session.
    byId<HTMLButtonElement>("start").disabled = true;
    const refusal = await permitted();
    if (refusal) return view.showProblem(refusal);
    listenFor(begin(false));
    focusStop();
    keepAwake(view.showSleepy);
  };

  const restartSensor = async () => {
    const refusal = await permitted();
    if (!session) return;
    if (refusal) {
      end();
      return view.showProblem(refusal);
    }
    stopSource();
    listenFor(session);
  };

  const startReplay = async () => {
    const running = begin(true);
    const found = await import("./replay").catch(() => null);
    if (session !== running) return;
    if (!found) {
      end();
      return view.showProblem("recording");
    }
    const playing = new found.Replay(({ time, value }, activity) => {
      running.add({ time, value: convert(value, 1) });
      view.showTruth(metadata, activity);
    }, running.pause);
    replay = playing;
    stopSource = () => playing.stop();
  };

  const stop = () => {
    past = session?.timeline.length ? session : null;
    end();
    if (past) {
      view.showSummary(metadata, past.timeline);
      teaching.offer(past.timeline, past.simulated ? [] : past.history);
    } else view.showStart(recognizer);
    byId("start").focus({ preventScroll: true });
  };

  const summaryFile = ({ timeline, simulated }: Session): [name: string, text: string] => [
    csvName(simulated ? "simulated-activities" : "activities"), timeline.csv(metadata.classes),
  ];

  const record = (running: Session) => {
    const [subject, activity] = ["subject", "activity"].map((id) => byId<HTMLInputElement>(id).value.trim());
    running.record(subject!, activity!);
    const timer = setInterval(() => {
      const { recorder } = running;
      if (recorder && session === running && !recorder.done) return view.showRecording(recorder.seconds, LENGTH);
      clearInterval(timer);
      running.recorder = null;
      if (!recorder) return;
      if (recorder.ending !== "discarded") download(recorder.fileName, recorder.csv());
      view.showRecorded(recorder);
    }, 250);
  };

  byId("start").addEventListener("click", () => meant() && void startSensor());
  byId("simulate").addEventListener("click", () => {
    if (!meant()) return;
    void startReplay();
    focusStop();
  });
  byId("pause").addEventListener("click", () => {
    replay?.toggle();
    view.showPaused(replay?.paused ?? false);
  });
  byId("restart").addEventListener("click", () => void restartSensor());
  // What is simulated is in no pocket.
  onHold(byId<HTMLButtonElement>("stop"), stop, () => !session?.simulated);
  byId("teach").addEventListener("submit", (event) => {
    event.preventDefault();
    if (session && !session.recorder) record(session);
  });
  byId("ears").addEventListener("change", (event) => choose((event.target as HTMLSelectElement).value));
  byId("save").addEventListener("click", () => past && download(...summaryFile(past)));
  byId("share").addEventListener("click", () => past && void share(...summaryFile(past)));
  addEventListener("resize", () => {
    if (session) view.reserve(metadata);
    else if (past) view.showTimeline(metadata.classes, past.timeline);
  });
  // What is drawn once takes the colors of the moment.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("resize")));
  const teaching = new Teaching((taught) => {
    past = null;
    recognizer = taught;
    metadata = taught.metadata;
  });

  const open = async (source: string | File) => {
    past = null;
    view.showLoading();
    try {
      const untaught = await Recognizer.load(source, view.showProgress);
      convert = converter(untaught.metadata);
      recognizer = teaching.use(untaught, convert);
    } catch (error) {
      hideThreshold();
      view.showProblem("model", (error as Error).message);
      return;
    }
    metadata = recognizer.metadata;
    view.showStart(recognizer);
    showThreshold(metadata);
    explain(metadata, threshold(metadata));
    if (asksForReplay()) void startReplay();
    else if (!isSecureContext) view.showProblem("insecure");
    else if (!isHandheld()) void startReplay();
    const files = typeof source === "string" ? [source, ...recognizer.engine.files] : recognizer.engine.files;
    void stayOffline(files, view.showOffline);
  };

  byId("teach-open").addEventListener("click", () => meant() && teaching.show());
  byId("lessons-done").addEventListener("click", () => {
    teaching.leave();
    buttonsChanged();
    view.showStart(recognizer);
    byId("teach-open").focus({ preventScroll: true });
  });
  onModel((source) => {
    if (session) stop();
    void open(source);
  });
  onThreshold(() => metadata, (value) => {
    if (session) session.threshold = value;
    explain(metadata, value);
  });
  await open(listModels(models));
}

/** Whether the page is to show itself at work at once, as inside another page. */
function asksForReplay(): boolean {
  return new URLSearchParams(location.search).has("replay");
}

void main();
