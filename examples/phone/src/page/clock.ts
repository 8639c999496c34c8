/** The clock of the page: it goes on while the phone sleeps, and nobody can set it. */

/** Milliseconds by which the date runs ahead of a clock that stood still. */
const DOZE = 1000;

let slept = 0;
/** When the page was hidden, by its own clock and by the date; null while it is in view, and before anybody asks. */
let hidden: { page: number; date: number } | null = null;
let watched = false;

/**
 * Milliseconds for which the clock of the page, and with it the time stamps of samples, have stood still so far, as they do
 * on most phones that are locked. In view a page does not sleep: where the date jumps then, somebody has set it.
 */
export function asleep(): number {
  watch();
  if (!hidden) return slept;
  const ahead = Date.now() - hidden.date - (performance.now() - hidden.page);
  return slept + (ahead > DOZE ? ahead : 0);
}

/** Milliseconds since some moment. */
export function now(): number {
  return performance.now() + asleep();
}

function watch(): void {
  if (watched || !("document" in globalThis)) return;
  watched = true;
  document.addEventListener("visibilitychange", () => {
    slept = asleep();
    hidden = document.hidden ? { page: performance.now(), date: Date.now() } : null;
  });
}
