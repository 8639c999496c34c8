/** Each recording reaches the computer once, in the order in which they were made, whatever becomes of phone and network. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { anew, Database, device, hide, page, settled, texts } from "./browser";
import { type Item, Outbox } from "../src/collect/outbox";
import { Sender, type Welcome, welcomeIn } from "../src/collect/sender";

const WELCOME = { labels: ["walking", "rowing"], any_label: false, axes: ["x", "y", "z"], pseudonym: "Otter 27" };
const ITEM = { token: "t", person: "Ann", activity: "walking", seconds: 60, reason: "" };

type Answer = [status: number, document?: object, headers?: Record<string, string>] | null | Promise<[status: number]>;
/** What was sent: the end of each address, and the body. */
let sent: [id: string, body: unknown][];
/** What the computer answers, one after the other; then that all is well. */
let answers: Answer[];

beforeEach(() => {
  restart();
  answers = [];
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(Math, "random", () => 0);
  mock.method(globalThis, "fetch", async (address: string, { body, headers }: RequestInit) => {
    assert.equal((headers as Record<string, string>).Authorization, "Bearer t");
    sent.push([address.replace("recordings/", ""), body]);
    const answer = await (answers.length ? answers.shift()! : [200] as [number]);
    if (!answer) throw new TypeError("no network");
    const [status, document, more] = answer as [number, object?, Record<string, string>?];
    return new Response(JSON.stringify(document ?? {}), { status, headers: more });
  });
});
afterEach(() => {
  mock.restoreAll();
  mock.timers.reset();
});

/** Another browser, in which nothing was stored. */
function restart(): void {
  anew();
  for (const each of [page, device]) each.forget();
  sent = [];
}

/** A page with recordings that wait, in the order of their numbers. */
async function waiting(...ids: string[]): Promise<{ outbox: Outbox; sender: Sender }> {
  const outbox = await Outbox.open();
  for (const [i, id] of ids.entries()) {
    const date = mock.method(Date, "now", () => 1000 * i);
    await outbox.put({ ...ITEM, id, csv: `rows ${id}`, fate: "waiting" });
    date.mock.restore();
  }
  return { outbox, sender: new Sender("t", outbox, () => undefined) };
}

const ask = (sender: Sender) => sender.ask(() => undefined, () => undefined);
const ids = () => sent.map(([id]) => id);
const found = ({ all }: Outbox, of: keyof Item = "fate") => Object.fromEntries(all.map((item) => [item.id, item[of]]));

/** Lets time pass, in milliseconds. */
async function pass(milliseconds: number): Promise<void> {
  await settled();
  mock.timers.tick(milliseconds);
  await settled();
}

test("each recording is sent once, the earliest first, and then only a line of it is left", async () => {
  const { outbox, sender } = await waiting("1", "2", "3");
  await outbox.put({ ...ITEM, id: "4", token: "another class", csv: "", fate: "waiting" });
  sender.send();
  sender.send();
  await pass(600_000);
  assert.deepEqual(sent, [["1", "rows 1"], ["2", "rows 2"], ["3", "rows 3"]]);
  assert.deepEqual(found(outbox), { 1: "sent", 2: "sent", 3: "sent", 4: "waiting" });
  assert.deepEqual(found(await Outbox.open(), "csv"), { 1: "", 2: "", 3: "", 4: "" });
});

test("a computer that is busy is asked again when it wants to be, and not before", async () => {
  const { outbox, sender } = await waiting("1", "2");
  answers = [[503, {}, { "Retry-After": "7" }]];
  sender.send();
  await pass(6999);
  assert.deepEqual([ids(), sender.trouble, found(outbox)], [["1"], "busy", { 1: "waiting", 2: "waiting" }]);
  await pass(1);
  assert.deepEqual([ids(), sender.trouble, found(outbox)], [["1", "1", "2"], null, { 1: "sent", 2: "sent" }]);
});

test("without an answer the pauses grow, and begin anew after one", async () => {
  const { outbox, sender } = await waiting("1");
  answers = Array<null>(7).fill(null);
  sender.send();
  for (const [i, pause] of [1500, 3000, 6000, 12_000, 30_000, 30_000, 30_000].entries()) {
    await pass(pause - 1);
    assert.deepEqual([sent.length, sender.trouble], [i + 1, "away"]);
    await pass(1);
  }
  assert.deepEqual([sent.length, sender.trouble], [8, null]);
  answers = [null];
  await outbox.put({ ...ITEM, id: "2", csv: "", fate: "waiting" });
  sender.send();
  await pass(1500);
  assert.deepEqual([ids().slice(-2), sender.trouble], [["2", "2"], null]);
});

