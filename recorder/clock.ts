/**
 * Kernel time to wall time. Records carry nanoseconds since boot, which no one can set back; rows carry microseconds
 * since the epoch, by the pair of clocks read last. A step of the wall clock shows as a jump of the difference.
 */

import { readFileSync } from 'node:fs';

/**
 * What a time namespace adds to the boot clock that its processes read, nanoseconds: time_namespaces(7). The records of the
 * kernel never have it. The file tells of the namespace that children will be in, which is ours unless we made a new one.
 */
export function bootOffsetNs(offsets = readOffsets()): number {
  const [, seconds, nanoseconds] = /^(?:boottime|7)\s+(-?\d+)\s+(\d+)$/m.exec(offsets) ?? [];
  return seconds === undefined ? 0 : Number(seconds) * 1e9 + Number(nanoseconds);
}

function readOffsets(): string {
  try {
    return readFileSync('/proc/self/timens_offsets', 'latin1');
  } catch {
    return ''; // a kernel without them
  }
}

export interface Clocks {
  wall: number;
  boot: number;
}

/** A step smaller than this is the slow correction of a time service, milliseconds a minute at most. */
const STEP_US = 50_000;

export class Clock {
  #offsetUs = 0;
  readonly #read: () => Clocks;

  /** @param aheadNs by how much the boot clock that is read is ahead of the kernel's own */
  constructor(read: () => Clocks, aheadNs = bootOffsetNs()) {
    this.#read = () => {
      const { wall, boot } = read();
      return { wall, boot: boot - aheadNs };
    };
    this.anchor();
  }

  /** Reads both clocks anew. Returns by how many microseconds the wall clock was stepped since the last time, mostly 0. */
  anchor(): number {
    const { wall, boot } = this.#read();
    const offset = Math.round((wall - boot) / 1000);
    const step = this.#offsetUs === 0 ? 0 : offset - this.#offsetUs;
    this.#offsetUs = offset;
    return Math.abs(step) < STEP_US ? 0 : step;
  }

  /** Microseconds since the epoch of a boot time in nanoseconds. */
  wallOf(bootNs: number): number {
    return this.#offsetUs + Math.floor(bootNs / 1000);
  }

  /** Now, in microseconds since the epoch. */
  now(): number {
    return Math.floor(this.#read().wall / 1000);
  }

  /** Now, in nanoseconds since boot. */
  bootNow(): number {
    return this.#read().boot;
  }
}
