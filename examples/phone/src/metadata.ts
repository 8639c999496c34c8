/**
 * The metadata of a model: the JSON document that `zoo export` embeds in a `.tflite` file, read from its bytes.
 *
 * The fields are those of `zoo.metadata`; the page has no other source for what they decide.
 */

/** m/s^2 in one g. */
export const STANDARD_GRAVITY = 9.80665;

export interface Streaming {
  restart: number;
  copies: number;
  warmup: number;
  smoothing: number;
  margin: number;
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
}

const SCHEMA = 1;

/** Probability below which a stream shows no label, if the file has no threshold. */
const STREAM_THRESHOLD = 0.4;
const ENTRY = "pocket_zoo";
const NEEDED = ["classes", "rate", "window", "hop", "frame", "states", "unit", "axes", "convention", "streaming"];

/** Fields of the TFLite schema by their number in their table. */
const MODEL = { buffers: 4, metadata: 6 };
const METADATA = { name: 0, buffer: 1 };
const BUFFER = { data: 0 };

/** A table of a flatbuffer: its fields are found by way of a list of offsets, and lists by way of an offset each. */
class Table {
  constructor(private readonly view: DataView, private readonly at: number) {}

  static root(view: DataView): Table {
    return new Table(view, view.getUint32(0, true));
  }

  /** Where a field lies, or undefined where it is left out. */
  private field(number: number): number | undefined {
    const list = this.at - this.view.getInt32(this.at, true);
    const place = 4 + 2 * number;
    if (place >= this.view.getUint16(list, true)) return undefined;
    return this.at + this.view.getUint16(list + place, true) || undefined;
  }

  integer(number: number): number {
    const at = this.field(number);
    return at === undefined ? 0 : this.view.getUint32(at, true);
  }

  bytes(number: number): Uint8Array {
    const at = this.field(number);
    if (at === undefined) return new Uint8Array();
    const start = at + this.view.getUint32(at, true);
    return new Uint8Array(this.view.buffer, this.view.byteOffset + start + 4, this.view.getUint32(start, true));
  }

  tables(number: number): Table[] {
    const at = this.field(number);
    if (at === undefined) return [];
    const start = at + this.view.getUint32(at, true);
    return Array.from({ length: this.view.getUint32(start, true) }, (_, i) => {
      const element = start + 4 + 4 * i;
      return new Table(this.view, element + this.view.getUint32(element, true));
    });
  }
}

/**
 * Reads the metadata of a recognizer.
 *
 * @throws If the file is not TFLite, is damaged, has no metadata, or holds no recognizer that this page can run.
 */
export function readMetadata(file: Uint8Array): Metadata {
  const text = new TextDecoder();
  if (text.decode(file.subarray(4, 8)) !== "TFL3") throw new Error("this is not a TFLite file");
  let document: Metadata | undefined;
  try {
    const model = Table.root(new DataView(file.buffer, file.byteOffset, file.byteLength));
    const entry = model.tables(MODEL.metadata).find((entry) => text.decode(entry.bytes(METADATA.name)) === ENTRY);
    const buffer = entry && model.tables(MODEL.buffers)[entry.integer(METADATA.buffer)];
    document = buffer && JSON.parse(text.decode(buffer.bytes(BUFFER.data)));
  } catch (error) {
    throw new Error(`the file is truncated or damaged (${(error as Error).message})`);
  }
  if (!document) throw new Error("the file carries no metadata of the zoo: export it again with `zoo export`");
  if (document.schema !== SCHEMA) {
    throw new Error(`metadata of schema ${document.schema}; this page reads schema ${SCHEMA}: build it again`);
  }
  if (document.task !== "activity") throw new Error(`holds ${document.family}, which is not an activity recognizer`);
  const missing = NEEDED.filter((name) => !(name in document));
  if (missing.length) throw new Error(`metadata lacks ${missing.join(", ")}`);
  document.threshold ??= document.streaming.threshold ?? STREAM_THRESHOLD;
  return document;
}

/** Converts m/s^2 to the unit that a model reads. */
export function inUnit(acceleration: number, metadata: Metadata): number {
  return metadata.unit === "g" ? acceleration / STANDARD_GRAVITY : acceleration;
}
