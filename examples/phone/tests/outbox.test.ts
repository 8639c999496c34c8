/** What was recorded outlasts the page, and is closed by no page while another one makes it. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { anew, Database, settled } from "./browser";
import { notice } from "../src/collect/collect-view";
import { draw, Outbox } from "../src/collect/outbox";

const date = Date.now;
beforeEach(anew);
afterEach(() => {
  Date.now = date;
});

const ITEM = { id: "1", token: "t", person: "Ann", activity: "walking", seconds: 12, csv: "rows", reason: "" };
const fates = ({ all }: Outbox) => all.map(({ id, fate }) => `${id} ${fate}`);

/** A page that makes a recording, of which some seconds are stored. */
async function making(about = {}): Promise<{ outbox: Outbox; release: () => void }> {
  const outbox = await Outbox.open();
  const release = outbox.hold(ITEM.id);
  await outbox.put({ ...ITEM, ...about, fate: "open" });
  return { outbox, release };
}

test("what was recorded is there after a reload, the latest first, and what was deleted is not", async () => {
  const outbox = await Outbox.open();
  for (const [i, id] of ["1", "2", "3"].entries()) {
    Date.now = () => 1000 * i;
    await outbox.put({ ...ITEM, id, fate: "kept" });
  }
  await outbox.remove("2");
  const again = await Outbox.open();
  assert.deepEqual(fates(again), ["3 kept", "1 kept"]);
  assert.deepEqual(again.all[0], { ...ITEM, id: "3", fate: "kept", touched: 2000 });
});

test("of a page that is gone the part that was recorded is closed, and kept where no computer takes it", async () => {
  for (const [about, closed] of [[{}, ["1 waiting"]], [{ token: "" }, ["1 kept"]], [{ seconds: 4.9 }, []]] as const) {
    anew();
    const { release } = await making(about);
    release();
    await settled();
    assert.deepEqual(fates(await Outbox.open()), closed);
    assert.deepEqual(fates(await Outbox.open()), closed);
  }
});

test("a recording whose phone was locked for long is closed neither by its own page nor by another one", async () => {
  const { outbox, release } = await making();
  const another = await Outbox.open();
  Date.now = () => date() + 600_000;
  for (const each of [outbox, another]) {
    await each.load();
    assert.deepEqual(fates(each), ["1 open"]);
  }
  await outbox.put({ ...ITEM, seconds: 60, csv: "all rows", fate: "waiting" });
  release();
  await settled();
  await another.load();
  assert.deepEqual(another.all.map(({ csv, fate }) => [csv, fate]), [["all rows", "waiting"]]);
});

test("where the date was set back, what a page that is gone has recorded does not wait for it", async () => {
  const { release } = await making();
  release();
  await settled();
  Date.now = () => date() - 3_600_000;
  assert.deepEqual(fates(await Outbox.open()), ["1 waiting"]);
});

test("a browser without locks closes no recording, for another page might make it", async () => {
  const { locks } = navigator;
  Object.assign(navigator, { locks: undefined });
  await making();
  const found = fates(await Outbox.open());
  Object.assign(navigator, { locks });
  assert.deepEqual(found, ["1 open"]);
});

test("what nobody closes can be saved and deleted once nobody has touched it for ten minutes", async () => {
  const { locks } = navigator;
  Object.assign(navigator, { locks: undefined });
  await making();
  const another = await Outbox.open();
  const listed = (milliseconds: number) => {
    Date.now = () => date() + milliseconds;
    return another.listed("t").map(({ id, fate, csv }) => [id, fate, csv]);
  };
  assert.deepEqual([listed(590_000), listed(601_000), listed(-3_600_000)], [[], ...Array(2).fill([["1", "open", "rows"]])]);
  await another.remove("1");
  Object.assign(navigator, { locks });
  assert.deepEqual((await Outbox.open()).all, []);
});

test("what another page has sent before this one could close it is not brought back", async () => {
  const { outbox, release } = await making();
  const { request } = navigator.locks;
  // The other page is quicker: it writes while this one waits for the lock.
  navigator.locks.request = (async (name: string, ...rest: unknown[]) => {
    await outbox.put({ ...ITEM, csv: "", fate: "sent" });
    return (request as (...all: unknown[]) => Promise<unknown>)(name, ...rest);
  }) as typeof request;
  release();
  await settled();
  const another = await Outbox.open();
  navigator.locks.request = request;
  assert.deepEqual(another.all.map(({ fate, csv }) => [fate, csv]), [["sent", ""]]);
});

test("a number that is taken is replaced at once, so that no recording is there twice", async () => {
  const outbox = await Outbox.open();
  await outbox.put({ ...ITEM, fate: "waiting" });
  await outbox.put({ ...ITEM, id: "2", fate: "waiting" }, ["1"]);
  assert.deepEqual([fates(outbox), fates(await Outbox.open())], [["2 waiting"], ["2 waiting"]]);
});

test("where there is no room the page says so, and what it has recorded is there while it is open, once", async () => {
  const outbox = await Outbox.open();
  await outbox.put({ ...ITEM, fate: "waiting" });
  assert.equal(notice({ kind: "loading" }, null, outbox), "");
  Database.full = true;
  await outbox.put({ ...ITEM, id: "2", fate: "waiting" }, ["1"]);
  await outbox.load();
  assert.deepEqual([outbox.lasting, fates(outbox)], [false, ["2 waiting"]]);
  assert.match(notice({ kind: "loading" }, null, outbox), /cannot store recordings: leave the page open/);
  assert.match(notice({ kind: "loading" }, "away", outbox), /cannot be reached. Leave this page open/);
  Database.full = false;
  await outbox.put({ ...ITEM, id: "2", fate: "sent", csv: "" }, ["1"]);
  assert.deepEqual([outbox.lasting, fates(await Outbox.open())], [true, ["2 sent"]]);
});

test("of what was acknowledged some lines are kept, and all that was not", async () => {
  const outbox = await Outbox.open();
  for (let i = 0; i < 53; i += 1) {
    Date.now = () => i;
    await outbox.put({ ...ITEM, id: `${i}`, fate: i ? "sent" : "waiting" });
  }
  await outbox.load();
  assert.deepEqual([outbox.all.length, fates(outbox)[0], fates(outbox)[50]], [51, "52 sent", "0 waiting"]);
});

test("a database that another page blocks is given up, and recordings last as long as the page", async () => {
  const request = {
    get error() { throw new DOMException("not finished", "InvalidStateError"); },
    onblocked: () => {},
  };
  const { open } = indexedDB;
  Object.assign(indexedDB, { open: () => request });
  const opening = Outbox.open();
  request.onblocked();
  assert.equal((await opening).lasting, false);
  Object.assign(indexedDB, { open });
  assert.match(draw(), /^\d{16}$/);
});
