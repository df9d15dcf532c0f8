/**
 * A perf lane without a kernel: plays the producer's side of the perf event buffers of some CPUs in plain array buffers, each laid
 * out as the kernel maps it: a page with the positions, then the data.
 */

import { SnoopHeader, SnoopPiece, SnoopPieceMark } from '../../bpf/wire.gen.js';
import { PerfLane } from '../../recorder/perfbuf.js';

const PAGE = 4096;
const DATA_HEAD = 1024;
const DATA_TAIL = 1032;
const PERF_RECORD_LOST = 2;
const PERF_RECORD_SAMPLE = 9;

/** What a probe writes, as short as may be: a header with a time, and a body that names it. */
export function timed(time: number, body: Uint8Array): Uint8Array {
  const record = new Uint8Array(SnoopHeader.bytes + body.length);
  new DataView(record.buffer).setBigUint64(SnoopHeader.time, BigInt(time), true);
  record.set(body, SnoopHeader.bytes);
  return record;
}

/** The same, cut into pieces of at most `room` bytes, as bpf/scratch.bpf.h does it. */
export function pieces(record: Uint8Array, room: number): Uint8Array[] {
  const cut = [];
  for (let from = 0; from < record.length; from += room) {
    const part = record.subarray(from, from + room);
    const piece = new Uint8Array(SnoopPiece.bytes + part.length);
    const view = new DataView(piece.buffer);
    view.setUint32(SnoopPiece.mark, SnoopPieceMark.PIECE, true);
    view.setUint32(SnoopPiece.length, part.length, true);
    view.setUint32(SnoopPiece.left, record.length - from, true);
    piece.set(part, SnoopPiece.bytes);
    cut.push(piece);
  }
  return cut;
}

class FakeCpu {
  readonly shared: ArrayBuffer;
  readonly #positions: BigUint64Array;
  readonly #data: Uint8Array;
  readonly #bytes: number;
  #lost = 0;

  constructor(bytes: number, start: number) {
    this.shared = new ArrayBuffer(PAGE + bytes);
    this.#bytes = bytes;
    this.#data = new Uint8Array(this.shared, PAGE);
    this.#positions = new BigUint64Array(this.shared, 0, PAGE >> 3);
    this.head = start;
    this.#positions[DATA_TAIL >> 3] = BigInt(start);
  }

  get head(): number {
    return Number(this.#positions[DATA_HEAD >> 3]);
  }

  set head(value: number) {
    this.#positions[DATA_HEAD >> 3] = BigInt(value);
  }

  get tail(): number {
    return Number(this.#positions[DATA_TAIL >> 3]);
  }

  /** perf_event_output: false when there is no room. The kernel then counts, and says so before its next record. */
  output(record: Uint8Array): boolean {
    const sample = (8 + 4 + record.length + 7) & ~7;
    const said = this.#lost > 0 ? 24 : 0;
    if (this.#bytes - (this.head - this.tail) < sample + said) {
      this.#lost++;
      return false;
    }
    if (said > 0) this.#put(PERF_RECORD_LOST, 24, Uint32Array.of(0, 0, this.#lost, 0));
    this.#lost = 0;
    const body = new Uint8Array(sample - 8).fill(0xee); // the kernel pads with what was there before
    new DataView(body.buffer).setUint32(0, sample - 12, true);
    body.set(record, 4);
    this.#put(PERF_RECORD_SAMPLE, sample, body);
    return true;
  }

  /** Writes the header of a record as no kernel would. */
  forge(position: number, type: number, size: number): void {
    this.#write(position, new Uint8Array(Uint32Array.of(type, size << 16).buffer));
  }

  #put(type: number, size: number, body: Uint8Array | Uint32Array): void {
    this.#write(this.head, new Uint8Array(Uint32Array.of(type, size << 16).buffer));
    this.#write(this.head + 8, new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
    this.head += size;
  }

  #write(position: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#data[(position + i) % this.#bytes] = bytes[i] as number;
  }
}

export class FakePerf {
  readonly cpus: FakeCpu[];
  readonly lane: PerfLane;

  /** @param start both positions of each buffer */
  constructor(cpus = 1, bytes = PAGE, start = 0) {
    this.cpus = Array.from({ length: cpus }, () => new FakeCpu(bytes, start));
    this.lane = new PerfLane(
      this.cpus.map(cpu => cpu.shared),
      PAGE,
    );
  }

  get isDrained(): boolean {
    return this.cpus.every(cpu => cpu.tail === cpu.head);
  }
}
