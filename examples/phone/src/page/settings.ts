/** The models that can be chosen, a file of one's own, and how sure an answer has to be. */

import type { Metadata } from "../model/metadata";
import { remember, remembered } from "./store";
import { byId, write } from "../show/dom";
import { percent } from "../show/text";

/** A model by the name and the address of its file. */
interface Choice {
  name: string;
  file: string;
}

const CHOSEN = "model";

/** The models next to the page, first the one to start with. */
export async function choices(): Promise<Choice[]> {
  const response = await fetch("models.json").catch(() => null);
  const found = response?.ok ? ((await response.json().catch(() => null)) as Choice[] | null) : null;
  return found?.length ? found : [{ name: "model.tflite", file: "model.tflite" }];
}

/** Lists the models, and selects that of the address of the page, `?model=NAME`, or the one chosen last; returns its address. */
export function listModels(models: Choice[]): string {
  byId("models").replaceChildren(...models.map(({ name, file }) => new Option(name, file)));
  byId("models-row").hidden = models.length < 2;
  const asked = new URLSearchParams(location.search).get("model");
  const last = models.find(({ name }) => name === asked) ?? models.find(({ file }) => file === remembered(CHOSEN)) ?? models[0]!;
  return (byId<HTMLSelectElement>("models").value = last.file);
}

/** The name of the model that is chosen, or null where there is no choice. */
export function chosenName(): string | null {
  const { options, selectedIndex } = byId<HTMLSelectElement>("models");
  return options.length > 1 ? (options[selectedIndex]?.text ?? null) : null;
}

/** Shows which model is open: that of an address, or none of the list. */
export function showChosen(source: string | File | null): void {
  byId<HTMLSelectElement>("models").value = typeof source === "string" ? source : "";
  if (typeof source === "string") byId<HTMLInputElement>("file").value = "";
}

/** Calls back with the address of a chosen model, or with a file of one's own; remembers an address if it is open then. */
export function onModel(open: (source: string | File) => Promise<string | File>): void {
  const [models, own] = [byId<HTMLSelectElement>("models"), byId<HTMLInputElement>("file")];
  models.addEventListener("change", async () => {
    own.value = "";
    const { value } = models;
    if ((await open(value)) === value) remember(CHOSEN, value);
  });
  own.addEventListener("change", () => {
    const [file] = own.files!;
    // With a file of one's own, choosing any model is a change.
    models.value = "";
    if (file) void open(file);
  });
}

/** The threshold that was chosen for a model, or that of its file. */
export function threshold(metadata: Metadata): number {
  const chosen = Number(remembered(key(metadata)) ?? NaN);
  return chosen >= 0 && chosen <= 1 ? chosen : metadata.threshold;
}

/** Shows the threshold of a model. */
export function showThreshold(metadata: Metadata): void {
  const now = threshold(metadata);
  byId("threshold-row").hidden = false;
  byId<HTMLInputElement>("threshold").value = `${Math.round(100 * now)}`;
  write("sure", percent(now));
  byId("as-in-file").hidden = now === metadata.threshold;
  write("as-in-file", `Back to ${percent(metadata.threshold)}, as in the file`);
}

/** Calls back when the threshold changes. */
export function onThreshold(current: () => Metadata, changed: (threshold: number) => void): void {
  const choose = (value: string | null) => {
    remember(key(current()), value);
    showThreshold(current());
    changed(threshold(current()));
  };
  const slider = byId<HTMLInputElement>("threshold");
  slider.addEventListener("input", () => choose(`${Number(slider.value) / 100}`));
  byId("as-in-file").addEventListener("click", () => {
    choose(null);
    slider.focus();
  });
}

const key = ({ preset }: Metadata) => `threshold-${preset}`;
