/** Sleeps until a lane has something to read, so that an idle recorder costs nothing; or until it is called. */

import { closeSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeEventFd, waitFor, watch } from './libc.js';

/** Lanes that wake nobody unless they are told to. */
export interface Alarm {
  /** Whether the next record is to wake us. */
  set(isOn: boolean): void;
  /** Whether there is something to read. */
  hasRecords(): boolean;
}

/** A probe that had begun before the alarm was set has written its record by then. */
const PROBE_MS = 2;

export class Waiter {
  readonly #call = makeEventFd();
  readonly #epoll: number;
  readonly #alarm: Alarm | null;

  /** @param lanes descriptors that can be read when a record came */
  constructor(lanes: readonly number[], alarm: Alarm | null = null) {
    this.#epoll = watch([...lanes, this.#call]);
    this.#alarm = alarm;
  }

  /** Resolves when a record came, `call` was called, or the time is over. */
  async wait(timeoutMs: number): Promise<void> {
    if (this.#alarm === null) return await waitFor(this.#epoll, timeoutMs);
    this.#alarm.set(true);
    await sleep(PROBE_MS);
    if (!this.#alarm.hasRecords()) await waitFor(this.#epoll, timeoutMs);
    this.#alarm.set(false);
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
