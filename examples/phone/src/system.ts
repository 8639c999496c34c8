/** What the page asks of the system: the screen stays on while it runs, and its files stay on the phone. */

let awake = false;
let lock: WakeLockSentinel | null = null;

/** Keeps the screen on, also after the page was hidden for a while; a system that cannot is not asked twice. */
export function keepAwake(): void {
  awake = true;
  void request();
}

export function letSleep(): void {
  awake = false;
  void lock?.release();
  lock = null;
}

async function request(): Promise<void> {
  if (!awake || document.hidden || !("wakeLock" in navigator)) return;
  // Refused where the battery is low: the page works on.
  const granted = await navigator.wakeLock.request("screen").catch(() => null);
  if (awake) lock = granted;
  else void granted?.release();
}

document.addEventListener("visibilitychange", () => void request());

/** Keeps the page for when there is no network, where the browser trusts the address. */
export async function stayOffline(ready: () => void): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("sw.js");
    await navigator.serviceWorker.ready;
    ready();
  } catch {
    // A certificate that nobody vouches for is enough for the sensor, not for this.
  }
}
