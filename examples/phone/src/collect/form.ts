/** Who is recorded and what they do: filled in once, and remembered by the phone. */

import { folded, plain } from "../learn/names";
import { parsed, remember, remembered } from "../page/store";
import { type Look, looks } from "../show/activities";
import { byId, element, write } from "../show/dom";
import { drawn } from "../show/picture";
import type { Welcome } from "./sender";

const KEY = "collect-form";
const OTHER = "";

/** Offers the activities of the computer, and what was chosen last time. */
export function fill({ labels, any_label, pseudonym }: Welcome): void {
  const last = { person: "", activity: "", ...(parsed(remembered(KEY)) as object | null) };
  const known = labels.includes(last.activity);
  byId<HTMLInputElement>("name").value ||= last.person || pseudonym;
  const each = looks(labels);
  byId("choices").replaceChildren(
    ...labels.map((label, i) => choice(label, label, label === last.activity, each[i])),
    ...(any_label ? [choice(OTHER, "another…", !known && (last.activity !== "" || !labels.length))] : []),
  );
  if (any_label && !known) byId<HTMLInputElement>("other").value = last.activity;
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
export function chosen(): { person: string; activity: string } {
  const label = selected();
  const found = {
    person: person(),
    activity: label === OTHER ? spelled(plain(byId<HTMLInputElement>("other").value)) : label!,
  };
  remember(KEY, JSON.stringify(found));
  return found;
}

function choice(value: string, text: string, checked: boolean, look?: Look): HTMLElement {
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "activity", value, required: true, checked });
  const [label, face] = [element("label"), element("span", "", text)];
  if (look) face.prepend(drawn(look.figure, look.color));
  label.append(input, face);
  return label;
}

/** An activity as others spell it, whatever its capitals. */
function spelled(typed: string): string {
  return inputs().map(({ value }) => value).find((label) => folded(label) === folded(typed)) ?? typed;
}

function inputs(): HTMLInputElement[] {
  return [...document.querySelectorAll<HTMLInputElement>("#choices input")];
}

function selected(): string | undefined {
  return inputs().find(({ checked }) => checked)?.value;
}

function showOther(): void {
  const other = selected() === OTHER;
  byId("other-row").hidden = !other;
  byId<HTMLInputElement>("other").required = other;
  byId<HTMLInputElement>("other").disabled = !other;
}
