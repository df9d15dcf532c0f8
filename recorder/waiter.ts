/** Sleeps until a lane has something to read, so that an idle recorder costs nothing; or until it is called. */

import { closeSync, writeSync } from 'node:fs';
import { makeEventFd, waitFor, watch } from './libbpf.js';

export class Waiter {
  readonly #call = makeEventFd();
  readonly #epoll: number;

  /** @param lanes descriptors of ring buffers */
  constructor(lanes: readonly number[]) {
    this.#epoll = watch([...lanes, this.#call]);
  }

  /** Resolves when a record came, `call` was called, or the time is over. */
  wait(timeoutMs: number): Promise<void> {
    return waitFor(this.#epoll, timeoutMs);
  }

  /** Ends this wait, and every later one at once. */
  call(): void {
    writeSync(this.#call, new Uint8Array(BigUint64Array.of(1n).buffer));
  }

  close(): void {
    closeSync(this.#epoll);
    closeSync(this.#call);
  }
}
