/**
 * A BPF ring buffer, read in place. The kernel writes records behind the producer position, we move the consumer
 * position; behind the data pages their first ones are mapped again, so a record never wraps (kernel/bpf/ringbuf.c).
 * Nothing is copied.
 *
 * Pure arithmetic on array buffers: it knows neither the kernel nor how the memory was mapped.
 */

import { type Lane, type Memory, memoryOf } from './lane.js';

export const BUSY = 0x80000000;
const DISCARDED = 0x40000000;
export const HEADER_BYTES = 8; // struct bpf_ringbuf_hdr: u32 len and flags, u32 page offset

export class Ring implements Lane {
  readonly memory: Memory;
  readonly bytes: number;
  at = 0;
  length = 0;
  /** Position up to which records were taken; the kernel learns of it at the commit. */
  #taken: number;
  #committed: number;
  /** Where that is in the data. Kept beside it, because the remainder of a number beyond 32 bits is slow. */
  #offset: number;
  /** Bytes behind it that the last look saw. */
  #known = 0;
  #lent = false;
  readonly #consumer: BigUint64Array;
  readonly #producer: Int32Array;

  /**
   * @param consumer page of the consumer position, writable
   * @param shared   page of the producer position, and behind it, at `dataAt`, the data pages, and from their start once
   *                 more as many as the longest record is long
   * @param bytes    size of the ring, a power of two
   */
  constructor(consumer: ArrayBuffer, shared: ArrayBuffer, dataAt: number, bytes: number) {
    this.memory = memoryOf(shared, dataAt);
    this.bytes = bytes;
    this.#consumer = new BigUint64Array(consumer, 0, 1);
    this.#producer = new Int32Array(shared, 0, 2);
    this.#taken = this.#committed = Number(this.#consumer[0]);
    this.#offset = this.#taken % bytes;
  }

  /** Nothing that is there is held back: the kernel has put the records of all CPUs in one order. */
  look(): void {
    this.#known = this.waiting;
  }

  /** False also while the kernel is still writing the oldest record. */
  next(): boolean {
    if (this.#lent) return true;
    while (this.#known > 0) {
      const header = this.#offset;
      const word = Atomics.load(this.memory.i32, header >> 2) >>> 0;
      if (word & BUSY) return false;
      this.length = word & ~DISCARDED;
      this.at = header + HEADER_BYTES;
      if (HEADER_BYTES + this.length > this.#known) this.length = Math.max(0, this.#known - HEADER_BYTES); // no such record is ever written
      if (!(word & DISCARDED)) {
        this.#lent = true;
        return true;
      }
      this.take();
    }
    return false;
  }

  take(): void {
    const step = (HEADER_BYTES + this.length + 7) & ~7;
    this.#taken += step;
    this.#offset = (this.#offset + step) & (this.bytes - 1);
    this.#known -= step;
    this.#lent = false;
  }

  commit(): void {
    this.#committed = this.#taken;
    Atomics.store(this.#consumer, 0, BigInt(this.#taken));
  }

  /** Goes on at a position that was stored with the records before it, which the consumer position may not show yet. */
  resume(position: number): void {
    if (position < this.#taken || position > this.#taken + this.waiting) return; // not of this ring
    this.#taken = position;
    this.#offset = position % this.bytes;
    this.#known = 0;
    this.#lent = false;
    this.commit();
  }

  get position(): number {
    return this.#taken;
  }

  get held(): number {
    return this.#taken - this.#committed;
  }

  get waiting(): number {
    // The low half suffices, since a ring is far smaller than 4 GiB. Atomics: the record is written before the position.
    return (Atomics.load(this.#producer, 0) - (this.#taken % 4294967296)) >>> 0;
  }
}
