/**
 * A lane of perf event buffers, one per CPU, read in place. The kernel writes records behind data_head, we move data_tail
 * (include/uapi/linux/perf_event.h, struct perf_event_mmap_page). A record that runs over the end of a buffer goes on at its
 * start: that one is copied, since nothing is mapped twice here, and so is one that had to be cut into pieces.
 *
 * Each CPU has an order of its own, so the buffers are merged by the time in the records. A probe takes the time before its record
 * is in the buffer, so a record may come to light a little after a younger one of another CPU: what is younger than
 * HOLD_NS is held back until it is not, and `next()` lends only what the last `look()` saw.
 *
 * Pure arithmetic on array buffers: it knows neither the kernel nor how the memory was mapped.
 */

import { SnoopHeader, SnoopPiece, SnoopPieceMark } from '../bpf/wire.gen.js';
import { type Lane, type Memory, memoryOf, u64 } from './lane.js';

const DATA_HEAD = 1024;
const DATA_TAIL = 1032;
const HEADER_BYTES = 8; // struct perf_event_header: u32 type, u16 misc, u16 size
const SIZE_BYTES = 4; // u32 before the bytes of a sample
const PERF_RECORD_SAMPLE = 9;
const RECORD_BYTES_MAX = 256 << 10; // longer than any (bpf/scratch.bpf.h)
const NOTHING = new Uint8Array(0);
/** Nanoseconds; a probe runs for microseconds, but an interrupt or a hypervisor may come between. */
export const HOLD_NS = 20e6;

/** The buffer of one CPU. */
class CpuBuffer {
  /** The lent record; only after `next()` returned true. */
  memory: Memory;
  at = 0;
  length = 0;
  time = 0;
  /** Positions up to which records were seen, taken, and given back. */
  #seen: number;
  #taken: number;
  #committed: number;
  /** What has come of a record in pieces. */
  #pieces: Uint8Array<ArrayBuffer> = NOTHING;
  #gathered = 0;
  /** Bytes of the lent record, its header counted; 0: none is lent. */
  #lent = 0;
  readonly #bytes: number;
  readonly #mapped: Memory;
  readonly #head: Int32Array;
  readonly #tail: BigUint64Array;

  constructor(shared: ArrayBuffer, dataAt: number) {
    this.#bytes = shared.byteLength - dataAt;
    this.#mapped = this.memory = memoryOf(shared, dataAt);
    this.#head = new Int32Array(shared, DATA_HEAD, 2);
    this.#tail = new BigUint64Array(shared, DATA_TAIL, 1);
    this.#taken = this.#committed = this.#seen = Number(this.#tail[0]);
  }

  look(): void {
    this.#seen = this.#taken + this.waiting;
  }

