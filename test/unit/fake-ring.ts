/**
 * A lane without a kernel: plays the producer's side of a BPF ring buffer in plain array buffers, laid out as the kernel
 * maps them: a page with the consumer position, a page with the producer position, the data twice.
 */

import { Ring } from '../../recorder/ring.js';

const PAGE = 4096;
const HEADER_BYTES = 8;
const BUSY = 0x80000000;
const DISCARDED = 0x40000000;

/** A record that the kernel still writes. */
export interface Reserved {
  submit(): void;
  discard(): void;
}

export class FakeLane {
  readonly ring: Ring;
  readonly bytes: number;
  readonly #memory: ConstructorParameters<typeof Ring>;
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #data: Uint8Array;

  /** @param start both positions: where an earlier recorder left off */
  constructor(bytes = PAGE, start = 0) {
    const consumer = new ArrayBuffer(PAGE);
    const shared = new ArrayBuffer(PAGE + 2 * bytes);
    this.bytes = bytes;
    this.#consumer = new BigUint64Array(consumer, 0, 1);
    this.#producer = new BigUint64Array(shared, 0, 1);
    this.#data = new Uint8Array(shared, PAGE);
    this.#consumer[0] = this.#producer[0] = BigInt(start);
    this.#memory = [consumer, shared, PAGE, bytes];
    this.ring = this.reopen();
  }

  /** Another reader of the same lane: the next recorder. */
  reopen(): Ring {
    return new Ring(...this.#memory);
  }

  /** What the kernel knows of the consumer. */
  get consumer(): number {
    return Number(this.#consumer[0]);
  }

  get producer(): number {
    return Number(this.#producer[0]);
  }

  /** bpf_ringbuf_output: false when there is no room. */
  write(record: Uint8Array): boolean {
    const reserved = this.reserve(record);
    reserved?.submit();
    return reserved !== null;
  }

  /** bpf_ringbuf_reserve: busy until it is submitted or discarded; null when there is no room. */
  reserve(record: Uint8Array): Reserved | null {
    const at = this.producer;
    const end = at + ((HEADER_BYTES + record.length + 7) & ~7);
    if (end - this.consumer > this.bytes - 1) return null; // kernel/bpf/ringbuf.c, __bpf_ringbuf_reserve
    this.#put(at, word(record.length | BUSY));
    this.#put(at + HEADER_BYTES, record);
    this.#producer[0] = BigInt(end);
    return {
      submit: () => this.#put(at, word(record.length)),
      discard: () => this.#put(at, word(record.length | DISCARDED)),
    };
  }

  /** Overwrites the length in the header of the record at a position: what no kernel would do. */
  forge(position: number, header: number): void {
    this.#put(position, word(header));
  }

  /** Writes both copies, so that they stay equal as one memory would. */
  #put(position: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const at = (position + i) % this.bytes;
      this.#data[at] = this.#data[at + this.bytes] = bytes[i] as number;
    }
  }
}

function word(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** Copies the records that are there, in order, and takes them; none is committed. */
export function takeAll(ring: Ring, limit = Number.POSITIVE_INFINITY): Buffer[] {
  const records: Buffer[] = [];
  ring.look();
  while (records.length < limit && ring.next()) {
    records.push(Buffer.from(ring.memory.u8.subarray(ring.at, ring.at + ring.length)));
    ring.take();
  }
  return records;
}
