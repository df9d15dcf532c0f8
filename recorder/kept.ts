/** What is kept of segments that are dropped: the violent deaths, and the ledger. */

import Database from 'better-sqlite3';
import { migrate } from '../migrations/migrate.js';
import { keepDeaths } from './carry-over.js';
import { log } from './log.js';
import { makePrivateFile } from './path-safety.js';
import { bytesOf, isBusy, isDamage, moveDatabase, removeDatabase } from './segment-files.js';

/** How long a reader of what was kept may hold up the recorder. */
const BUSY_MS = 100;

export class Kept {
  readonly #path: string;
  readonly #next: string;
  /** What found no room on the disk yet. */
  #waiting: Database.Database | null = null;

  constructor(path: string) {
    this.#path = path;
    this.#next = `${path}.next`;
  }

  /** Removes the segment at `path`; its violent deaths are kept. Returns why they could not be, null: they are. */
  drop(path: string): string | null {
    let trouble: string | null = null;
    try {
      this.#gatherBesideReaders(path);
    } catch (error) {
      // On a full disk there is room for them only when the segment is gone, and perhaps not even then.
      trouble = isDamage(error) ? (error as Error).message : this.#hold(path);
    }
    if (trouble !== null) log('keep', `cannot keep the violent deaths of ${path}: ${trouble}`);
    removeDatabase(path);
    this.store();
    return trouble;
  }

  /** Who reads what was kept holds a lock on it, for as long as they like: then a copy takes its place. */
  #gatherBesideReaders(from: string): void {
    try {
      gather(this.#path, from);
    } catch (error) {
      if (!isBusy(error)) throw error;
      removeDatabase(this.#next);
      gather(this.#next, this.#path);
      gather(this.#next, from);
      moveDatabase(this.#next, this.#path);
    }
  }

  #hold(path: string): string | null {
    this.#waiting ??= new Database(':memory:');
    try {
      gatherInto(this.#waiting, path);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Tries to store what found no room before. */
  store(): void {
    if (this.#waiting === null) return;
    try {
      removeDatabase(this.#next);
      makePrivateFile(this.#next);
      this.#waiting.prepare('VACUUM INTO ?').run(this.#next);
      gather(this.#path, this.#next);
      this.#waiting.close();
      this.#waiting = null;
    } catch (error) {
      log(
        'keep',
        `violent deaths of dropped segments wait for room on the disk: ${(error as Error).message}`,
      );
    } finally {
      removeDatabase(this.#next);
    }
  }

  /** Leaves the older half out as often as it takes more than `bytes`. */
  trim(bytes: number): void {
    try {
      for (let size = bytesOf(this.#path); size > bytes; size = bytesOf(this.#path)) {
        this.#dropOlderHalf();
        if (bytesOf(this.#path) >= size) return; // they died at one moment: as good as it gets
      }
    } catch (error) {
      removeDatabase(this.#next);
      log('trim', `cannot leave old violent deaths out of ${this.#path}: ${(error as Error).message}`);
    }
  }

  #dropOlderHalf(): void {
    removeDatabase(this.#next);
    gather(this.#next, this.#path, medianDeath(this.#path));
    moveDatabase(this.#next, this.#path);
  }
}

/** Adds the violent deaths of the segment at `from` to the file at `path`, which is made if it is not there. */
function gather(path: string, from: string, since?: number): void {
  makePrivateFile(path);
  const db = new Database(path, { timeout: BUSY_MS });
  try {
    gatherInto(db, from, since);
  } finally {
    db.close();
  }
}

function gatherInto(db: Database.Database, from: string, since?: number): void {
  migrate(db);
  db.pragma('foreign_keys = OFF');
  keepDeaths(db, from, since);
}

/** When the one in the middle of all violent deaths was. */
function medianDeath(path: string): number | undefined {
  const db = new Database(path, { readonly: true });
  try {
    const deaths = 'FROM process WHERE status & 127 <> 0';
    const median = `SELECT ended ${deaths} ORDER BY ended LIMIT 1 OFFSET (SELECT count(*) / 2 ${deaths})`;
    return db.prepare(median).pluck().get() as number | undefined;
  } finally {
    db.close();
  }
}
