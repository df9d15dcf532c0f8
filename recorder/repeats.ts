/**
 * Recognises a record that repeats a recent one byte for byte, time aside: in a storm nearly all do, and then nothing has
 * to be looked up, classified and hashed again; the waiting row is counted up. A direct-mapped cache of raw records.
 *
 * It holds only while nothing changed that a row depends on: it forgets all when a process changed, and whoever stores the
 * rows clears it.
 */

import { SnoopHeader } from '../bpf/wire.gen.js';
import type { Memory } from './lane.js';

const SLOTS = 512; // a power of two
const SLOT_WORDS = 32; // the longest record that is remembered: 128 bytes
const KEY_FROM = SnoopHeader.key_start >> 2; // behind type, flags and time

export class Repeats {
  readonly #words = new Int32Array(SLOTS * SLOT_WORDS);
  /** Row in which the record of a slot is counted, -1: the slot is free. */
  readonly #rows = new Int32Array(SLOTS).fill(-1);
  #isClear = true;
  #changes = 0;
  /** Slot of the record that was looked for last: mostly the next one equals it, and else it is remembered there. */
  #slot = 0;

  /**
   * The waiting row that counts records equal to the one at `at`, or -1.
   * @param changes ProcessTable.changes
   */
  find(memory: Memory, at: number, bytes: number, changes: number): number {
    this.#holdOnlyFor(changes);
    const { i32 } = memory;
    const from = at >> 2;
    const count = bytes >> 2;
    if (!this.#isClear && this.#equals(this.#slot, i32, from, count)) return this.#rows[this.#slot] as number;
    this.#slot = slotOf(i32, from, count);
    if (this.#isClear || !this.#equals(this.#slot, i32, from, count)) return -1;
    return this.#rows[this.#slot] as number;
  }

  /** Remembers that the record at `at`, which was not found just before, is counted in `row`. */
  remember(memory: Memory, at: number, bytes: number, changes: number, row: number): void {
    this.#holdOnlyFor(changes);
    const from = at >> 2;
    const base = this.#slot * SLOT_WORDS;
    for (let i = 0; i < bytes >> 2; i++) this.#words[base + i] = memory.i32[from + i] as number;
    this.#rows[this.#slot] = row;
    this.#isClear = false;
  }

  /** Whether the slot holds a record of the same type and flags that is equal from its key on. */
  #equals(slot: number, words: Int32Array, from: number, count: number): boolean {
    if ((this.#rows[slot] as number) < 0) return false;
    const mine = this.#words;
    const base = slot * SLOT_WORDS;
    if (mine[base] !== words[from] || mine[base + 1] !== words[from + 1]) return false;
    for (let i = KEY_FROM; i < count; i++) {
      if (mine[base + i] !== words[from + i]) return false;
    }
    return true;
  }

  #holdOnlyFor(changes: number): void {
    if (changes === this.#changes) return;
    this.#changes = changes;
    this.clear();
  }

  clear(): void {
    if (this.#isClear) return;
    this.#rows.fill(-1);
    this.#isClear = true;
  }
}

/** Two sums side by side, because a processor need not wait for the one to go on with the other. */
function slotOf(words: Int32Array, from: number, count: number): number {
  let even = 0;
  let odd = 0;
  for (let i = KEY_FROM; i < count; i += 2) {
    even = (Math.imul(even, 31) + (words[from + i] as number)) | 0;
    odd = (Math.imul(odd, 37) + (words[from + i + 1] as number)) | 0;
  }
  const hash = even ^ Math.imul(odd, 0x9e3779b1);
  return (hash ^ (hash >>> 9) ^ (hash >>> 18)) & (SLOTS - 1);
}
