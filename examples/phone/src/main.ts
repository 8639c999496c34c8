/** The page: one tap starts it. */

import "./style.css";
import { converter, type Converter, listen, permitted, type Refusal, turns } from "./motion";
import { Recognizer } from "./recognizer";
import { download, LENGTH } from "./recorder";
import { Session } from "./session";
import { keepAwake, letSleep, stayOffline } from "./system";
import * as view from "./view";
import { byId } from "./view";
import { simulate } from "./walk";

async function main(): Promise<void> {
  let recognizer: Recognizer;
  let convert: Converter;
  try {
    recognizer = await Recognizer.load("model.tflite");
    convert = converter(recognizer.metadata);
  } catch (error) {
    view.showProblem("model", (error as Error).message);
    return;
  }
  const { metadata } = recognizer;
  let session: Session | null = null;
  let stopSource = () => {};

  const begin = (simulated: boolean): Session => {
    session = new Session(recognizer, fail);
    view.showRunning(metadata, simulated);
    view.showRecorder(metadata, !simulated);
    keepAwake();
    return session;
  };

  const end = () => {
    stopSource();
    session?.end();
    session = null;
    view.showRecorder(metadata, false);
    letSleep();
  };

  const fail = (error: Error) => {
    end();
    view.showProblem("model", error.message);
  };

  const startSensor = async () => {
    // A second tap while the system asks would start a second session.
    byId<HTMLButtonElement>("start").disabled = true;
    const refusal = await permitted();
    if (refusal) return view.showProblem(refusal);
    const running = begin(false);
    const silent = (why: Refusal) => {
      end();
      view.showProblem(why);
    };
    stopSource = listen(turns(metadata), convert, running.add, running.restart, silent);
  };

  const startWalk = () => {
    const { add } = begin(true);
    stopSource = simulate(({ time, value }) => add({ time, value: convert(value, 1) }));
  };

  const stop = () => {
    end();
    view.showStart(metadata, recognizer.bytes);
  };

  const record = (running: Session) => {
    const [subject, activity] = ["subject", "activity"].map((id) => byId<HTMLInputElement>(id).value.trim());
    running.record(subject!, activity!);
    const timer = setInterval(() => {
      const { recorder } = running;
      if (recorder && session === running && recorder.seconds < LENGTH) return view.showRecording(recorder.seconds, LENGTH);
      clearInterval(timer);
      running.recorder = null;
      if (!recorder) return;
      download(recorder.fileName, recorder.csv());
      view.showRecorded(recorder);
    }, 250);
  };

  byId("start").addEventListener("click", () => (session ? stop() : void startSensor()));
  byId("simulate").addEventListener("click", startWalk);
  byId("teach").addEventListener("submit", (event) => {
    event.preventDefault();
    if (session && !session.recorder) record(session);
  });
  view.showStart(metadata, recognizer.bytes);
}

void stayOffline(() => view.showOffline());
void main();
