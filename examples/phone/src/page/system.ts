/** System features: the screen stays on while the page runs, and its files are stored on the phone. */

/** Whether somebody touches the device; nobody carries one that is not touched. */
export function isHandheld(): boolean {
  return matchMedia("(any-pointer: coarse)").matches;
}

let awake = false;
let refused = () => {};
let lock: WakeLockSentinel | null = null;
/** How often the lock was asked for, or given back: an answer that comes late is none. */
let turn = 0;

/** Keeps the screen on, also after the page was hidden for a while; calls back where the system does not allow it. */
export function keepAwake(onRefusal: () => void): void {
  [awake, refused] = [true, onRefusal];
  void request();
}

export function letSleep(): void {
  awake = false;
  turn += 1;
  void lock?.release();
  lock = null;
}

async function request(): Promise<void> {
  if (!awake || document.hidden) return;
  const mine = (turn += 1);
  // Refused when the battery is low; the page works without.
  const granted = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
  if (mine !== turn) return void granted?.release();
  if (!granted) refused();
  // The system takes back the lock of a page that was hidden; one that it did not take is given back.
  void lock?.release();
  lock = granted;
}

document.addEventListener("visibilitychange", () => void request());

/** Stores the page for offline use, and files that the model needs, where the browser trusts the address. */
export async function stayOffline(files: string[], ready: () => void): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("sw.js");
    const { active } = await navigator.serviceWorker.ready;
    await new Promise((done) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = done;
      active!.postMessage(files, [port2]);
    });
    ready();
  } catch {
    // A self-signed certificate is enough for the sensor, but not for a service worker.
  }
}
