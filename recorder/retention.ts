/** What becomes of sealed segments: plain files once nobody reads them, and the violent deaths of those that are dropped. */

import Database from 'better-sqlite3';
import { migrate } from '../migrations/migrate.js';
import { keepDeaths } from './carry-over.js';
import { log } from './log.js';
import { makePrivateFile } from './path-safety.js';
import { bytesOf, moveDatabase, removeDatabase } from './segment-files.js';

/** Turns a sealed segment that still has a log into one plain file. False: it is still in use. */
export function makePlain(path: string): boolean {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { fileMustExist: true, timeout: 0 });
    db.pragma('wal_checkpoint(TRUNCATE)');
    return db.pragma('journal_mode = DELETE', { simple: true }) === 'delete';
  } catch {
    return false;
  } finally {
    db?.close();
  }
}

/** Removes the segment at `path`; its violent deaths go into the file `kept`. */
export function keepAndRemove(path: string, kept: string): void {
  try {
    keep(path, kept);
    removeDatabase(path);
  } catch (error) {
    if ((error as { code?: string }).code === 'SQLITE_FULL') {
      removeAndKeep(path, kept);
      return;
    }
    log('keep', `cannot keep the violent deaths of ${path}: ${(error as Error).message}`);
    removeDatabase(path);
  }
}

function keep(path: string, kept: string): void {
  makePrivateFile(kept);
  const db = new Database(kept);
  try {
    gather(db, path);
  } finally {
    db.close();
  }
}

function gather(db: Database.Database, path: string, since?: number): void {
  migrate(db);
  db.pragma('foreign_keys = OFF');
  keepDeaths(db, path, since);
}

/** Leaves the older half of what is kept out as often as it takes more than `bytes`. */
export function trimKept(kept: string, bytes: number): void {
  for (let size = bytesOf(kept); size > bytes; size = bytesOf(kept)) {
    dropOlderHalf(kept);
    if (bytesOf(kept) >= size) return; // all at one moment, or no room: as good as it gets
  }
}

function dropOlderHalf(kept: string): void {
  const next = `${kept}.next`;
  try {
    const old = new Database(kept, { readonly: true });
    const half = old
      .prepare('SELECT ended FROM process WHERE status & 127 <> 0 ORDER BY ended LIMIT 1 OFFSET ?')
      .pluck();
    const deaths = old
      .prepare('SELECT count(*) FROM process WHERE status & 127 <> 0')
      .pluck()
      .get() as number;
    const since = half.get(deaths >> 1) as number | undefined;
    old.close();
    removeDatabase(next);
    makePrivateFile(next);
    const db = new Database(next);
    try {
      gather(db, kept, since);
    } finally {
      db.close();
    }
    moveDatabase(next, kept);
  } catch (error) {
    removeDatabase(next);
    log('trim', `cannot leave old violent deaths out of ${kept}: ${(error as Error).message}`);
  }
}

/** On a full disk there is room for the deaths only when the segment is gone: they wait in memory, then beside it. */
function removeAndKeep(path: string, kept: string): void {
  const memory = new Database(':memory:');
  const waiting = `${kept}.next`;
  try {
    gather(memory, path);
    removeDatabase(path);
    removeDatabase(waiting);
    makePrivateFile(waiting);
    memory.prepare('VACUUM INTO ?').run(waiting);
    keep(waiting, kept);
  } catch (error) {
    removeDatabase(path);
    log('keep', `cannot keep the violent deaths of ${path}: ${(error as Error).message}`);
  } finally {
    removeDatabase(waiting);
    memory.close();
  }
}
