/** Says what changed: to a screen reader always, aloud or by vibration where its owner wants it. */

import { remember, remembered } from "./store";

/** Seconds for which a label holds before it is announced. */
const STEADY = 1;

/** Milliseconds of a vibration. */
const PULSE = 300;

const KEY = "ears";

/** Ways to announce a change that this browser has. */
export function ears(): [value: string, text: string][] {
  return [
    ["off", "off"],
    ...("speechSynthesis" in window ? [["speak", "voice"] as [string, string]] : []),
    ...("vibrate" in navigator ? [["vibrate", "vibration"] as [string, string]] : []),
  ];
}

/** The chosen way; a browser that stores nothing forgets it. */
export function chosen(): string {
  const stored = remembered(KEY);
  return ears().some(([value]) => value === stored) ? stored! : "off";
}

export function choose(value: string): void {
  remember(KEY, value);
  // Shows what was chosen. Some systems speak later only if they spoke in a tap.
  announce(value, value === "speak" ? "Changes are spoken" : "");
}

export class Announcer {
  private label = "";
  private since = NaN;
  private announced = "";

  constructor(private readonly say: (text: string) => void) {}

  /**
   * Takes the label at a time in seconds; announces it once it has held.
   *
   * @param detail What a screen reader reads after it.
   * @param atOnce Whether it need not hold.
   */
  update(time: number, label: string, detail: string, atOnce: boolean): void {
    if (label !== this.label) [this.label, this.since] = [label, time];
    if (label === this.announced || (Math.abs(time - this.since) < STEADY && !atOnce)) return;
    this.announced = label;
    this.say(`${label}. ${detail}`.trim());
    announce(chosen(), label);
  }
}

export function announce(way: string, text: string): void {
  if (way === "vibrate") navigator.vibrate(PULSE);
  if (way !== "speak") return;
  speechSynthesis.cancel();
  speechSynthesis.speak(Object.assign(new SpeechSynthesisUtterance(text), { lang: "en" }));
}
