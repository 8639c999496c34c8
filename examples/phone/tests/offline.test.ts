/** The service worker answers at once, stores what it can, and leaves to others what is theirs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, earlier, isLive, names, store } from "../src/page/offline";

const SCOPE = "https://host/page/";

/** Milliseconds for which the network is waited for. */
const PATIENCE = 60;

/** What `answer` needs of a browser's cache. */
class Shelf {
  readonly files = new Map<string, Response>();
  asked: Request[] = [];
  full = false;

  async match(request: Request | string): Promise<Response | undefined> {
    const { origin, pathname } = new URL(typeof request === "string" ? request : request.url, SCOPE);
    return this.files.get(origin + pathname)?.clone();
  }

  async put(url: string, response: Response): Promise<void> {
    if (this.full) throw new DOMException("no room", "QuotaExceededError");
    this.files.set(url, new Response(await response.arrayBuffer()));
  }

  async addAll(requests: Request[]): Promise<void> {
    this.asked.push(...requests);
  }
}

function setUp() {
  const [page, before, kept] = [new Shelf(), new Shelf(), new Shelf()];
  const stored: Promise<unknown>[] = [];
  const ask = (path: string, network: () => Promise<Response>, scope = SCOPE) =>
    answer(
      new Request(scope + path), scope, ["./", "models.json"], { page, before, kept } as never, network,
      (promise) => stored.push(promise), PATIENCE,
    ).then((response) => response);
  return { page, before, kept, stored, ask };
}

/** A body of which a part has come, and no more comes before `end`. */
function stream() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
  controller.enqueue(new TextEncoder().encode("first"));
  return { body, end: () => controller.close() };
}

test("an answer does not wait for the end of its body", async () => {
  const { ask, kept, stored } = setUp();
  const { body, end } = stream();
  const response = await ask("big.tflite", async () => new Response(body));
  const { value } = await response.body!.getReader().read();
  assert.equal(new TextDecoder().decode(value), "first");
  assert.equal(kept.files.size, 0);
  end();
  await Promise.all(stored);
  assert.deepEqual([...kept.files.keys()], [`${SCOPE}big.tflite`]);
});

test("a stream of events is passed on and never stored", async () => {
  const { ask, stored, kept } = setUp();
  const { body } = stream();
  const response = await ask("news", async () => new Response(body, { headers: { "Content-Type": "text/event-stream" } }));
  assert.equal(response.status, 200);
  await Promise.all(stored);
  assert.equal(kept.files.size, 0);
  assert.ok(isLive(new Request(`${SCOPE}news`, { headers: { Accept: "text/event-stream" } })));
});

test("a full disk rejects nothing", async () => {
  const { ask, kept, stored } = setUp();
  kept.full = true;
  assert.equal(await (await ask("model.tflite", async () => new Response("new"))).text(), "new");
  await Promise.all(stored);
});

test("a network that hangs is not waited for where something is stored", async () => {
  const { ask, page } = setUp();
  page.files.set(SCOPE, new Response("old page"));
  assert.equal(await (await ask("", () => new Promise(() => {}))).text(), "old page");
  assert.equal(await (await ask("", async () => Promise.reject(new TypeError("offline")))).text(), "old page");
  assert.equal(await (await ask("", async () => new Response("new page"))).text(), "new page");
});

test("a network that hangs is waited for once, not for each file in turn", async (context) => {
  const { ask, page, kept } = setUp();
  page.files.set(SCOPE, new Response("page")).set(`${SCOPE}models.json`, new Response("list"));
  kept.files.set(`${SCOPE}model.tflite`, new Response("model"));
  const { setTimeout: usual } = globalThis;
  let waited = 0;
  context.mock.method(globalThis, "setTimeout", (done: () => void, milliseconds: number) => {
    waited += milliseconds;
    return usual(done);
  });
  for (const path of ["", "models.json", "model.tflite"]) await ask(path, () => new Promise(() => {}));
  assert.ok(waited >= PATIENCE && waited < 2 * PATIENCE, `${waited}`);
});

test("a part that only this build has goes with it, and the one before it keeps its own for pages that are open", async () => {
  const { ask, page, before, kept, stored } = setUp();
  await ask("assets/person-2.js", async () => new Response("new"));
  await Promise.all(stored);
  assert.deepEqual([page.files.size, kept.files.size], [1, 0]);
  before.files.set(`${SCOPE}assets/replay-1.js`, new Response("old")).set(SCOPE, new Response("old page"));
  const gone = async () => new Response("", { status: 404 });
  assert.equal(await (await ask("assets/replay-1.js", gone)).text(), "old");
  // The page itself is never that of an earlier build.
  assert.equal((await ask("", gone)).status, 404);
});

test("what comes too late is stored for the next time", async () => {
  const { ask, page, stored } = setUp();
  page.files.set(SCOPE, new Response("old page"));
  const late = () => new Promise<Response>((done) => setTimeout(() => done(new Response("new page")), 2 * PATIENCE));
  assert.equal(await (await ask("?replay", late)).text(), "old page");
  await Promise.all(stored);
  assert.equal(await (await page.match(SCOPE))!.text(), "new page");
});

test("below a folder called assets the page itself is still asked for", async () => {
  const scope = "https://host/assets/page/";
  const { ask, page } = setUp();
  page.files.set(scope, new Response("old page"));
  page.files.set(`${scope}assets/page-1.js`, new Response("script"));
  assert.equal(await (await ask("", async () => new Response("new page"), scope)).text(), "new page");
  const unasked = async () => assert.fail("its name changes with its content");
  assert.equal(await (await ask("assets/page-1.js", unasked, scope)).text(), "script");
});

test("an update keeps models and the build before it, and another copy of the page keeps all", () => {
  const [one, two, there] = [names(SCOPE, "one"), names(SCOPE, "two"), names("https://host/page/copy/", "one")];
  const found = earlier([one.page, one.kept, there.page, there.kept, "another app", two.page], SCOPE, "three");
  assert.deepEqual(found, [two.page, one.page]);
});

test("files are stored as the server has them now", async () => {
  const shelf = new Shelf();
  await store(shelf as never, [`${SCOPE}models.json`]);
  assert.deepEqual(shelf.asked.map(({ cache }) => cache), ["reload"]);
});