test("another answer is as good as none, and phones that were turned away together come back one by one", async () => {
  const { sender } = await waiting("1");
  mock.method(Math, "random", () => 0.5);
  answers = [[500]];
  sender.send();
  await pass(2249);
  assert.deepEqual([ids(), sender.trouble], [["1"], "away"]);
  await pass(1);
  assert.deepEqual(ids(), ["1", "1"]);
});

test("a phone that wakes up while it sends goes on where it was", async () => {
  const { outbox, sender } = await waiting("1", "2");
  let answer!: (answer: [number]) => void;
  answers = [new Promise((done) => (answer = done))];
  sender.send();
  await settled();
  hide(false);
  device.dispatchEvent(new Event("online"));
  await settled();
  assert.deepEqual(ids(), ["1"]);
  answer([200]);
  await pass(600_000);
  assert.deepEqual([ids(), found(outbox)], [["1", "2"], { 1: "sent", 2: "sent" }]);
});

test("a phone that wakes up sends what waits at once, and not again when its timer is due", async () => {
  const { sender } = await waiting("1");
  answers = [null];
  sender.send();
  await settled();
  hide(true);
  await settled();
  assert.deepEqual(ids(), ["1"]);
  hide(false);
  await pass(600_000);
  assert.deepEqual(ids(), ["1", "1"]);
});

test("a phone that wakes up in vain waits anew", async () => {
  const { sender } = await waiting("1");
  answers = [null, null];
  sender.send();
  await pass(1000);
  hide(false);
  await pass(2999);
  assert.deepEqual(ids(), ["1", "1"]);
  await pass(1);
  assert.deepEqual(ids(), ["1", "1", "1"]);
});

test("what failed while a phone woke up is sent at once", async () => {
  const { sender } = await waiting("1");
  let answer!: (answer: null) => void;
  answers = [new Promise((done) => (answer = done as never))] as Answer[];
  sender.send();
  await settled();
  hide(false);
  answer(null);
  await settled();
  assert.deepEqual([ids(), sender.trouble], [["1", "1"], null]);
});

test("a phone that wakes up sends what another page has recorded", async () => {
  await waiting();
  const another = await Outbox.open();
  await another.put({ ...ITEM, id: "2", csv: "rows", fate: "waiting" });
  hide(false);
  await settled();
  assert.deepEqual(ids(), ["2"]);
});

test("what another page has sent meanwhile, or renamed, is not sent as it was", async () => {
  const { outbox, sender } = await waiting("1", "2", "3");
  const another = await Outbox.open();
  let answer!: (answer: [number]) => void;
  answers = [new Promise((done) => (answer = done))];
  sender.send();
  await settled();
  await another.put({ ...ITEM, id: "2", csv: "", fate: "sent" });
  await another.put({ ...ITEM, id: "4", csv: "rows 3", fate: "waiting" }, ["3"]);
  hide(false);
  await outbox.load();
  answer([200]);
  await settled();
  assert.deepEqual([sent, found(outbox)], [[["1", "rows 1"], ["4", "rows 3"]], { 1: "sent", 2: "sent", 4: "sent" }]);
});

test("of a phone whose database was closed while it was locked, the last rows are sent, and not those before them", async () => {
  const { outbox, sender } = await waiting();
  const release = outbox.hold("1");
  Database.close();
  Database.deaf = 1;
  const checkpoint = outbox.put({ ...ITEM, id: "1", csv: "half", fate: "open" });
  const end = outbox.put({ ...ITEM, id: "1", csv: "all", fate: "waiting" });
  await pass(5000);
  await Promise.all([checkpoint, end]);
  release();
  sender.send();
  await pass(600_000);
  assert.deepEqual([sent, found(await Outbox.open())], [[["1", "all"]], { 1: "sent" }]);
});

test("a number that another recording has is drawn again, and the recording is sent once, also where there is no room", async () => {
  for (const full of [false, true]) {
    restart();
    const { outbox, sender } = await waiting("1", "2");
    Database.full = full;
    answers = [[409]];
    sender.send();
    await pass(0);
    hide(false);
    await pass(600_000);
    assert.deepEqual(sent.map(([, body]) => body), ["rows 1", "rows 2", "rows 1"]);
    assert.equal(new Set(ids()).size, 3);
    assert.equal(outbox.all.length, 2);
  }
});

