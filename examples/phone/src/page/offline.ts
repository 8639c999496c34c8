/** What the service worker answers and keeps: apart from the worker itself, so that it can be tried without one. */

/** Milliseconds for which a network may hang before what is stored is served. */
const PATIENCE = 2000;

/** Milliseconds for which a network that hung is waited for less, and how much less. */
const WARY = 60_000;
const LESS = 20;

const PREFIX = "pocket-zoo";

/** Until when the network is hardly waited for, since it hangs. */
let wary = -Infinity;

export interface Shelves {
  /** The page's own files: an update replaces them all. */
  page: Cache;
  /** Those of the build before it: a page that is open asks for parts that it had not needed yet. */
  before: Cache | null;
  /** Models, and the runtime: they outlast updates, for the page said that it works offline. */
  kept: Cache;
}

/** Names of the caches of a copy of the page: several may lie on one origin. */
export function names(scope: string, build: string): { page: string; kept: string } {
  const { pathname } = new URL(scope);
  return { page: `${PREFIX} ${pathname} ${build}`, kept: `${PREFIX} ${pathname} kept` };
}

/** Caches of earlier builds of this copy, the latest first. A browser lists caches in the order in which they were made. */
export function earlier(all: string[], scope: string, build: string): string[] {
  const { page, kept } = names(scope, build);
  const mine = kept.slice(0, -"kept".length);
  return all.filter((name) => name.startsWith(mine) && name !== page && name !== kept).reverse();
}

/** Whether a request is for now: what a computer tells phones, and streams of events. */
export function isLive(request: Request): boolean {
  const { pathname } = new URL(request.url);
  return request.method !== "GET" || pathname.endsWith("/recordings/") || request.headers.get("Accept") === "text/event-stream";
}

/**
 * Answers from the network while there is one, and at once from what is stored where a name changes with its content.
 *
 * @param files Of the page itself, relative to the scope.
 * @param network Fetches a request.
 * @param later Keeps the worker alive until what has arrived is stored.
 * @param patience Milliseconds.
 */
export async function answer(
  request: Request, scope: string, files: string[], { page, before, kept }: Shelves,
  network: (request: Request) => Promise<Response>, later: (stored: Promise<unknown>) => void, patience = PATIENCE,
): Promise<Response> {
  const { origin, pathname } = new URL(request.url);
  const path = pathname.slice(new URL(scope).pathname.length);
  const isPart = /^assets\//.test(path);
  let cached: Response | undefined;
  for (const shelf of [page, kept, ...(before && isPart ? [before] : [])]) cached ??= await shelf.match(request, { ignoreSearch: true });
  if (cached && (isPart || /^litert\//.test(path))) return cached;
  const fetched = network(request);
  void fetched.then(() => (wary = -Infinity), () => undefined);
  // The answer does not wait for this: its body may be long, or never end, and the disk may be full.
  const stored = fetched.then((response) => {
    if (!response.ok || response.status === 206 || /event-stream/.test(response.headers.get("Content-Type") ?? "")) return;
    return (isPart || files.includes(path || "./") ? page : kept).put(origin + pathname, response.clone());
  });
  later(stored.catch(() => undefined));
  if (!cached) return fetched;
  // The page, the list of models and the model are asked for one after the other: one that hangs is enough.
  const wait = Date.now() < wary ? patience / LESS : patience;
  let timer: ReturnType<typeof setTimeout>;
  const tired = new Promise<Response>((resolve) => {
    timer = setTimeout(() => {
      wary = Date.now() + WARY;
      resolve(cached);
    }, wait);
  });
  return Promise.race([fetched.catch(() => cached), tired]).finally(() => clearTimeout(timer));
}

/** Stores files as the server has them now, whatever the browser remembers of them. */
export async function store(cache: Cache, files: string[]): Promise<void> {
  await cache.addAll(files.map((file) => new Request(file, { cache: "reload" })));
}
