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

  /**
   * The waiting row that counts records equal to the one at `at`, or -1.
   * @param changes ProcessTable.changes
   */
  find(memory: Memory, at: number, bytes: number, changes: number): number {
    this.#holdOnlyFor(changes);
    if (this.#isClear) return -1;
    const from = at >> 2;
    const slot = slotOf(memory.i32, from, bytes >> 2);
    const row = this.#rows[slot] as number;
    if (row < 0) return -1;
    const base = slot * SLOT_WORDS;
    if (this.#words[base] !== memory.i32[from] || this.#words[base + 1] !== memory.i32[from + 1]) return -1;
    for (let i = KEY_FROM; i < bytes >> 2; i++) {
      if (this.#words[base + i] !== memory.i32[from + i]) return -1;
    }
    return row;
  }

  /** Remembers that the record at `at` is counted in `row`. */
  remember(memory: Memory, at: number, bytes: number, changes: number, row: number): void {
    this.#holdOnlyFor(changes);
    const from = at >> 2;
    const slot = slotOf(memory.i32, from, bytes >> 2);
    const base = slot * SLOT_WORDS;
    for (let i = 0; i < bytes >> 2; i++) this.#words[base + i] = memory.i32[from + i] as number;
    this.#rows[slot] = row;
    this.#isClear = false;
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

function slotOf(words: Int32Array, from: number, count: number): number {
  let hash = 0;
  for (let i = KEY_FROM; i < count; i++) hash = (Math.imul(hash, 31) + (words[from + i] as number)) | 0;
  return (hash ^ (hash >>> 9) ^ (hash >>> 18)) & (SLOTS - 1);
}
