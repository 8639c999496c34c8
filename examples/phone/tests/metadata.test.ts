/** What a file states of its model: older files are read, and newer ones refused where they mean something else. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { understood, type Metadata } from "../src/model/metadata";
import { rejects } from "../src/signal/stream";

const GROUP = { parts: [["sitting"], ["walking"]], evidence: 3, stay: [30, 30] };

function stated(streaming: object): Metadata {
  return {
    task: "activity", schema: 1, version: "9.1", classes: ["sitting", "walking"], rate: 50, window: 150, hop: 75, frame: 5, states: {},
    unit: "m/s^2", axes: ["x", "y", "z"], convention: "android", streaming: { restart: 0, copies: 1, warmup: 0, margin: 0.1, ...streaming },
  } as unknown as Metadata;
}

test("files of all versions so far are read", () => {
  for (const streaming of [{}, { smoothing: 0.5, threshold: 0.6 }, { groups: [GROUP] }]) {
    assert.equal(understood(stated(streaming)).threshold, streaming.threshold ?? 0.4);
  }
});

test("a setting of a newer version is refused with the version that wrote it", () => {
  for (const streaming of [{ odd: 1 }, { groups: [GROUP, { ...GROUP, odd: 1 }] }]) {
    assert.throws(() => understood(stated(streaming)), /has odd, which is unknown; written by pocket-zoo 9\.1: read it with that version or newer/);
  }
});

test("a label called other is that of all other movements where the file says so, or says nothing and has it last", () => {
  const stands = (classes: string[], other?: boolean) => {
    const metadata = understood({ ...stated({}), classes, other } as Metadata);
    return rejects(metadata, classes.indexOf("other"));
  };
  assert.deepEqual([stands(["sitting", "other"]), stands(["sitting", "other"], true), stands(["sitting", "other"], false)], [true, true, false]);
  assert.equal(stands(["other", "sitting"]), false);
});