test("what is refused is not sent again, says why, and holds up nothing", async () => {
  const { outbox, sender } = await waiting("1", "2", "3");
  answers = [[422, { error: "gravity is missing" }], [413]];
  sender.send();
  await pass(600_000);
  assert.deepEqual([ids(), sender.trouble], [["1", "2", "3"], null]);
  assert.deepEqual([found(outbox), found(outbox, "reason")], [{ 1: "refused", 2: "refused", 3: "sent" }, { 1: "gravity is missing", 2: "too large", 3: "" }]);
  assert.deepEqual(found(outbox, "csv"), { 1: "rows 1", 2: "rows 2", 3: "" });
});

test("a code that is no longer valid ends it, and what waits is kept", async () => {
  const { outbox, sender } = await waiting("1", "2");
  answers = [[403]];
  sender.send();
  await pass(600_000);
  assert.deepEqual([ids(), sender.trouble, found(outbox)], [["1"], "code", { 1: "waiting", 2: "waiting" }]);
});

test("recordings can begin with what the computer said last, and with nothing else that is stored", async () => {
  const { sender } = await waiting();
  answers = [null, [200, WELCOME], null];
  assert.deepEqual([await ask(sender), await ask(sender), await ask(sender)], [null, WELCOME, WELCOME]);
  answers = [[503]];
  assert.deepEqual(await sender.ask(() => assert.fail("it need not wait"), () => undefined), WELCOME);
  const [[key]] = [...texts] as [[string, string]];
  for (const damaged of ["", "{", "3", "null", JSON.stringify({ ...WELCOME, labels: "walking" })]) {
    texts.set(key, damaged);
    answers = [null];
    assert.equal(await ask(sender), null, damaged);
  }
});

test("where what to record is known, a network that hangs is hardly waited for, and what it says later is for the next time", async () => {
  const { outbox, sender } = await waiting();
  answers = [[200, WELCOME]];
  await ask(sender);
  let answer!: (answer: [number, object]) => void;
  answers = [new Promise((done) => (answer = done as never))];
  let [found, times]: [Welcome | null | undefined, number] = [undefined, 0];
  void sender.ask(() => assert.fail("it need not wait"), () => (times += 1)).then((welcome) => (found = welcome));
  await pass(1999);
  assert.equal(found, undefined);
  await pass(1);
  assert.deepEqual([found, times], [WELCOME, 0]);
  const later = { ...WELCOME, labels: ["sitting"] };
  answer([200, later]);
  await settled();
  answers = [null];
  assert.deepEqual([times, await ask(sender)], [1, later]);
  // Without a code there is nothing to wait for.
  mock.method(globalThis, "fetch", () => new Promise(() => {}));
  void ask(new Sender("", outbox, () => undefined)).then((welcome) => (found = welcome));
  await pass(0);
  assert.equal(found!.any_label, true);
});

test("a request that is never answered is given up", async () => {
  const { sender } = await waiting("1");
  mock.method(globalThis, "fetch", (_: string, { signal }: RequestInit) => new Promise((_, fail) => {
    signal!.addEventListener("abort", () => fail(new DOMException("late", "AbortError")));
  }));
  sender.send();
  await pass(69_999);
  assert.equal(sender.trouble, null);
  await pass(1);
  assert.equal(sender.trouble, "away");
});

test("what a computer says is what a phone can record, or nothing", () => {
  const six = { ...WELCOME, axes: ["x", "y", "z", "gyro_x", "gyro_y", "gyro_z"] };
  assert.deepEqual([welcomeIn({ ...WELCOME, more: 1 }), welcomeIn(six)], [WELCOME, six]);
  const bad = [null, 3, [], { ...WELCOME, labels: ["walking", 3] }, { ...WELCOME, labels: [" "] }, { ...WELCOME, axes: ["x", "y"] }, { ...WELCOME, axes: ["z", "y", "x"] }, { ...WELCOME, pseudonym: null }];
  for (const each of bad) assert.equal(welcomeIn(each), null, JSON.stringify(each));
});

test("a busy computer that has said nothing yet is asked again, and the page hears of it each time", async () => {
  const { sender } = await waiting();
  answers = [[503, {}, { "Retry-After": "2" }], [429, {}, { "Retry-After": "3" }], [200, WELCOME]];
  let times = 0;
  const asked = sender.ask(() => (times += 1), () => undefined);
  await pass(2000);
  await pass(2999);
  assert.equal(sent.length, 2);
  await pass(1);
  assert.deepEqual([await asked, times], [WELCOME, 2]);
});
