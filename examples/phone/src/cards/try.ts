/** Runs models on the cards of the docs site: `<div class="try" data-task="text" data-model="model.tflite">`. */

import { autoencoder, type Patches } from "./autoencoder";
import { download } from "../model/download";
import { language } from "./language";
import { kilobytes } from "../show/text";

async function open(place: HTMLElement): Promise<void> {
  const { task, model, patches } = place.dataset;
  const file = await download(model!, "Model", (_, received) => (place.textContent = `Loading… ${kilobytes(received)}`));
  if (task === "text") language(place, file);
  else autoencoder(place, file, (await (await fetch(patches!)).json()) as Patches);
}

for (const place of document.querySelectorAll<HTMLElement>(".try")) {
  open(place).catch((error: Error) => (place.textContent = `The model cannot be loaded: ${error.message}. Reload the page.`));
}