  next(): boolean {
    while (this.#lent === 0) {
      const pending = this.#seen - this.#taken;
      if (pending < HEADER_BYTES) return false;
      const header = this.#taken % this.#bytes; // a multiple of 8, so the header is in one piece
      const type = this.#mapped.u32[header >> 2] as number;
      let size = (this.#mapped.u32[(header + 4) >> 2] as number) >>> 16;
      if (size < HEADER_BYTES || size > pending) size = pending; // no such record is ever written
      // What is no sample is the kernel's own word about losses, which the probes count themselves.
      const isSample = type === PERF_RECORD_SAMPLE && size >= HEADER_BYTES + SIZE_BYTES;
      if (isSample) this.#read(header, size);
      if (isSample && this.#isWhole()) this.#lent = size;
      else this.#taken += size;
    }
    this.time = this.length < SnoopHeader.bytes ? 0 : u64(this.memory, this.at + SnoopHeader.time);
    return true;
  }

  /** Sets memory, at and length to the sample behind a header. */
  #read(header: number, size: number): void {
    const { u8, u32 } = this.#mapped;
    const at = header + HEADER_BYTES + SIZE_BYTES;
    const room = size - HEADER_BYTES - SIZE_BYTES;
    this.length = Math.min(u32[((header + HEADER_BYTES) % this.#bytes) >> 2] as number, room);
    this.memory = this.#mapped;
    this.at = at;
    if (at + this.length <= this.#bytes) return;
    const copy = new Uint8Array((this.length + 7) & ~7);
    const here = Math.max(0, this.#bytes - at);
    if (here > 0) copy.set(u8.subarray(at, this.#bytes));
    const from = (at + here) % this.#bytes;
    copy.set(u8.subarray(from, from + this.length - here), here);
    this.memory = memoryOf(copy.buffer);
    this.at = 0;
  }

  /** Whether the sample is a record, or the last piece of one: then the record takes its place. */
  #isWhole(): boolean {
    const { u8, u32 } = this.memory;
    if (this.length < SnoopPiece.bytes || u32[(this.at + SnoopPiece.mark) >> 2] !== SnoopPieceMark.PIECE)
      return true;
    const left = u32[(this.at + SnoopPiece.left) >> 2] as number;
    if (left !== this.#pieces.length - this.#gathered) {
      if (left > RECORD_BYTES_MAX) return false; // no such record is ever written
      this.#pieces = new Uint8Array(left); // the first piece
      this.#gathered = 0;
    }
    const from = this.at + SnoopPiece.bytes;
    const bytes = Math.min(
      left,
      u32[(this.at + SnoopPiece.length) >> 2] as number,
      this.length - SnoopPiece.bytes,
    );
    this.#pieces.set(u8.subarray(from, from + bytes), this.#gathered);
    this.#gathered += bytes;
    if (this.#gathered < this.#pieces.length) return false;
    this.memory = memoryOf(this.#pieces.buffer);
    this.at = 0;
    this.length = this.#pieces.length;
    this.#pieces = NOTHING;
    this.#gathered = 0;
    return true;
  }

  take(): void {
    this.#taken += this.#lent;
    this.#lent = 0;
  }

  commit(): void {
    if (this.#committed === this.#taken) return;
    this.#committed = this.#taken;
    Atomics.store(this.#tail, 0, BigInt(this.#taken));
  }

  get position(): number {
    return this.#taken;
  }

  get held(): number {
    return this.#taken - this.#committed;
  }

  get waiting(): number {
    // The low half suffices, since a buffer is far smaller than 4 GiB. Atomics: the record is written before the position.
    return (Atomics.load(this.#head, 0) - (this.#taken % 4294967296)) >>> 0;
  }
}

export class PerfLane implements Lane {
  readonly bytes: number;
  readonly #cpus: CpuBuffer[];
  /** The buffer whose record is lent, and up to which time its records come before those of all others. */
  #from: CpuBuffer;
  #until = Number.NEGATIVE_INFINITY;
  /** Records up to this time may be lent. */
  #horizon = Number.NEGATIVE_INFINITY;

  /**
   * @param buffers of each CPU the page of the positions, and from `dataAt` on its data pages, a power of two of them
   */
  constructor(buffers: readonly ArrayBuffer[], dataAt: number) {
    this.#cpus = buffers.map(shared => new CpuBuffer(shared, dataAt));
    this.#from = this.#cpus[0] as CpuBuffer;
    this.bytes = (buffers[0] as ArrayBuffer).byteLength - dataAt;
  }

  get memory(): Memory {
    return this.#from.memory;
  }

  get at(): number {
    return this.#from.at;
  }

  get length(): number {
    return this.#from.length;
  }

  /** The horizon is told before the positions are read: whatever lies before it has come to light by then. */
  look(now: number): void {
    this.#horizon = now - HOLD_NS;
    for (const cpu of this.#cpus) cpu.look();
    this.#until = Number.NEGATIVE_INFINITY;
  }

  next(): boolean {
    const from = this.#from;
    if (from.next() && from.time <= this.#until) return true;
    return this.#choose();
  }

  /** Finds the CPU whose record is the oldest, and how far it may be read without looking at the others again. */
  #choose(): boolean {
    let oldest: CpuBuffer | null = null;
    let second = Number.POSITIVE_INFINITY;
    for (const cpu of this.#cpus) {
      if (!cpu.next()) continue;
      if (oldest === null) {
        oldest = cpu;
      } else if (cpu.time < oldest.time) {
        second = oldest.time;
        oldest = cpu;
      } else if (cpu.time < second) {
        second = cpu.time;
      }
    }
    this.#until = Number.NEGATIVE_INFINITY;
    if (oldest === null || oldest.time > this.#horizon) return false;
    this.#from = oldest;
    this.#until = Math.min(second, this.#horizon);
    return true;
  }

  take(): void {
    this.#from.take();
  }

  commit(): void {
    for (const cpu of this.#cpus) cpu.commit();
  }

  get position(): number {
    return this.#cpus.reduce((sum, cpu) => sum + cpu.position, 0);
  }

  get held(): number {
    return this.#cpus.reduce((most, cpu) => Math.max(most, cpu.held), 0);
  }

  get waiting(): number {
    return this.#cpus.reduce((sum, cpu) => sum + cpu.waiting, 0);
  }
}
