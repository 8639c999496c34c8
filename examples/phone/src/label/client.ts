/** What the page asks the computer that served it. The token of its address lets it. */

import type { Action, Day, Overview, Range } from "./day";

/** What the computer refuses, in its words. */
export class Refused extends Error {
  constructor(
    message: string,
    /** Whether somebody else has changed something meanwhile. */
    readonly outdated: boolean,
  ) {
    super(message);
  }
}

/** The status where the disk is full, or nothing may be written. */
const STORAGE = 507;
const FORBIDDEN = 403;
const RESTARTED = "zoo label was started again: open the address that it shows now. What you decided is kept.";
const GONE = "The computer does not answer: is zoo label still running? Nothing that you decided is lost.";

async function send(method: string, path: string, document?: unknown): Promise<Response> {
  const headers = { Authorization: `Bearer ${location.hash.slice(1)}` };
  const body = document === undefined ? null : JSON.stringify(document);
  const response = await fetch(`/label/${path}`, { method, headers, body, cache: "no-store" }).catch(() => null);
  if (!response) throw new Refused(GONE, false);
  if (response.ok) return response;
  if (response.status === FORBIDDEN) throw new Refused(RESTARTED, false);
  const { error } = (await response.json().catch(() => ({}))) as { error?: string };
  const reason = error ?? `The computer answers with status ${response.status}.`;
  throw new Refused(response.status === STORAGE ? `${reason}: nothing was changed` : reason, response.status === 409);
}

async function ask<Answer>(method: string, path: string, document?: unknown): Promise<Answer> {
  return (await send(method, path, document)).json() as Promise<Answer>;
}

export const recordings = () => ask<Overview>("GET", "recordings");
/** x, y and z of all rows in cm/s^2. */
export const signal = async (number: number) => (await send("GET", `signal/${number}`)).arrayBuffer();
export const day = (number: number) => ask<Day>("GET", `day/${number}`);
export const name = (person: string) => ask<{ doubts: string[] }>("PUT", "person", { person });
export const learn = () => ask<{ windows: number; labels: string[]; share: number; disputed: number }>("POST", "learning");
export const save = () => ask<{ saved: string; recordings: number; warnings: string[] }>("POST", "saving");

export function act(number: number, action: Action, version: number): Promise<Day> {
  return ask<Day>("PUT", `day/${number}`, { ...action, version });
}

/** Says what is in view, which is proposed first. */
export function see(number: number, view: Range): Promise<Day> {
  return ask<Day>("PUT", `view/${number}`, view);
}
