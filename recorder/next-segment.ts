/**
 * The next live segment, made beside the live one and complete before it takes that one's name. A change of segments that
 * was cut short, wherever that was, can be ended from the files alone.
 */

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { migrate } from '../migrations/migrate.js';
import { nextName, sealedNames } from '../migrations/segment-names.js';
import { carryOver } from './carry-over.js';
import { log } from './log.js';
import { makePrivateFile } from './path-safety.js';
import type { References } from './references.js';
import {
  halfMoved,
  hasContent,
  isBusy,
  isDamage,
  moveDatabase,
  removeDatabase,
  syncDirectory,
} from './segment-files.js';

/** Whether the next segment has what it needs of the one before: that may be damaged, or locked by somebody. */
export type Carried = 'whole' | 'damaged' | 'busy';

export class NextSegment {
  readonly #live: string;
  readonly #path: string;
  readonly #now: () => number;

  constructor(live: string, now: () => number) {
    this.#live = live;
    this.#path = nextName(live);
    this.#now = now;
  }

  /** Ends a change that was cut short. Then there is a live segment, unless there is none of which one could be made. */
  finishChange(): void {
    const moving = halfMoved(this.#live);
    if (moving !== null && hasContent(this.#live)) moveDatabase(this.#live, moving);
    if (hasContent(this.#live)) {
      removeDatabase(this.#path);
      return;
    }
    if (!isWhole(this.#path)) this.makeFromSealed();
    if (existsSync(this.#path)) this.install();
  }

  /** Makes it from the newest sealed segment that can be read. False: there is none, and no next one. */
  makeFromSealed(): boolean {
    removeDatabase(this.#path);
    for (const { path } of sealedNames(this.#live).reverse()) {
      if (this.makeFrom(path, new Map()) === 'whole') return true;
      removeDatabase(this.#path);
    }
    return false;
  }

  /**
   * Makes it with what the segment at `from` hands on.
   * @param references what rows that wait to be stored refer to
   */
  makeFrom(from: string, references: References): Carried {
    try {
      this.#make(db => carryOver(db, from, references));
      return 'whole';
    } catch (error) {
      log('carry', `cannot carry over from ${from}: ${(error as Error).message}`);
      if (isDamage(error)) return 'damaged';
      if (isBusy(error)) return 'busy';
      throw error;
    }
  }

  /** Makes it without anything of the one before, but for the ids, which go on. */
  makeEmpty(nextIds: Iterable<[table: string, id: number]>): void {
    this.#make(db => {
      const insert = db.prepare('INSERT INTO first_id ("table", id) VALUES (?, ?)');
      for (const [table, id] of nextIds) insert.run(table, id);
    });
  }

  #make(fill: (db: Database.Database) => void): void {
    removeDatabase(this.#path);
    makePrivateFile(this.#path);
    const db = new Database(this.#path);
    try {
      migrate(db);
      db.pragma('foreign_keys = OFF');
      fill(db);
      db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('from', ?)").run(String(this.#now())); // last: see isWhole
    } finally {
      db.close();
    }
  }

  /** Lets it take the name of the live one, which nothing has any more. */
  install(): void {
    moveDatabase(this.#path, this.#live);
    syncDirectory(dirname(this.#live));
  }
}

/** Whether a next segment was made to its end: the start of the segment is entered last. */
function isWhole(path: string): boolean {
  if (!hasContent(path)) return false;
  const db = new Database(path);
  try {
    return db.prepare("SELECT 1 FROM meta WHERE key = 'from'").get() !== undefined;
  } catch {
    return false;
  } finally {
    db.close();
  }
}
