/**
 * A BPF ring buffer, read in place. The kernel writes records behind the producer position, we move the consumer
 * position; behind the data pages their first ones are mapped again, so a record never wraps (kernel/bpf/ringbuf.c).
 *
 * Lease and commit: `next()` lends one record in `memory` at `at`; the bytes stay valid until `commit()`, which gives
 * everything taken so far back to the kernel. Nothing is copied, and nothing may be kept past the commit.
 *
 * Pure arithmetic on array buffers: it knows neither the kernel nor how the memory was mapped.
 */

const BUSY = 0x80000000;
const DISCARDED = 0x40000000;
const HEADER_BYTES = 8; // struct bpf_ringbuf_hdr: u32 len and flags, u32 page offset

/** Bytes to read records from, as the views that decoding needs. Offsets are in bytes and a multiple of 8. */
export interface Memory {
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
}

/** The views of `bytes` bytes of a buffer, from `from` on, a multiple of 8. */
export function memoryOf(buffer: ArrayBufferLike, from = 0, bytes = buffer.byteLength - from): Memory {
  return {
    u8: new Uint8Array(buffer, from, bytes),
    i32: new Int32Array(buffer, from, bytes >> 2),
    u32: new Uint32Array(buffer, from, bytes >> 2),
  };
}

/** A u64 as a number: exact below 2^53, which for nanoseconds since boot is 104 days, then to the next even one. */
export function u64(memory: Memory, at: number): number {
  return (memory.u32[(at + 4) >> 2] as number) * 4294967296 + (memory.u32[at >> 2] as number);
}

export class Ring {
  readonly memory: Memory;
  readonly bytes: number;
  /** Where the lent record starts in `memory`, and how long it is; only after `next()` returned true. */
  at = 0;
  length = 0;
  /** Position up to which records were taken; the kernel learns of it at the commit. */
  #taken: number;
  #committed: number;
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
  }

  /** Lends the oldest record not taken yet. False: there is none, or the kernel is still writing it. */
  next(): boolean {
    if (this.#lent) return true;
    for (;;) {
      // The low half suffices, since a ring is far smaller than 4 GiB. Atomics: the record is written before the position.
      const pending = (Atomics.load(this.#producer, 0) - (this.#taken % 4294967296)) >>> 0;
      if (pending === 0) return false;
      const header = this.#taken % this.bytes;
      const word = Atomics.load(this.memory.i32, header >> 2) >>> 0;
      if (word & BUSY) return false;
      this.length = word & ~DISCARDED;
      this.at = header + HEADER_BYTES;
      if (HEADER_BYTES + this.length > pending) this.length = Math.max(0, pending - HEADER_BYTES); // no such record is ever written
      if (!(word & DISCARDED)) {
        this.#lent = true;
        return true;
      }
      this.take();
    }
  }

  /** Marks the lent record as taken. Its bytes stay until the commit. */
  take(): void {
    this.#taken += (HEADER_BYTES + this.length + 7) & ~7;
    this.#lent = false;
  }

  /** Gives the memory of all records taken so far back to the kernel. */
  commit(): void {
    this.#committed = this.#taken;
    Atomics.store(this.#consumer, 0, BigInt(this.#taken));
  }

  /** Goes on at a position that was stored with the records before it, which the consumer position may not show yet. */
  resume(position: number): void {
    if (position < this.#taken || position > this.#taken + this.waiting) return; // not of this ring
    this.#taken = position;
    this.#lent = false;
    this.commit();
  }

  /** Position up to which records were taken. */
  get position(): number {
    return this.#taken;
  }

  /** Bytes taken and not committed: room that the kernel cannot use. */
  get held(): number {
    return this.#taken - this.#committed;
  }

  /** Bytes written by the kernel and not taken yet. */
  get waiting(): number {
    return (Atomics.load(this.#producer, 0) - (this.#taken % 4294967296)) >>> 0;
  }
}
