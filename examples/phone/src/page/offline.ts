/** What the service worker answers and keeps: apart from the worker itself, so that it can be tried without one. */

/** Milliseconds for which a network may hang before what is stored is served. */
const PATIENCE = 4000;

const PREFIX = "pocket-zoo";

export interface Shelves {
  /** The page's own files: an update replaces them all. */
  page: Cache;
  /** Models, and the runtime: they outlast updates, for the page said that it works offline. */
  kept: Cache;
}

/** Names of the caches of a copy of the page: several may lie on one origin. */
export function names(scope: string, build: string): { page: string; kept: string } {
  const { pathname } = new URL(scope);
  return { page: `${PREFIX} ${pathname} ${build}`, kept: `${PREFIX} ${pathname} kept` };
}

/** Caches that earlier builds of this copy left behind. */
export function outdated(all: string[], scope: string, build: string): string[] {
  const { page, kept } = names(scope, build);
  const mine = kept.slice(0, -"kept".length);
  return all.filter((name) => name.startsWith(mine) && name !== page && name !== kept);
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
  request: Request, scope: string, files: string[], { page, kept }: Shelves,
  network: (request: Request) => Promise<Response>, later: (stored: Promise<unknown>) => void, patience = PATIENCE,
): Promise<Response> {
  const { origin, pathname } = new URL(request.url);
  const path = pathname.slice(new URL(scope).pathname.length);
  const cached = (await page.match(request, { ignoreSearch: true })) ?? (await kept.match(request, { ignoreSearch: true }));
  if (cached && /^(assets|litert)\//.test(path)) return cached;
  const fetched = network(request);
  // The answer does not wait for this: its body may be long, or never end, and the disk may be full.
  const stored = fetched.then((response) => {
    if (!response.ok || response.status === 206 || /event-stream/.test(response.headers.get("Content-Type") ?? "")) return;
    return (files.includes(path || "./") ? page : kept).put(origin + pathname, response.clone());
  });
  later(stored.catch(() => undefined));
  if (!cached) return fetched;
  let timer: ReturnType<typeof setTimeout>;
  const tired = new Promise<Response>((resolve) => (timer = setTimeout(() => resolve(cached), patience)));
  return Promise.race([fetched.catch(() => cached), tired]).finally(() => clearTimeout(timer));
}

/** Stores files as the server has them now, whatever the browser remembers of them. */
export async function store(cache: Cache, files: string[]): Promise<void> {
  await cache.addAll(files.map((file) => new Request(file, { cache: "reload" })));
}
