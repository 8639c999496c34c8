/** Reads flatbuffers, the format of `.tflite` files. */

/** A table of a flatbuffer: its fields are found by way of a list of offsets, and lists by way of an offset each. */
export class Table {
  constructor(private readonly view: DataView, private readonly at: number) {}

  /**
   * The outermost table of a file.
   *
   * @throws If the file is not TFLite.
   */
  static root(file: Uint8Array): Table {
    if (TEXT.decode(file.subarray(4, 8)) !== "TFL3") throw new Error("this is not a TFLite file");
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    return new Table(view, view.getUint32(0, true));
  }

  /** Where a field lies, or undefined where it is left out. */
  private field(number: number): number | undefined {
    const list = this.at - this.view.getInt32(this.at, true);
    const place = 4 + 2 * number;
    if (place >= this.view.getUint16(list, true)) return undefined;
    const offset = this.view.getUint16(list + place, true);
    return offset ? this.at + offset : undefined;
  }

  /** Where the entries of a list begin, and how many it has. */
  private list(number: number): [start: number, count: number] {
    const at = this.field(number);
    if (at === undefined) return [0, 0];
    const start = at + this.view.getUint32(at, true);
    return [start + 4, this.view.getUint32(start, true)];
  }

  byte(number: number): number {
    const at = this.field(number);
    return at === undefined ? 0 : this.view.getUint8(at);
  }

  integer(number: number, otherwise = 0): number {
    const at = this.field(number);
    return at === undefined ? otherwise : this.view.getInt32(at, true);
  }

  float(number: number): number {
    const at = this.field(number);
    return at === undefined ? 0 : this.view.getFloat32(at, true);
  }

  bytes(number: number): Uint8Array {
    const [start, count] = this.list(number);
    return new Uint8Array(this.view.buffer, this.view.byteOffset + start, count);
  }

  text(number: number): string {
    return TEXT.decode(this.bytes(number));
  }

  integers(number: number): number[] {
    const [start, count] = this.list(number);
    return Array.from({ length: count }, (_, i) => this.view.getInt32(start + 4 * i, true));
  }

  table(number: number): Table {
    const at = this.field(number);
    return at === undefined ? EMPTY : new Table(this.view, at + this.view.getUint32(at, true));
  }

  tables(number: number): Table[] {
    const [start, count] = this.list(number);
    return Array.from({ length: count }, (_, i) => {
      const element = start + 4 * i;
      return new Table(this.view, element + this.view.getUint32(element, true));
    });
  }
}

const TEXT = new TextDecoder();

/** A table without fields: its list of offsets has its own length alone. */
const EMPTY = new Table(new DataView(Uint8Array.of(4, 0, 4, 0, 4, 0, 0, 0).buffer), 4);

/** Fields of the TFLite schema by their number in their table. */
export const MODEL = { codes: 1, graphs: 2, buffers: 4, metadata: 6, signatures: 7 };
export const METADATA = { name: 0, buffer: 1 };
export const BUFFER = { data: 0 };
