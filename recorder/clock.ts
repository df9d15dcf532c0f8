/**
 * Kernel time to wall time. Records carry nanoseconds since boot, which no one can set back; rows carry microseconds
 * since the epoch, by the pair of clocks read last. A step of the wall clock shows as a jump of the difference.
 */

export interface Clocks {
  wall: number;
  boot: number;
}

/** A step smaller than this is the slow correction of a time service, milliseconds a minute at most. */
const STEP_US = 50_000;

export class Clock {
  #offsetUs = 0;
  readonly #read: () => Clocks;

  constructor(read: () => Clocks) {
    this.#read = read;
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
