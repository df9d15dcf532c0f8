/**
 * What a lane lends, whatever it is made of. Lease and commit: `next()` lends one record in `memory` at `at`; the bytes stay
 * valid until `commit()`, which gives everything taken so far back to the kernel. Nothing may be kept past the commit.
 */

/** Bytes to read records from, as the views that decoding needs. Offsets are in bytes and a multiple of 4. */
export interface Memory {
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
}

export interface Lane {
  /** Room for records that have not been given back, in bytes; with a buffer per CPU, that of one CPU. */
  readonly bytes: number;
  /** Where the lent record is: in which memory, from where on, how long. Only after `next()` returned true. */
  readonly memory: Memory;
  readonly at: number;
  readonly length: number;
  /**
   * Looks what the kernel has written.
   * @param now nanoseconds of the clock of the records; Infinity: no more records come, so none is held back
   */
  look(now: number): void;
  /** Lends the oldest record not taken yet that the last look saw. False: there is none, or its turn has not come. */
  next(): boolean;
  /** Marks the lent record as taken. Its bytes stay until the commit. */
  take(): void;
  /** Gives the memory of all records taken so far back to the kernel. */
  commit(): void;
  /** Bytes taken in all. */
  readonly position: number;
  /** Bytes taken and not committed: room that the kernel cannot use; with a buffer per CPU, of the fullest. */
  readonly held: number;
  /** Bytes written by the kernel and not taken yet. */
  readonly waiting: number;
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
