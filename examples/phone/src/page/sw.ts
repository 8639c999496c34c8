/** Stores the page for offline use: its files at once, the model as last served, the runtime where a model needs it. */

import { answer, earlier, isLive, names, type Shelves, store } from "./offline";

const worker = self as unknown as ServiceWorkerGlobalScope;
const { scope } = worker.registration;
const BUILD = __PAGE_NAME__;
const FILES = __PAGE_FILES__;

worker.addEventListener("install", (event) => {
  event.waitUntil(install());
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([worker.clients.claim(), clear()]));
});

// Files that the model needs besides; the answer is that they are stored.
worker.addEventListener("message", (event) => {
  event.waitUntil(storeToo(event.data as string[]).then(() => event.ports[0]!.postMessage("stored")));
});

worker.addEventListener("fetch", (event) => {
  if (new URL(event.request.url).origin !== worker.location.origin || isLive(event.request)) return;
  const answered = shelves().then((found) => answer(event.request, scope, FILES, found, fetch, (stored) => event.waitUntil(stored)));
  event.respondWith(answered);
});

async function shelves(): Promise<Shelves> {
  const { page, kept } = names(scope, BUILD);
  const [before] = earlier(await caches.keys(), scope, BUILD);
  return { page: await caches.open(page), before: before ? await caches.open(before) : null, kept: await caches.open(kept) };
}

async function install(): Promise<void> {
  const { page, kept } = await shelves();
  await store(page, FILES);
  // The page itself reports a missing model.
  const first = async () => (await (await page.match("models.json"))!.json())[0].file as string;
  await first().then((file) => store(kept, [file])).catch(() => undefined);
  await worker.skipWaiting();
}

async function storeToo(files: string[]): Promise<void> {
  const { kept } = await shelves();
  const stored = await Promise.all(files.map((file) => kept.match(file)));
  await store(kept, files.filter((_, i) => !stored[i]));
}

/**
 * Deletes what earlier builds left behind: their files, but for those of the last one, which a page may still show, other
 * versions of the runtime, and parts that builds up to version 0.3 kept with the models.
 */
async function clear(): Promise<void> {
  const { kept } = await shelves();
  const isOld = ({ url }: Request) => /\/litert\/[^/]+\/[^/]+$/.test(url) && !url.includes(`/litert/${__LITERT_VERSION__}/`);
  const isPart = ({ url }: Request) => url.startsWith(`${scope}assets/`);
  const old = (await kept.keys()).filter((request) => isOld(request) || isPart(request));
  const [, ...left] = earlier(await caches.keys(), scope, BUILD);
  await Promise.all([...old.map((request) => kept.delete(request)), ...left.map((name) => caches.delete(name))]);
}
