/** Whether the files that SQLite writes are still the ones that their paths name. Looks by name only, and opens none. */

import { statSync } from 'node:fs';

export class Placement {
  readonly #path: string;
  #bytes: number;
  /** The files by their suffix, as they were when they were first looked at. */
  readonly #files = new Map<string, string>();

  /** @param path a database that is open */
  constructor(path: string) {
    this.#path = path;
    this.#bytes = statSync(path).size;
    this.isKept();
  }

  /**
   * False: they were deleted, moved or replaced. The log and its index belong to it: a reader that does not find them makes
   * others, and then two go their own ways.
   */
  isKept(): boolean {
    try {
      return ['', '-wal', '-shm'].every(suffix => {
        const stat = statSync(this.#path + suffix, { throwIfNoEntry: false });
        const known = this.#files.get(suffix);
        const found = stat && `${stat.dev}:${stat.ino}`;
        if (known === undefined && found !== undefined) this.#files.set(suffix, found);
        return known === undefined || known === found;
      });
    } catch {
      return true; // the file system fails: the next write tells how
    }
  }

  /** Whether somebody cut the database: SQLite lets it grow, and never shrinks it on its own. */
  hasShrunk(): boolean {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size < this.#bytes) return true;
    this.#bytes = size;
    return false;
  }
}
