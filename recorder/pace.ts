/**
 * How long to rest between two looks at the lanes: as seldom as possible, but before a storm can fill one. Records that come
 * at full speed fill 16 MiB in about 60 ms.
 */

import type { Lane } from './lane.js';

/** What a lane may take of its room between two looks. */
const SHARE = 1 / 8;
const MOST_MS = 20;
const LEAST_MS = 2;

/** A pace for these lanes. */
export class Pace {
  readonly #lanes: readonly Pick<Lane, 'bytes' | 'position'>[];
  readonly #now: () => number;
  #at: number;
  readonly #positions: number[];
  #last = LEAST_MS;

  /** @param now milliseconds of any clock that only goes forward */
  constructor(lanes: readonly Pick<Lane, 'bytes' | 'position'>[], now = () => performance.now()) {
    this.#lanes = lanes;
    this.#now = now;
    this.#at = now();
    this.#positions = lanes.map(({ position }) => position);
  }

  /**
   * Milliseconds to rest after everything was taken: at the rate since the last time, what fills a share of a lane. At most
   * twice what it was before, for the first records of a storm come slowly: they are the exec of who makes it.
   */
  rest(): number {
    const now = this.#now();
    const passed = Math.max(now - this.#at, Number.MIN_VALUE);
    this.#at = now;
    let most = 0;
    for (let i = 0; i < this.#lanes.length; i++) {
      const { position, bytes } = this.#lanes[i] as Lane;
      most = Math.max(most, (position - (this.#positions[i] as number)) / bytes);
      this.#positions[i] = position;
    }
    const wanted = Math.max((SHARE / most) * passed, LEAST_MS);
    this.#last = Math.min(wanted, 2 * this.#last, MOST_MS);
    return this.#last;
  }

  /** The same for the first record after a time without any: what comes with it is not known yet. */
  restAtFirst(): number {
    this.#at = this.#now();
    this.#last = LEAST_MS;
    return LEAST_MS;
  }
}
