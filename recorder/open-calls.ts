/**
 * Calls aimed at a group, from the first signal that one generated to its return: all its targets share one number, the id
 * of the first one's row. A thread is in one call at a time, so its id is the key.
 */

export class OpenCalls {
  readonly #byThread = new Map<number, number>();

  /**
   * The number of the group call that this thread is in.
   * @param next the id that the row of this signal will have, if it is the first of its call
   */
  of(tid: number, next: number): number {
    const open = this.#byThread.get(tid);
    if (open !== undefined) return open;
    this.#byThread.set(tid, next);
    return next;
  }

  /** The call returned. */
  close(tid: number): void {
    this.#byThread.delete(tid);
  }
}
