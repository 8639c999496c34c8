/** A text box that a language model completes while one types. */

import { element } from "../show/dom";
import { Graph } from "../model/graph";
import { embedded } from "../model/metadata";
import { percent } from "../show/text";
import { complete, type Completion } from "./words";

const SHOWN = 5;
const START = "in the right ";

export function language(place: HTMLElement, file: Uint8Array): void {
  const { words, context } = embedded<{ words: string[]; context: number }>(file);
  const graph = new Graph(file, "next_word");
  const box = Object.assign(document.createElement("input"), {
    id: "try-text", type: "text", value: START, autocomplete: "off", autocapitalize: "none", spellcheck: false,
  });
  const label = Object.assign(document.createElement("label"), { htmlFor: box.id, textContent: "Type, and take a word" });
  const [bars, said] = [element("ul", "bars"), element("p")];
  bars.ariaLabel = "The most probable words";
  said.role = "status";
  let found: Completion;

  const take = (word: string) => {
    const typed = box.value.slice(0, box.value.length - found.begun.length).trimEnd();
    box.value = `${typed} ${word} `.trimStart();
    box.focus();
    show();
  };
  const show = () => {
    found = complete(box.value, words, context, SHOWN, (numbers) => {
      return graph.call({ ids: Float32Array.from(numbers) }).probabilities!;
    });
    bars.replaceChildren(...found.next.map(({ word, probability }) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: word });
      button.addEventListener("click", () => take(word));
      return bar(button, probability, percent(probability));
    }));
    said.textContent = advice(found, words, context);
    // For code that builds on this page.
    document.dispatchEvent(new CustomEvent<Completion>("tried", { detail: found }));
  };

  box.addEventListener("input", show);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !found.next.length) return;
    event.preventDefault();
    take(found.next[0]!.word);
  });
  place.replaceChildren(label, box, bars, said, vocabulary(words));
  show();
}

/** A row of a bar chart. */
export function bar(name: HTMLElement, share: number, text: string): HTMLElement {
  const fill = element("span", "fill");
  fill.style.transform = `scaleX(${share})`;
  return element("li", "", name, element("span", "bar", fill), element("span", "number", text));
}

function advice({ context, begun, unknown, next }: Completion, words: string[], length: number): string {
  if (unknown.length) return `It does not know ${unknown.map((word) => `“${word}”`).join(", ")}: it knows ${words.length} words.`;
  if (context.length < length) return `It reads ${length} words: type ${length - context.length} more, of those that it knows.`;
  if (!next.length) return `It knows no word that begins with “${begun}”: it knows ${words.length} words.`;
  return `After “${context.join(" ")}”. Enter takes the first word.`;
}

function vocabulary(words: string[]): HTMLElement {
  const sorted = [...words].sort((a, b) => a.localeCompare(b, "en"));
  return element("details", "", element("summary", "", `The ${words.length} words that it knows`), element("p", "", sorted.join(" ")));
}
