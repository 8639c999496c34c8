/**
 * The metadata of a model: the JSON document that `zoo export` embeds in a `.tflite` file.
 *
 * The fields are those of `zoo.runtime.metadata`; the page has no other source for what they decide.
 */

import type { Group } from "../signal/filter";
import { BUFFER, METADATA, MODEL, Table } from "./flatbuffer";

/** m/s^2 in one g. */
export const STANDARD_GRAVITY = 9.80665;

export interface Streaming {
  restart: number;
  copies: number;
  warmup: number;
  margin: number;
  /** A tree of the labels; older files have none. */
  groups?: Group[];
  /** Of older files: see `threshold` of the metadata. */
  threshold?: number;
}

export interface Metadata {
  task: string;
  schema: number;
  family: string;
  preset: string;
  simulated: boolean;
  source: string;
  license: string;
  version: string;
  classes: string[];
  rate: number;
  window: number;
  hop: number;
  frame: number;
  states: Record<string, number>;
  unit: string;
  axes: string[];
  convention: string;
  streaming: Streaming;
  /** Probability below which the answer is "not sure". */
  threshold: number;
  /** Whether the class `other` stands for all other movements; in a file that does not say it, as those of version 0.3, the last one does. */
  other?: boolean;
  temperature: number;
  weights_sha256: string;
}

const SCHEMA = 1;

/** Probability below which a stream shows no label, if the file has no threshold. */
const STREAM_THRESHOLD = 0.4;

/** Of the metadata in a file. */
const ENTRY = "pocket_zoo";
const NEEDED = ["classes", "rate", "window", "hop", "frame", "states", "unit", "axes", "convention", "streaming"];

/** Keys of `streaming` and of its groups: another one may change what these mean. `smoothing` is that of older files. */
const STREAMING = ["restart", "copies", "warmup", "margin", "groups", "threshold", "smoothing"];
const GROUP = ["parts", "evidence", "stay"];

/**
 * Reads the metadata of a recognizer in a `.tflite` file.
 *
 * @throws If the file is not TFLite, is damaged, has no metadata, or holds no recognizer that this page can run.
 */
export function readMetadata(file: Uint8Array): Metadata {
  return understood(embedded<Metadata>(file));
}

/**
 * Reads the metadata of any model of the zoo in a `.tflite` file.
 *
 * @throws If the file is not TFLite, is damaged, or has no metadata.
 */
export function embedded<Document>(file: Uint8Array): Document {
  const model = Table.root(file);
  let document: Document | undefined;
  try {
    const entry = model.tables(MODEL.metadata).find((entry) => entry.text(METADATA.name) === ENTRY);
    const text = entry && model.tables(MODEL.buffers)[entry.integer(METADATA.buffer)]!.text(BUFFER.data);
    document = text && JSON.parse(text);
  } catch (error) {
    throw new Error(`the file is truncated or damaged (${(error as Error).message})`);
  }
  if (!document) throw new Error("the file has no metadata of the zoo: export it again with zoo export");
  return document;
}

/**
 * Completes a document as older files need it.
 *
 * @throws If it is not that of a recognizer that this page can run.
 */
export function understood(document: Metadata): Metadata {
  if (document.schema !== SCHEMA) {
    throw new Error(`metadata of schema ${document.schema}; this page reads schema ${SCHEMA}: export or build the older one again`);
  }
  if (document.task !== "activity") throw new Error(`the file holds ${document.family}, which is not an activity recognizer`);
  const missing = NEEDED.filter((name) => !(name in document));
  if (missing.length) throw new Error(`metadata lacks ${missing.join(", ")}`);
  const { streaming, version } = document;
  const groups = streaming.groups ?? [];
  const keys = [[streaming, STREAMING] as const, ...groups.map((group) => [group, GROUP] as const)];
  const unknown = keys.flatMap(([value, known]) => Object.keys(value).filter((name) => !known.includes(name)));
  if (unknown.length) {
    throw new Error(`'streaming' has ${unknown[0]}, which is unknown; written by pocket-zoo ${version}: read it with that version or newer`);
  }
  document.threshold ??= document.streaming.threshold ?? STREAM_THRESHOLD;
  document.other ??= document.classes.at(-1) === "other";
  return document;
}

/** Converts m/s^2 to the unit that a model reads. */
export function inUnit(acceleration: number, metadata: Pick<Metadata, "unit">): number {
  return metadata.unit === "g" ? acceleration / STANDARD_GRAVITY : acceleration;
}
