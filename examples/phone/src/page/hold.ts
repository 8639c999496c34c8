/** Buttons that a second tap, or a thigh in a pocket, cannot press. */

import { now } from "./clock";

/** Milliseconds for which a button is held. */
const HOLD = 800;

/** Milliseconds after a change in which a click is the echo of the last one. */
const DEAF = 600;

/** When buttons changed last, in milliseconds on the clock of the page. */
let changed = -Infinity;

/** Notes that buttons have changed under the finger. */
export function buttonsChanged(): void {
  changed = now();
}

/** Whether buttons have been the same for long enough that a click is meant. */
export function meant(): boolean {
  return now() - changed > DEAF;
}

/**
 * Calls back when a button has been held, or clicked from a keyboard or by a screen reader, which hold nothing.
 *
 * @param wanted Whether it has to be held; otherwise a click is enough.
 */
export function onHold(button: HTMLButtonElement, held: () => void, wanted = () => true): void {
  let timer = 0;
  const release = () => {
    clearTimeout(timer);
    button.classList.remove("held");
  };
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !wanted()) return;
    button.classList.add("held");
    timer = window.setTimeout(() => {
      release();
      held();
      // Whoever holds on presses no button that has come under the finger meanwhile.
      addEventListener("pointerup", buttonsChanged, { once: true });
    }, HOLD);
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) button.addEventListener(end, release);
  button.addEventListener("click", (event) => (event.detail === 0 || !wanted()) && meant() && held());
  // A long touch opens no menu.
  button.addEventListener("contextmenu", (event) => event.preventDefault());
}
