/** The counts of system calls by user, from the map in which the kernel counts them: what was added since the last look. */

/** A row of `uid_syscalls`; times in microseconds. */
export interface UidSyscalls {
  uid: number;
  from: number;
  to: number;
  count: number;
}

const PERIOD_MS = 2_000;

export class UidSyscallCounter {
  readonly #read: () => Iterable<[uid: number, count: number]>;
  #before: Map<number, number>;
  #from: number;
  #looked = performance.now();

  /** @param read gives the counts as they stand in the map */
  constructor(read: () => Iterable<[uid: number, count: number]>, now: number) {
    this.#read = read;
    this.#before = new Map(read());
    this.#from = now;
  }

  get isDue(): boolean {
    return performance.now() - this.#looked >= PERIOD_MS;
  }

  /** What each user added up to `now`. */
  take(now: number): UidSyscalls[] {
    const counts = new Map(this.#read());
    const rows = [...counts].flatMap(([uid, count]) => {
      const added = count - (this.#before.get(uid) ?? 0);
      return added > 0 ? [{ uid, from: this.#from, to: now, count: added }] : [];
    });
    this.#before = counts;
    this.#from = now;
    this.#looked = performance.now();
    return rows;
  }
}
