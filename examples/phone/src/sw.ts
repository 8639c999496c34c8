/** Keeps the page for when there is no network: all of its files at once, the model as it was last served. */

const worker = self as unknown as ServiceWorkerGlobalScope;
const CACHE = `pocket-zoo-${__PAGE_NAME__}`;
const MODEL = "model.tflite";

worker.addEventListener("install", (event) => {
  event.waitUntil(keep());
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([worker.clients.claim(), forgetOthers()]));
});

worker.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && new URL(event.request.url).origin === worker.location.origin) {
    event.respondWith(answer(event.request));
  }
});

async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(__PAGE_FILES__);
  // A page without its model says so by itself.
  await cache.add(MODEL).catch(() => undefined);
  await worker.skipWaiting();
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("pocket-zoo-") && name !== CACHE).map((n) => caches.delete(n)));
}

/** Files whose names change with their content from the cache; the others from the network while there is one. */
async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept && /\/(assets|litert)\//.test(request.url)) return kept;
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}
