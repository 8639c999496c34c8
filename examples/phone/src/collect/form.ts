/** Who is recorded and what they do: filled in once, and remembered by the phone. */

import { folded, plain } from "../learn/names";
import { parsed, remember, remembered } from "../page/store";
import { byId, element } from "../show/dom";
import type { Welcome } from "./sender";

const KEY = "collect-form";
const OTHER = "";

/** Offers the activities of the computer, and what was chosen last time. */
export function fill({ labels, any_label, pseudonym }: Welcome): void {
  const last = { person: "", activity: "", ...(parsed(remembered(KEY)) as object | null) };
  const known = labels.includes(last.activity);
  byId<HTMLInputElement>("name").value ||= last.person || pseudonym;
  byId("choices").replaceChildren(
    ...labels.map((label) => choice(label, label, label === last.activity)),
    ...(any_label ? [choice(OTHER, "another…", !known && last.activity !== "")] : []),
  );
  if (any_label && !known) byId<HTMLInputElement>("other").value = last.activity;
  byId("choices").addEventListener("change", showOther);
  showOther();
}

/** What is chosen; remembers it. */
export function chosen(): { person: string; activity: string } {
  const label = selected();
  const found = {
    person: plain(byId<HTMLInputElement>("name").value),
    activity: label === OTHER ? spelled(plain(byId<HTMLInputElement>("other").value)) : label!,
  };
  remember(KEY, JSON.stringify(found));
  return found;
}

function choice(value: string, text: string, checked: boolean): HTMLElement {
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "activity", value, required: true, checked });
  const label = element("label");
  label.append(input, element("span", "", text));
  return label;
}

/** An activity as others spell it, whatever its capitals. */
function spelled(typed: string): string {
  const known = [...document.querySelectorAll<HTMLInputElement>("#choices input")].map(({ value }) => value);
  return known.find((label) => folded(label) === folded(typed)) ?? typed;
}

function selected(): string | undefined {
  return document.querySelector<HTMLInputElement>("#choices input:checked")?.value;
}

function showOther(): void {
  const other = selected() === OTHER;
  byId("other-row").hidden = !other;
  byId<HTMLInputElement>("other").required = other;
  byId<HTMLInputElement>("other").disabled = !other;
}
