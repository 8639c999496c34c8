/** What was taught, as the browser's database keeps it. */

import { Table } from "../page/database";
import { parsed, remember, remembered, rememberedKeys } from "../page/store";
import type { Vector } from "../signal/resampler";
import { isName } from "./names";
import type { Taught } from "./taught";

/** Rows at the rate of a model. */
export interface Recording {
  kind: "recording";
  /** In the order of time. */
  id: string;
  /** What models read that learn from it: rate, unit, convention and axes. */
  reads: string;
  activity: string;
  rows: Vector[];
}

/** What was learned with a model: what came from another phone, and what was learned here. */
export interface Learned {
  kind: "learned";
  id: string;
  taken: Taught | null;
  learned: Taught | null;
}

export type Kept = Recording | Learned;

/**
 * Opens what was taught on this phone.
 *
 * @param changed Is called when another page of this browser has changed it.
 */
export async function openKept(changed: () => void): Promise<Table<Kept>> {
  const table = await Table.open<Kept>("pocket-zoo-taught", "kept", changed);
  // Of two pages that open at once, one moves it.
  await (navigator.locks ? navigator.locks.request("pocket-zoo move", () => move(table)) : move(table));
  return table;
}

/** Moves what versions up to 0.3 kept in texts. Where there is no database, it stays there, and is read from there. */
async function move(table: Table<Kept>): Promise<void> {
  const rows = rememberedKeys().flatMap((key): Kept[] => {
    const [kind, ...rest] = key.split("-");
    const found = parsed(remembered(key));
    if (kind === "learned") return found ? [{ kind, id: `learned ${rest.join("-")}`, taken: null, learned: found as Taught }] : [];
    if (kind !== "recordings" || !Array.isArray(found)) return [];
    return found.map((each, i) => ({
      kind: "recording", id: `recording 0 ${key} ${`${i}`.padStart(4, "0")}`, reads: rest.join("-"), activity: each?.activity, rows: each?.rows,
    }));
  });
  if (rows.length && (await table.write(rows))) forgetOld();
}

/** Forgets what versions up to 0.3 kept. */
export function forgetOld(): void {
  for (const key of rememberedKeys()) if (/^(recordings|learned)-/.test(key)) remember(key, null);
}

/** Whether a recording is what a model with so many channels can learn from. */
export function isRecording({ activity, rows }: Recording, channels: number): boolean {
  const isRow = (row: unknown) => Array.isArray(row) && row.length === channels && row.every(Number.isFinite);
  return isName(activity) && Array.isArray(rows) && rows.every(isRow);
}
