/**
 * Rows of one table that wait for their transaction. Every column of an event row is a number (texts are stored once and
 * referred to), so the rows lie in one Float64Array: adding one allocates nothing.
 *
 * Folding: a row that equals a waiting one from the column `sameFrom` on is counted there instead of being added. That is what
 * lets a storm of identical signals be kept whole.
 */

import type { Table } from './table.js';

/** Stands for NULL; no event has this number. */
export const NULL = Number.MIN_SAFE_INTEGER;

const FOLD_SLOTS = 1 << 16; // twice the rows of a batch, and a power of two

export class Rows {
  readonly table: Table;
  length = 0;
  /** `id` of the first waiting row; they grow by one from there, over all segments of a recording. */
  firstId: number;
  readonly #width: number;
  readonly #values: Float64Array;
  readonly #slots: Int32Array | null;

  constructor(table: Table, firstId: number) {
    this.table = table;
    this.firstId = firstId;
    this.#width = table.columns.length;
    this.#values = new Float64Array((table.capacity + 1) * this.#width);
    this.#slots = table.sameFrom < 0 ? null : new Int32Array(FOLD_SLOTS);
  }

  get isFull(): boolean {
    return this.length >= this.table.capacity;
  }

  /** Writes one value of the row that is being put together. */
  set(column: number, value: number): void {
    this.#values[this.length * this.#width + column] = value + 0; // no -0, which SQLite gives back as 0
  }

  /** A value of a waiting row. */
  get(row: number, column: number): number {
    return this.#values[row * this.#width + column] as number;
  }

  /** Changes a value of a waiting row. */
  put(row: number, column: number, value: number): void {
    this.#values[row * this.#width + column] = value + 0;
  }

  /**
   * Completes the row put together by `set`. Returns its index, or that of the waiting row that equals it: then the new one
   * is dropped, and the caller counts it there. The caller has made sure that the rows are not full.
   */
  add(): number {
    if (this.#slots === null) return this.length++;
    const base = this.length * this.#width;
    for (let slot = this.#hash(base); ; slot = (slot + 1) & (FOLD_SLOTS - 1)) {
      const row = (this.#slots[slot] as number) - 1;
      if (row < 0) {
        this.#slots[slot] = this.length + 1;
        return this.length++;
      }
      if (this.#equal(row * this.#width, base)) return row;
    }
  }

  /** Two sums side by side, because a processor need not wait for the one to go on with the other. */
  #hash(base: number): number {
    const values = this.#values;
    const end = base + this.#width;
    let even = 0x811c9dc5;
    let odd = 0;
    let i = base + this.table.sameFrom;
    for (; i + 1 < end; i += 2) {
      even = Math.imul(even ^ (values[i] as number), 0x01000193);
      odd = Math.imul(odd ^ (values[i + 1] as number), 0x9e3779b1);
    }
    if (i < end) even = Math.imul(even ^ (values[i] as number), 0x01000193);
    const hash = even ^ odd;
    return (hash ^ (hash >>> 15)) & (FOLD_SLOTS - 1);
  }

  #equal(a: number, b: number): boolean {
    for (let i = this.table.sameFrom; i < this.#width; i++) {
      if (this.#values[a + i] !== this.#values[b + i]) return false;
    }
    return true;
  }

  /** Whether `count` rows from `from` on have no value in any of these columns. */
  areNull(columns: readonly number[], from: number, count: number): boolean {
    for (const column of columns) {
      for (let row = from; row < from + count; row++) {
        if (this.#values[row * this.#width + column] !== NULL) return false;
      }
    }
    return true;
  }

  /** Copies these columns of `count` rows from `from` on into `out`, each row behind its id, NULLs as null: the arguments of an INSERT. */
  copy(columns: readonly number[], from: number, count: number, out: (number | null)[]): void {
    let at = 0;
    for (let row = from; row < from + count; row++) {
      out[at++] = this.firstId + row;
      const base = row * this.#width;
      for (let i = 0; i < columns.length; i++) {
        const value = this.#values[base + (columns[i] as number)] as number;
        out[at++] = value === NULL ? null : value;
      }
    }
  }

  /** The waiting rows as they lie in memory, all columns but the id; valid until the next row. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#values.buffer, 0, this.length * this.#width * Float64Array.BYTES_PER_ELEMENT);
  }

  /** The rows are stored. */
  clear(): void {
    this.firstId += this.length;
    this.length = 0;
    this.#slots?.fill(0);
  }
}
