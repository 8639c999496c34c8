/** Who is recorded and what they do: filled in once, and remembered by the phone. */

import { isName, named, plain } from "../learn/names";
import { parsed, remember, remembered } from "../page/store";
import { type Look, looks } from "../show/activities";
import { byId, element, write } from "../show/dom";
import { drawn } from "../show/picture";
import type { Welcome } from "./sender";

const KEY = "collect-form";
const OTHER = "";

/** Offers the activities of the computer, and what was chosen last time. */
export function fill({ labels, any_label, pseudonym }: Welcome): void {
  const found = (parsed(remembered(KEY)) ?? {}) as Record<string, unknown>;
  const last = isName(found.activity) ? found.activity : "";
  const known = labels.includes(last);
  byId<HTMLInputElement>("name").value ||= isName(found.person) ? found.person : pseudonym;
  const each = looks(labels);
  byId("choices").replaceChildren(
    ...labels.map((label, i) => choice(label, label, label === last, each[i])),
    ...(any_label ? [choice(OTHER, "another…", !known && (last !== "" || !labels.length))] : []),
  );
  if (any_label && !known) other().value = last;
  // The browser says why what is typed is no activity, and sends no form with it.
  const check = () => other().setCustomValidity(named(other().value, labels).why ?? "");
  other().addEventListener("input", check);
  check();
  byId("choices").addEventListener("change", showOther);
  showOther();
}

/** Who is recorded. */
export function person(): string {
  return plain(byId<HTMLInputElement>("name").value);
}

/** Marks what is recorded. Where all that is wanted is known, it says what is missing, and proposes it. */
export function mark(recorded: Set<string>): void {
  const all = inputs();
  for (const { value, parentElement } of all) parentElement!.classList.toggle("done", recorded.has(value));
  if (all.some(({ value }) => value === OTHER)) return;
  const missing = all.filter(({ value }) => !recorded.has(value));
  const text = missing.length ? `Still missing: ${missing.map(({ value }) => value).join(", ")}.` : "You have recorded every activity.";
  write("missing", recorded.size ? text : "");
  if (recorded.has(selected() ?? OTHER) && missing[0]) missing[0].checked = true;
}

/** What is chosen; remembers it. */
export function chosen(labels: string[]): { person: string; activity: string } {
  const found = { person: person(), activity: selected() || named(other().value, labels).name! };
  remember(KEY, JSON.stringify(found));
  return found;
}

function choice(value: string, text: string, checked: boolean, look?: Look): HTMLElement {
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "activity", value, required: true, checked });
  const face = element("span", "", ...(look ? [drawn(look.figure, look.color)] : []), text);
  return element("label", "", input, face);
}

function inputs(): HTMLInputElement[] {
  return [...document.querySelectorAll<HTMLInputElement>("#choices input")];
}

function selected(): string | undefined {
  return inputs().find(({ checked }) => checked)?.value;
}

function other(): HTMLInputElement {
  return byId<HTMLInputElement>("other");
}

function showOther(): void {
  other().disabled = byId("other-row").hidden = selected() !== OTHER;
}
