/** Stores the page for offline use: its files at once, the model as last served, the runtime where a model needs it. */

const worker = self as unknown as ServiceWorkerGlobalScope;
const CACHE = `pocket-zoo-${__PAGE_NAME__}`;

worker.addEventListener("install", (event) => {
  event.waitUntil(store());
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([worker.clients.claim(), deleteOthers()]));
});

// Files that the model needs besides; the answer is that they are stored.
worker.addEventListener("message", (event) => {
  event.waitUntil(storeToo(event.data as string[]).then(() => event.ports[0]!.postMessage("stored")));
});

worker.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  // What a computer tells the phones of a class is for now.
  if (event.request.method === "GET" && origin === worker.location.origin && !pathname.endsWith("/recordings/")) {
    event.respondWith(respond(event.request));
  }
});

async function store(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(__PAGE_FILES__);
  // The page itself reports a missing model.
  await firstModel(cache).then((file) => cache.add(file)).catch(() => undefined);
  await worker.skipWaiting();
}

/** The file of the model that the page starts with. */
async function firstModel(cache: Cache): Promise<string> {
  const [{ file }] = await (await cache.match("models.json"))!.json();
  return file;
}

async function storeToo(files: string[]): Promise<void> {
  const cache = await caches.open(CACHE);
  const stored = await Promise.all(files.map((file) => cache.match(file)));
  await cache.addAll(files.filter((_, i) => !stored[i]));
}

async function deleteOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("pocket-zoo-") && name !== CACHE).map((n) => caches.delete(n)));
}

/** Serves files whose names change with their content from the cache, the others from the network while there is one. */
async function respond(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const cached = await cache.match(request, { ignoreSearch: true });
  if (cached && /\/(assets|litert)\//.test(request.url)) return cached;
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    if (cached) return cached;
    throw error;
  }
}
