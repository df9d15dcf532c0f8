/**
 * Calls aimed at a group, from the first signal that one generated to its return: all its targets share one number.
 * A thread is in one call at a time, so its id is the key.
 */

export class OpenCalls {
  #next: number;
  readonly #byThread = new Map<number, number>();

  constructor(next: number) {
    this.#next = next;
  }

  /** The number of the group call that this thread is in. */
  of(tid: number): number {
    const open = this.#byThread.get(tid);
    if (open !== undefined) return open;
    const call = this.#next++;
    this.#byThread.set(tid, call);
    return call;
  }

  /** The call returned. */
  close(tid: number): void {
    this.#byThread.delete(tid);
  }
}
